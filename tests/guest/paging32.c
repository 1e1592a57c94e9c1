// guest: 32
/* 32-bit paging: accessed and dirty bits, error codes, 4 MiB pages, INVLPG. (SDM "32-Bit Paging", "Accessed and Dirty
 * Flags") Oracles: Bochs, QEMU. */
#include "guests/lib/guest.h"

#define P 1u
#define W 2u
#define A 0x20u
#define D 0x40u
#define PS 0x80u
#define CR0_PG 0x80000000u
#define CR0_WP 0x10000u
#define CR4_PSE 0x10u
#define TEST  0x40000000u

static u32 directory[1024] ALIGNED(4096), table[1024] ALIGNED(4096), frames[2][1024] ALIGNED(4096);
static volatile u32 *const test = (volatile u32 *)TEST;

static void map(u32 entry)
{
	table[0] = entry;
	invlpg((const void *)TEST);
}

CHECKS(paging32)
{
	directory[0] = P | W | PS;
	directory[TEST >> 22] = (u32)table | P | W;
	frames[0][0] = 11;
	frames[1][0] = 22;
	write_cr4(CR4_PSE);
	write_cr3((u32)directory);
	write_cr0(read_cr0() | CR0_PG | CR0_WP);
	expect_fault("p32-not-present", VECTOR_PF, 0, *test);
	check_equal("p32-cr2", fault.address, TEST);
	expect_fault("p32-not-present-write", VECTOR_PF, 2, test[5] = 1);
	check_equal("p32-cr2-offset", fault.address, TEST + 20);
	map((u32)frames[0] | P);
	check_equal("p32-read", *test, 11);
	check_equal("p32-read-sets-a", table[0] & (A | D), A);
	check("p32-walk-sets-a-in-directory", directory[TEST >> 22] & A);
	expect_fault("p32-write-protected", VECTOR_PF, 3, *test = 1);
	check("p32-fault-sets-no-d", !(table[0] & D));
	map((u32)frames[0] | P | W);
	expect_none("p32-write", *test = 33);
	check_equal("p32-write-sets-d", table[0] & (A | D), A | D);
	map((u32)frames[1] | P | W);
	check_equal("p32-remapped", *test, 22);
	write_cr3(read_cr3());
	directory[TEST >> 22] = ((u32)frames & ~0x3fffffu) | P | W | PS;
	write_cr3(read_cr3());
	check_equal("p32-large-page", test[((u32)frames & 0x3fffff) / 4], 33);
	check_equal("p32-large-page-a", directory[TEST >> 22] & (A | D), A);
	write_cr0(read_cr0() & ~(CR0_PG | CR0_WP));
}
