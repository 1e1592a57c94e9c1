#include "arch/x86_64/cpu/trampoline.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/mmu/root.h"
#include "boot/boot_info.h"
#include "lib/string.h"

#define PARAMETERS 0x800u /* trampoline.asm */
#define LOW_LIMIT  0x100000ull

enum { STATE_IDLE, STATE_WAITING, STATE_CLAIMED }; /* trampoline.asm */

/* As trampoline.asm's `parameter`. */
struct parameters {
	u64 gdt[4];
	u16 pad0;
	u16 gdtr_limit;
	u32 gdtr_base;
	u32 protected_ip;
	u16 protected_cs, pad1;
	u32 long_ip;
	u16 long_cs, pad2;
	u32 pml4;
	u32 clear_xd_disable;
	u32 efer;
	u32 apic_id;
	u32 has_leaf_b;
	u32 state; /* atomic: both sides */
	u32 index;
	u32 pad3;
	u64 stack_top;
	u64 cr3;
	u64 entry;
};
_Static_assert(offsetof(struct parameters, gdtr_limit) == 34 && offsetof(struct parameters, entry) == 104,
	       "trampoline.asm");

#define CS_PROTECTED 0x08
#define CS_LONG	     0x18
#define DESCRIPTOR_CODE32 0x00cf9b000000ffffull
#define DESCRIPTOR_DATA	  0x00cf93000000ffffull
#define DESCRIPTOR_CODE64 0x00af9b000000ffffull

/* Pages of the area after the code. */
enum { PAGE_PML4 = 1, PAGE_PDPT, PAGE_PD, PAGE_PT };

#define ENTRY_TABLE (BIT(0) | BIT(1)) /* present, writable */
#define SHARED_FIRST 256u	      /* PML4 slots from here are the base root's */
#define ENTRIES	     512u

#define XD_DISABLE BIT(34)

extern const u8 trampoline_start[], trampoline_end[];
extern const u32 trampoline_protected_offset, trampoline_long_offset;
extern const u8 smp_entry[];

static struct parameters *parameters;

/*
 * The identity mapping of the code page, and our own upper half, so that the core can go straight to its stack and the
 * image.
 */
static void fill_tables(u8 *area, paddr_t pa)
{
	u64 *pml4 = (u64 *)(area + PAGE_PML4 * PAGE_SIZE);

	memset(pml4, 0, (BOOT_TRAMPOLINE_PAGES - 1) * PAGE_SIZE);
	memcpy(pml4 + SHARED_FIRST, (const u64 *)base_root.pt.root + SHARED_FIRST,
	       (ENTRIES - SHARED_FIRST) * sizeof(u64));
	pml4[0] = (pa + PAGE_PDPT * PAGE_SIZE) | ENTRY_TABLE;
	*(u64 *)(area + PAGE_PDPT * PAGE_SIZE) = (pa + PAGE_PD * PAGE_SIZE) | ENTRY_TABLE;
	*(u64 *)(area + PAGE_PD * PAGE_SIZE) = (pa + PAGE_PT * PAGE_SIZE) | ENTRY_TABLE;
	((u64 *)(area + PAGE_PT * PAGE_SIZE))[pa >> PAGE_SHIFT] = pa | ENTRY_TABLE;
}

/* Whether NX was had only because the boot core's IA32_MISC_ENABLE allows it: Intel, family 6 and above. */
static bool must_clear_xd_disable(void)
{
	struct cpuid_leaf leaf = cpuid(0, 0);

	return leaf.ebx == 0x756e6547 /* "Genu" ineIntel */ && (cpuid(1, 0).eax >> 8 & 0xf) >= 6 &&
	       !(rdmsr(MSR_MISC_ENABLE) & XD_DISABLE);
}

static void fill_parameters(paddr_t pa)
{
	u32 base = (u32)pa;

	*parameters = (struct parameters){
		.gdt = {0, DESCRIPTOR_CODE32, DESCRIPTOR_DATA, DESCRIPTOR_CODE64},
		.gdtr_limit = sizeof(parameters->gdt) - 1,
		.gdtr_base = base + PARAMETERS,
		.protected_ip = base + trampoline_protected_offset,
		.protected_cs = CS_PROTECTED,
		.long_ip = base + trampoline_long_offset,
		.long_cs = CS_LONG,
		.pml4 = base + PAGE_PML4 * (u32)PAGE_SIZE,
		.clear_xd_disable = must_clear_xd_disable(),
		.efer = (u32)(rdmsr(MSR_EFER) & (EFER_LME | EFER_NXE)),
		.has_leaf_b = cpuid(0, 0).eax >= 0xb && cpuid(0xb, 0).ebx != 0,
		.cr3 = base_root.cr3,
		.entry = (u64)smp_entry,
	};
}

int trampoline_prepare(paddr_t pa, u32 size)
{
	u8 *area;

	if (pa == 0 || (pa & (PAGE_SIZE - 1)) || size < BOOT_TRAMPOLINE_PAGES * PAGE_SIZE || pa + size > LOW_LIMIT)
		return ERR_INVALID;
	area = map_device(pa, BOOT_TRAMPOLINE_PAGES * PAGE_SIZE, CACHE_WB);
	if (!area)
		return ERR_MEMORY;
	memcpy(area, trampoline_start, (size_t)(trampoline_end - trampoline_start));
	parameters = (struct parameters *)(area + PARAMETERS);
	fill_parameters(pa);
	fill_tables(area, pa);
	return OK;
}

void trampoline_offer(u32 apic_id, u32 index, u64 stack_top)
{
	parameters->apic_id = apic_id;
	parameters->index = index;
	parameters->stack_top = stack_top;
	__atomic_store_n(&parameters->state, STATE_WAITING, __ATOMIC_RELEASE);
}

bool trampoline_claimed(void)
{
	return __atomic_load_n(&parameters->state, __ATOMIC_ACQUIRE) == STATE_CLAIMED;
}

bool trampoline_withdraw(void)
{
	u32 expected = STATE_WAITING;

	return __atomic_compare_exchange_n(&parameters->state, &expected, STATE_IDLE, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}
