/* The page tables of the paging lesson, 4-level paging, with NX. (SDM "4-Level Paging and 5-Level Paging") */
#include "guests/rings/rings.h"

#define PAGE_P	 1
#define PAGE_W	 2
#define PAGE_U	 4
#define PAGE_PS	 0x80
#define PAGE_NX	 BIT(63)
#define MSR_EFER 0xc0000080u
#define EFER_NXE BIT(11)

u8 page_code[4096] ALIGNED(4096), page_test[4096] ALIGNED(4096);
static u64 top[512] ALIGNED(4096), pointers[512] ALIGNED(4096), low[512] ALIGNED(4096), high[512] ALIGNED(4096),
	table[512] ALIGNED(4096);
static word cr3_before;

const struct page_kind page_kinds[] = {
	{"missing", 0},		       {"present", PAGE_P},
	{"present W", PAGE_P | PAGE_W}, {"present NX", PAGE_P | PAGE_NX},
	{"present U", PAGE_P | PAGE_U}, {"present U W", PAGE_P | PAGE_U | PAGE_W},
	{"present U NX", PAGE_P | PAGE_U | PAGE_NX}, {NULL, 0},
};

void maps_set(u64 bits)
{
	table[PAGE_TEST >> 12 & 511] = (u64)page_test | bits;
	invlpg((void *)PAGE_TEST);
}

void maps_start(void)
{
	cr3_before = read_cr3();
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	top[0] = (u64)pointers | PAGE_P | PAGE_W | PAGE_U;
	pointers[0] = (u64)low | PAGE_P | PAGE_W;
	for (u64 i = 0; i < 8; i++)
		low[i] = i << 21 | PAGE_P | PAGE_W | PAGE_PS; /* ourselves, for supervisors */
	pointers[PAGE_CODE >> 30] = (u64)high | PAGE_P | PAGE_W | PAGE_U;
	high[PAGE_CODE >> 21 & 511] = (u64)table | PAGE_P | PAGE_W | PAGE_U;
	table[PAGE_CODE >> 12 & 511] = (u64)page_code | PAGE_P;
	table[PAGE_CODE_USER >> 12 & 511] = (u64)page_code | PAGE_P | PAGE_U;
	write_cr3((u64)top);
}

void maps_stop(void)
{
	write_cr3(cr3_before);
}
