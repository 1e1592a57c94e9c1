/*
 * The page tables of the paging lesson, 32-bit paging: 4 KiB pages in a directory of 4 MiB ones. (SDM "32-Bit Paging")
 */
#include "guests/rings/rings.h"

#define PAGE_P	1
#define PAGE_W	2
#define PAGE_U	4
#define PAGE_PS 0x80
#define CR0_PG	0x80000000u
#define CR4_PSE 0x10u

u8 page_code[4096] ALIGNED(4096), page_test[4096] ALIGNED(4096);
static u32 directory[1024] ALIGNED(4096), table[1024] ALIGNED(4096);

const struct page_kind page_kinds[] = {
	{"missing", 0},		       {"present", PAGE_P},
	{"present W", PAGE_P | PAGE_W}, {"present U", PAGE_P | PAGE_U},
	{"present U W", PAGE_P | PAGE_U | PAGE_W}, {NULL, 0},
};

void maps_set(u64 bits)
{
	table[PAGE_TEST >> 12 & 1023] = (u32)page_test | (u32)bits;
	invlpg((void *)PAGE_TEST);
}

void maps_start(void)
{
	directory[0] = PAGE_P | PAGE_W | PAGE_PS; /* ourselves, for supervisors */
	directory[1] = 0x400000 | PAGE_P | PAGE_W | PAGE_PS;
	directory[PAGE_CODE >> 22] = (u32)table | PAGE_P | PAGE_W | PAGE_U;
	table[PAGE_CODE >> 12 & 1023] = (u32)page_code | PAGE_P;
	table[PAGE_CODE_USER >> 12 & 1023] = (u32)page_code | PAGE_P | PAGE_U;
	write_cr4(read_cr4() | CR4_PSE);
	write_cr3((u32)directory);
	write_cr0(read_cr0() | CR0_PG);
}

void maps_stop(void)
{
	write_cr0(read_cr0() & ~CR0_PG);
	write_cr4(read_cr4() & ~CR4_PSE);
}
