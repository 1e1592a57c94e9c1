#include "arch/x86_64/cpu/gdt.h"
#include "core/percpu.h"

/* SDM vol. 3 "64-Bit Task State Segment". */
struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 io_map;
} PACKED;

/* A core's own; percpu.arch points here. */
struct core_tables {
	u64 gdt[5];
	struct tss tss;
} ALIGNED(64);

struct table_register {
	u16 limit;
	u64 base;
} PACKED;

/* Flat segments, present, accessed; L set for code (SDM vol. 3 "Segment Descriptors"). */
#define DESCRIPTOR_CODE64 0x00af9b000000ffffull
#define DESCRIPTOR_DATA	  0x00cf93000000ffffull
#define TYPE_TSS_AVAILABLE 0x89ull /* with the present bit */

static struct core_tables tables[MAX_CORES];

static void fill_gdt(struct core_tables *core)
{
	u64 base = (u64)&core->tss, limit = sizeof(core->tss) - 1;

	core->gdt[HOST_CS / 8] = DESCRIPTOR_CODE64;
	core->gdt[HOST_DS / 8] = DESCRIPTOR_DATA;
	/* LTR marks the descriptor busy and refuses a busy one: it is written afresh each time. */
	core->gdt[HOST_TR / 8] =
	    limit | (base & BITS(23, 0)) << 16 | TYPE_TSS_AVAILABLE << 40 | (base & BITS(31, 24)) << 32;
	core->gdt[HOST_TR / 8 + 1] = base >> 32;
}

static u64 ist_entry(struct percpu *core, void *top)
{
	u64 *slot = (u64 *)top - 2; /* keeps the 16-byte alignment */

	*slot = (u64)core;
	return (u64)slot;
}

static void load_tables(const struct core_tables *core)
{
	struct table_register gdtr = {sizeof(core->gdt) - 1, (u64)core->gdt};

	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movw %w2, %%ss\n\t"
			 "movw %w2, %%ds\n\t"
			 "movw %w2, %%es\n\t"
			 "ltr %w3"
			 :
			 : "m"(gdtr), "i"(HOST_CS), "r"(HOST_DS), "r"(HOST_TR)
			 : "rax", "memory");
}

void gdt_init_core(struct percpu *core, const struct ist_stacks *stacks)
{
	struct core_tables *t = &tables[core->index];

	core->arch = t;
	t->tss.io_map = sizeof(t->tss); /* no bitmap: beyond the limit */
	t->tss.ist[IST_NMI - 1] = ist_entry(core, stacks->nmi);
	t->tss.ist[IST_DF - 1] = ist_entry(core, stacks->df);
	t->tss.ist[IST_MC - 1] = ist_entry(core, stacks->mc);
	fill_gdt(t);
	load_tables(t);
}

u64 cpu_gdt_base(void)
{
	struct core_tables *t = this_core()->arch;

	return (u64)t->gdt;
}

u64 cpu_tss_base(void)
{
	struct core_tables *t = this_core()->arch;

	return (u64)&t->tss;
}
