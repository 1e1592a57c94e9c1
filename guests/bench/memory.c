/* Operations that are memory accesses: the IOAPIC's registers, and pages that were never touched. */
#include "guests/bench/bench.h"

#define IOAPIC	  0xfec00000u
#define PAGE	  4096u
#define HEADROOM  (1u << 20) /* below the end of RAM, where a loader may have put its tables */
#define FOUR_GIB  (1ull << 32)

#define SAMPLER(name, instruction)                                                             \
	static u32 name(u64 argument)                                                          \
	{                                                                                      \
		u32 ticks;                                                                     \
		__asm__ volatile("rdtsc; mov %%eax, %%r11d; mov %1, %%rcx\n" instruction       \
				 "\nrdtsc; sub %%r11d, %%eax"                                  \
				 : "=&a"(ticks)                                                \
				 : "r"(argument)                                               \
				 : "rcx", "rdx", "r11", "memory", "cc");                       \
		return ticks;                                                                  \
	}
SAMPLER(empty, "")
SAMPLER(do_read, "mov (%%rcx), %%eax")
SAMPLER(do_touch, "movb $1, (%%rcx)")

/* Each sample another page, from the end of RAM downwards. */
static u64 next_page;

static u32 touch_next(u64 unused UNUSED)
{
	next_page -= PAGE;
	return do_touch(next_page);
}

/* As a hypervisor zeroes a page, 8 bytes at a time: what a fresh page costs beside that is net of it. */
static u64 zeroed[PAGE / sizeof(u64)] ALIGNED(PAGE);

static u32 do_zero(u64 unused UNUSED)
{
	u32 ticks;

	__asm__ volatile("rdtsc; mov %%eax, %%r11d; mov %1, %%rdi; mov %2, %%ecx; xor %%eax, %%eax\n"
			 "rep stosq\nrdtsc; sub %%r11d, %%eax"
			 : "=&a"(ticks)
			 : "r"(zeroed), "i"(ARRAY_SIZE(zeroed))
			 : "rcx", "rdx", "rdi", "r11", "memory", "cc");
	return ticks;
}

/* The end of the highest RAM that our map of the lowest 4 GiB reaches. */
static u64 ram_end(void)
{
	u64 end = 0;

	for (u32 i = 0; i < boot.range_count; i++) {
		u64 range_end = boot.range[i].base + boot.range[i].size;

		if (boot.range[i].type == RANGE_RAM && range_end <= FOUR_GIB && range_end > end)
			end = range_end;
	}
	return end;
}

/* Pages that nobody touched before: `count` rows of them. */
static bool fresh_pages(u32 count)
{
	if (boot_ram_size() < (count + 1) * (WARM_UP + SAMPLES + 2) * PAGE + HEADROOM)
		return false;
	next_page = ram_end() - HEADROOM;
	return true;
}

void bench_fresh(void)
{
	if (!fresh_pages(2)) {
		no_row("ept_violation_4k_page_fresh_mean", "too little memory");
		return;
	}
	row("ept_violation_4k_page_fresh_mean", touch_next, empty, 0);
	row("ept_violation_4k_page_fresh_net", touch_next, do_zero, 0);
}

void bench_memory(void)
{
	if (ioapic_there())
		row("mmio_read_ioapic", do_read, empty, IOAPIC);
	else
		no_row("mmio_read_ioapic", "no IOAPIC in the ACPI tables");
	no_row("mmio_write_to_device_model", "no device with registers in memory but the APICs");
	no_row("mmio_read_to_device_model", "no device with registers in memory but the APICs");
	no_row("ept_violation_4k_page_present_mean", "nothing a guest can do takes a mapping away and leaves the page");
	if (fresh_pages(1))
		row("ram_backed_at_creation", touch_next, empty, 0);
	else
		no_row("ram_backed_at_creation", "too little memory");
}
