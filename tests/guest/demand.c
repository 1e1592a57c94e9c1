// guest: 64
/*
 * RAM that nobody touched: each way in which a page can be met for the first time, by an instruction, by the processor,
 * or by a hypervisor for the guest. Nothing may be seen of it but that it is zero.
 */
#include "guests/lib/guest.h"

#define PAGE	     4096u
#define FIRST	     (16u << 20) /* above all that a loader puts anywhere */
#define INT_VECTOR   0x60
#define COM1_SCRATCH 0x3ff
#define IOAPIC	     0xfec00000u
#define ANYWHERE     0x200000000000ull /* not mapped at first */
#define PRESENT	     3u /* and writable */
#define MSR_KVM_SYSTEM_TIME 0x4b564d01u
#define CPUID_KVM    0x40000100u

static u64 next = FIRST;
static volatile u32 taken;

/* Pages that were never touched, and one between them and the next that stays so. */
static u8 *fresh(u32 pages)
{
	u8 *at = (u8 *)next;

	next += (pages + 1) * PAGE;
	return at;
}

/* REP SCASB reads all of it: 0 when all bytes are `byte`. */
static u64 differing(const u8 *at, u8 byte, u64 size)
{
	u64 left = size;

	__asm__ volatile("repe scasb; jne 1f; xor %%ecx, %%ecx; jmp 2f; 1: inc %%rcx; 2:"
			 : "+D"(at), "+c"(left)
			 : "a"(byte)
			 : "memory", "cc");
	return left;
}

CHECKS(demand_plain)
{
	volatile u8 *byte = fresh(1);
	u8 *page = fresh(2);
	u64 value = 5;

	check_equal("read-is-zero", differing(fresh(3), 0, 3 * PAGE), 0);
	byte[2000] = 7;
	check_equal("write-is-there", byte[2000], 7);
	check("and-no-more", !differing((u8 *)byte, 0, 2000) && !differing((u8 *)byte + 2001, 0, PAGE - 2001));
	__asm__ volatile("lock xadd %0, (%1)" : "+r"(value) : "r"(fresh(1)) : "memory", "cc");
	check_equal("locked", value, 0);
	*(volatile u64 *)(page + PAGE - 4) = 0x1122334455667788;
	check("across-two-pages", *(u32 *)(page + PAGE - 4) == 0x55667788 && *(u32 *)(page + PAGE) == 0x11223344);
}

static void copy(u8 *to, const u8 *from, u64 size)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

CHECKS(demand_strings)
{
	u8 *to = fresh(16), *set = fresh(16);

	copy(to, fresh(16), 16 * PAGE);
	check_equal("copied-zero", differing(to, 0, 16 * PAGE), 0);
	memset(set, 0x5a, 16 * PAGE);
	to = fresh(17);
	copy(to + 100, set, 16 * PAGE);
	check_equal("copied", differing(to + 100, 0x5a, 16 * PAGE), 0);
	check_equal("and-not-before", differing(to, 0, 100), 0);
}

/* Zeroes are ADD [RAX], AL: a page of them, and the RET behind it. */
CHECKS(demand_code)
{
	u8 *code = fresh(2);
	u64 scratch = 0;

	code[PAGE] = 0xc3;
	__asm__ volatile("call *%1" : : "a"(&scratch), "r"(code) : "memory", "cc");
	check_equal("executed", (u8)scratch, (u8)((PAGE / 2) * (u8)(u64)&scratch));
}

/* The stack of its handler is met by the delivery itself. */
static void stack_for(u8 vector)
{
	word top = (word)fresh(1) + PAGE;

	memcpy(tss + 36, &top, sizeof(top));
	idt[vector * 16 + 4] = 1;
}

static bool take(struct trap_frame *frame UNUSED)
{
	taken++;
	return true;
}

/* INT n and the like come back behind the instruction, once. */
#define CHECK_SOFT(name, vector, instruction)             \
	do {                                              \
		stack_for(vector);                        \
		trap_handle(vector, take);                \
		taken = 0;                                \
		expect_none(name, __asm__ volatile(instruction)); \
		check_equal(name "-once", taken, 1);      \
		trap_handle(vector, NULL);                \
	} while (0)

CHECKS(demand_delivery)
{
	stack_for(VECTOR_UD);
	expect_fault("exception", VECTOR_UD, 0, __asm__ volatile("ud2"));
	stack_for(VECTOR_GP);
	expect_fault("exception-with-error", VECTOR_GP, 0x1238, __asm__ volatile("mov %0, %%ds" : : "r"(0x1238)));
	CHECK_SOFT("int-n", INT_VECTOR, "int $0x60");
	CHECK_SOFT("int3", VECTOR_BP, "int3");
	if (!timer_there()) {
		check_skip("interrupt", "no timer");
		return;
	}
	stack_for(VECTOR_IRQ0);
	alarm(1000);
	for (u64 i = 0; i < 1000000000 && !alarm_rang; i++)
		__asm__ volatile("sti; nop; nop; cli");
	check("interrupt", alarm_rang);
}

CHECKS(demand_tables)
{
	u64 *top = (u64 *)read_cr3();
	u64 *pointers = (u64 *)fresh(1), *directory = (u64 *)fresh(1), *table = (u64 *)fresh(1);
	volatile u64 *at = (volatile u64 *)ANYWHERE;

	top[ANYWHERE >> 39] = (word)pointers | PRESENT;
	expect_fault("walk-of-pointers", VECTOR_PF, 0, *at);
	check_equal("walk-of-pointers-cr2", fault.address, ANYWHERE);
	pointers[0] = (word)directory | PRESENT;
	expect_fault("walk-of-directory", VECTOR_PF, 2, *at = 1);
	directory[0] = (word)table | PRESENT;
	expect_fault("walk-of-table", VECTOR_PF, 0, *at);
	table[0] = (word)fresh(1) | PRESENT;
	expect_none("walk-to-a-page", *at = 1);
	check_equal("walked", *at, 1);
	top[ANYWHERE >> 39] = 0;
	write_cr3(read_cr3());
}

static void out_string(const u8 *from, u64 size)
{
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(size) : "d"(COM1_SCRATCH) : "memory");
}

static void in_string(u8 *to, u64 size)
{
	__asm__ volatile("rep insb" : "+D"(to), "+c"(size) : "d"(COM1_SCRATCH) : "memory");
}

static void check_ports(void)
{
	u8 *to = fresh(3);

	if (!com1_there()) {
		check_skip("string-io", "no UART");
		return;
	}
	out8(COM1_SCRATCH, 0xff);
	out_string(fresh(3) + 100, 2 * PAGE);
	check_equal("outs", in8(COM1_SCRATCH), 0);
	out8(COM1_SCRATCH, 0xa5);
	in_string(to + 100, 2 * PAGE);
	check_equal("ins", differing(to + 100, 0xa5, 2 * PAGE), 0);
	check("ins-no-more", !differing(to, 0, 100) && !differing(to + 100 + 2 * PAGE, 0, PAGE - 100));
}

static void check_device(void)
{
	volatile u32 *select = (volatile u32 *)IOAPIC;
	u8 *to = fresh(2) + PAGE - 2;

	if (!ioapic_there()) {
		check_skip("device-to-page", "no IOAPIC");
		return;
	}
	*select = 1;
	__asm__ volatile("movsl" : : "D"(to), "S"(select) : "memory");
	check_equal("device-to-page", *(u32 *)to, 1);
	__asm__ volatile("movsl" : : "D"(select), "S"(fresh(1)) : "memory");
	check_equal("page-to-device", *select, 0);
}

struct clock {
	u32 version, pad;
	u64 tsc, ns;
	u32 multiplier;
};

CHECKS(demand_hypervisor)
{
	volatile struct clock *clock = (volatile struct clock *)(fresh(1) + 256);

	check_ports();
	check_device();
	if (!on_trivisor()) {
		check_skip("hypercall", "no Trivisor under us");
		return;
	}
	check_equal("hypercall", hypercall(HYPERCALL_CONSOLE_WRITE, (word)fresh(2) + PAGE - 1, 2, 0, 0), 2);
	print("\n");
	if (cpuid(CPUID_KVM, 0).ebx) {
		wrmsr(MSR_KVM_SYSTEM_TIME, (word)clock | 1);
		check("clock", clock->version && !(clock->version & 1) && clock->multiplier);
	} else {
		check_skip("clock", "no KVM clock");
	}
}
