// guest: 32
/*
 * PAE paging: the four PDPTEs are registers loaded with CR3, checked there; NX and reserved bits. (SDM "PAE Paging",
 * "PDPTE Registers") Oracles: Bochs, QEMU; what the PDPTEs are, Bochs only: TCG reads them from memory at each walk.
 */
#include "guests/lib/guest.h"

#define P 1u
#define W 2u
#define PS 0x80u
#define NX BIT(63)
#define CR0_PG 0x80000000u
#define CR4_PAE 0x20u
#define TEST 0x40000000u
#define MSR_EFER 0xc0000080u
#define EFER_NXE BIT(11)

static u64 pointers[4] ALIGNED(32), low[512] ALIGNED(4096), high[512] ALIGNED(4096), table[512] ALIGNED(4096);
static u32 frame[1024] ALIGNED(4096);
static volatile u32 *const test = (volatile u32 *)TEST;

static void map(u64 entry)
{
	table[0] = entry;
	invlpg((const void *)TEST);
}

CHECKS(pae)
{
	pointers[0] = (u32)low | P;
	pointers[1] = (u32)high | P;
	low[0] = P | W | PS;
	high[0] = (u32)table | P | W;
	frame[0] = 0xc3c3c3c3; /* RET */
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	write_cr4(CR4_PAE);
	write_cr3((u32)pointers);
	expect_none("pae-on", write_cr0(read_cr0() | CR0_PG));
	expect_fault("pae-not-present", VECTOR_PF, 0, *test);
	map((u32)frame | P | NX);
	check_equal("pae-read", *test, 0xc3c3c3c3);
	expect_fault("pae-nx", VECTOR_PF, 0x11, ((void (*)(void))TEST)());
	map((u32)frame | P);
	expect_none("pae-execute", ((void (*)(void))TEST)());
	map((u32)frame | P | BIT(51));
	expect_fault("pae-reserved-bit", VECTOR_PF, 9, *test);
	map((u32)frame | P);
	pointers[1] = 0;
	expect_none("pae-pdpte-kept-until-cr3", invlpg((const void *)TEST); *test);
	expect_fault("pae-pdpte-gone-with-cr3", VECTOR_PF, 0, write_cr3((u32)pointers); *test);
	pointers[1] = (u32)high | P | BIT(1);
	expect_fault("pae-pdpte-reserved-bit", VECTOR_GP, 0, write_cr3((u32)pointers));
	pointers[1] = 0;
	write_cr0(read_cr0() & ~CR0_PG);
	write_cr4(0);
	wrmsr(MSR_EFER, 0);
}
