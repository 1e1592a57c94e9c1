#include "drivers/runtime.h"
#include "arch/x86_64/cpu/gdt.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/irq.h"
#include "arch/x86_64/cpu/lapic.h"
#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/mmu/root.h"
#include "core/log.h"
#include "core/time.h"
#include "drivers/firmware_call.h"
#include "drivers/physical.h"
#include "drivers/runtime_map.h"
#include "lib/string.h"

#define WAIT_MS 5000u

/* UEFI specification "EFI Table Header", "EFI System Table", "EFI Runtime Services Table": offsets and signatures. */
#define SYSTEM_SIGNATURE  0x5453595320494249ull /* "IBI SYST" */
#define RUNTIME_SIGNATURE 0x56524553544e5552ull /* "RUNTSERV" */
#define SYSTEM_RUNTIME_AT 88u
#define RUNTIME_RESET_AT  104u

#define VECTORS	       256u
#define INTERRUPT_GATE 0x8eu /* present, DPL 0 */

struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, reserved;
};

/* Written by runtime_init() on the boot core, constant after. */
static struct runtime_map map;
static u64 reset_system; /* physical address of ResetSystem(); 0: cannot be called */
static const char *why_not = "there is no memory map of firmware's";

static void read_map(const struct boot_info *info)
{
	for (u64 at = 0; at + info->descriptor_size <= info->map_size; at += info->descriptor_size) {
		struct runtime_descriptor descriptor;

		if (physical_read(NULL, info->map_pa + at, &descriptor, sizeof(descriptor)))
			runtime_map_add(&map, &descriptor);
	}
	if (map.left_out)
		log_line("     %u of firmware's runtime regions are left out", map.left_out);
}

/* The 8 bytes at `pa`, which must be in a region that firmware keeps. */
static bool read_kept(paddr_t pa, u64 *value)
{
	return runtime_map_contains(&map, pa, sizeof(*value)) && physical_read(NULL, pa, value, sizeof(*value));
}

static u64 find_reset_system(paddr_t system_table)
{
	u64 signature, services, function;

	if (!read_kept(system_table, &signature) || signature != SYSTEM_SIGNATURE ||
	    !read_kept(system_table + SYSTEM_RUNTIME_AT, &services))
		return 0;
	if (!read_kept(services, &signature) || signature != RUNTIME_SIGNATURE ||
	    !read_kept(services + RUNTIME_RESET_AT, &function))
		return 0;
	return runtime_map_contains(&map, function, 1) ? function : 0;
}

void runtime_init(const struct boot_info *info)
{
	if (info->descriptor_size < sizeof(struct runtime_descriptor))
		return;
	read_map(info);
	reset_system = find_reset_system(info->system_table_pa);
	if (reset_system == 0)
		why_not = "firmware's runtime services are not in the memory it keeps for them";
}

/*
 * Our upper half and, in the lower, firmware 1:1: writable and executable alike, since older firmware keeps data beside
 * its code. It is in use for this one call, at the machine's end.
 */
static int build_root(struct root *root)
{
	int error = root_create(root);

	for (u32 i = 0; i < map.count && !error; i++) {
		const struct runtime_region *r = &map.region[i];

		error = pt_map(&root->pt, r->start, r->start, r->size, PT_READ | PT_WRITE | PT_EXEC, r->cache, NULL);
		if (error == ERR_EXISTS) /* a map that names a page twice: the first one stands */
			error = OK;
	}
	return error;
}

/* All vectors lead back to us, on a stack that is good whatever firmware did to its own. */
static void build_idt(struct gate *idt)
{
	for (u32 vector = 0; vector < VECTORS; vector++) {
		u64 target = (u64)(vector == HOST_VECTOR_TIMER ? firmware_call_late : firmware_call_faulted);

		idt[vector] = (struct gate){
			.offset_low = (u16)target,
			.selector = HOST_CS,
			.ist = IST_DF,
			.type = INTERRUPT_GATE,
			.offset_middle = (u16)(target >> 16),
			.offset_high = (u32)(target >> 32),
		};
	}
}

/* UEFI specification "x64 Platforms": firmware may use SSE. Ours never does, so this core may have it off. */
static void allow_sse(void)
{
	write_cr0(read_cr0() & ~(CR0_EM | CR0_TS));
	write_cr4(read_cr4() | CR4_OSFXSR | CR4_OSXMMEXCPT);
}

/* What is pending goes to its own handler now: on the other IDT it would end the call. */
static void ignore_interrupt(u8 vector UNUSED)
{
}

static void take_pending_interrupts(void)
{
	/* Whoever handled it until now would arm the timer again. */
	irq_register(HOST_VECTOR_TIMER, ignore_interrupt);
	lapic_timer(~0ull);
	/* STI takes effect after one more instruction. */
	__asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

const char *runtime_reset(enum runtime_reset type)
{
	static ALIGNED(16) struct gate idt[VECTORS];
	const struct firmware_idtr idtr = {.limit = sizeof(idt) - 1, .base = (u64)idt};
	struct firmware_call call = {.function = reset_system, .idtr = &idtr, .argument = {type}};
	struct root root;

	if (reset_system == 0)
		return why_not;
	if (build_root(&root) != OK)
		return "firmware's runtime regions could not be mapped";
	build_idt(idt);
	allow_sse();
	take_pending_interrupts();
	call.cr3 = root.cr3;
	lapic_timer(rdtsc() + ms_to_ticks(WAIT_MS));
	switch (firmware_call(&call)) {
	case FIRMWARE_RETURNED:
		return "firmware's ResetSystem() came back";
	case FIRMWARE_LATE:
		return "firmware's ResetSystem() did nothing for five seconds";
	default:
		return "firmware's ResetSystem() faulted";
	}
}
