// guest: 64
/* 4-level paging: A and D bits, NX, reserved bits, large pages, canonical addresses. (SDM "4-Level Paging and 5-Level
 * Paging", "Canonical Addressing") Oracles: Bochs, QEMU. */
#include "guests/lib/guest.h"

#define P 1u
#define W 2u
#define A 0x20u
#define D 0x40u
#define PS 0x80u
#define NX BIT(63)
#define TEST 0x200000000000ull
#define MSR_EFER 0xc0000080u
#define EFER_NXE BIT(11)
#define CPUID_1GIB BIT(26)
#define NOT_CANONICAL 0x800000000000ull

static u64 pointers[512] ALIGNED(4096), directory[512] ALIGNED(4096), table[512] ALIGNED(4096);
static u32 frame[1024] ALIGNED(4096);
static volatile u32 *const test = (volatile u32 *)TEST;

static void map(u64 *entry, u64 value)
{
	*entry = value;
	write_cr3(read_cr3());
}

/* By IST 1: an exception cannot be delivered on the stack that caused it. */
static void use_good_stack(u8 vector)
{
	static u8 stack[4096] ALIGNED(16);
	word top = (word)(stack + sizeof(stack));

	memcpy(tss + 36, &top, sizeof(top));
	idt[vector * 16 + 4] = 1;
}

static void check_leaf(void)
{
	map(table, (word)frame | P);
	check_equal("p64-read", *test, 0xc3c3c3c3);
	check_equal("p64-read-sets-a", table[0] & (A | D), A);
	check("p64-walk-sets-a", pointers[0] & directory[0] & A);
	map(table, (word)frame | P | W);
	expect_none("p64-write", test[1] = 1);
	check_equal("p64-write-sets-d", table[0] & (A | D), A | D);
	map(table, (word)frame | P | NX);
	expect_fault("p64-nx", VECTOR_PF, 0x11, ((void (*)(void))TEST)());
	map(table, (word)frame | P);
	expect_none("p64-execute", ((void (*)(void))TEST)());
	map(table, (word)frame | P | BIT(51));
	expect_fault("p64-reserved-bit", VECTOR_PF, 9, *test);
	map(table, (word)frame | P | NX);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_NXE);
	expect_fault("p64-nx-reserved-without-nxe", VECTOR_PF, 9, *test);
}

CHECKS(paging64)
{
	u64 *top = (u64 *)read_cr3();

	frame[0] = 0xc3c3c3c3; /* RET */
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	top[TEST >> 39] = (word)pointers | P | W;
	expect_fault("p64-no-directory", VECTOR_PF, 0, *test);
	check_equal("p64-cr2", fault.address, TEST);
	pointers[0] = (word)directory | P | W;
	directory[0] = (word)table | P | W;
	check_leaf();
	map(directory, P | W | PS);
	check_equal("p64-2m", test[(word)frame / 4], 0xc3c3c3c3);
	map(directory, P | W | PS | BIT(13));
	expect_fault("p64-2m-reserved-bit", VECTOR_PF, 9, *test);
	map(pointers, P | W | PS);
	if (cpuid(0x80000001, 0).edx & CPUID_1GIB)
		check_equal("p64-1g", test[(word)frame / 4], 0xc3c3c3c3);
	else
		expect_fault("p64-1g-reserved", VECTOR_PF, 9, *test);
	map(&top[TEST >> 39], (word)pointers | P | W | PS);
	expect_fault("p64-top-ps-reserved", VECTOR_PF, 9, *test);
	map(&top[TEST >> 39], 0);
	expect_fault("canonical-read", VECTOR_GP, 0, *(volatile u32 *)NOT_CANONICAL);
	use_good_stack(VECTOR_SS);
	use_good_stack(VECTOR_GP); /* should it come instead */
	expect_fault("canonical-stack", VECTOR_SS, 0,
		     __asm__ volatile("mov %%rsp, %%rax; mov %0, %%rsp; pop %%rcx; mov %%rax, %%rsp"
				      : : "r"(NOT_CANONICAL) : "rax", "rcx"));
	expect_fault("canonical-jump", VECTOR_GP, 0, ((void (*)(void))NOT_CANONICAL)());
}
