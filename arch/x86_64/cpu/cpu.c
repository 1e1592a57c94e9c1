#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/gdt.h"
#include "arch/x86_64/cpu/idt.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/machine_check.h"
#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/cpu/stop.h"
#include "arch/x86_64/mmu/root.h"
#include "core/panic.h"

#define CPUID7_ECX_CET_SS  BIT(7)
#define CPUID7_EDX_CET_IBT BIT(20)
#define CPUID7_EBX_SMEP	   BIT(7)
#define CPUID7_EBX_SMAP	   BIT(20)
#define CPUID7_ECX_UMIP	   BIT(2)
#define CPUID_NX_EDX	   BIT(20)

/* The boot core's IST stacks until the guarded ones are mapped. */
#define BOOT_IST_SIZE 8192
static u8 boot_ist[3][BOOT_IST_SIZE] ALIGNED(16);

static void load_gs(struct percpu *core)
{
	/* Loading a selector clears the base, so that comes first. */
	__asm__ volatile("movw %w0, %%fs; movw %w0, %%gs" : : "r"(0));
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_GS_BASE, (u64)core);
}

/* This very core's leaf 7: hybrid cores differ, and what a core has is turned on there. */
static struct cpuid_leaf leaf7(void)
{
	struct cpuid_leaf zero = {0, 0, 0, 0};

	return cpuid(0, 0).eax >= 7 ? cpuid(7, 0) : zero;
}

static void leave_cet(void)
{
	struct cpuid_leaf leaf = leaf7();

	if (!(leaf.ecx & CPUID7_ECX_CET_SS) && !(leaf.edx & CPUID7_EDX_CET_IBT))
		return;
	write_cr4(read_cr4() & ~CR4_CET);
	wrmsr(MSR_S_CET, 0);
}

static void set_control_registers(void)
{
	struct cpuid_leaf leaf = leaf7();
	u64 cr4 = CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	leave_cet();
	if (leaf.ebx & CPUID7_EBX_SMEP)
		cr4 |= CR4_SMEP;
	if (leaf.ebx & CPUID7_EBX_SMAP)
		cr4 |= CR4_SMAP;
	if (leaf.ecx & CPUID7_ECX_UMIP)
		cr4 |= CR4_UMIP;
	write_cr0(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
	/* Everything else is off: PCIDE, PKE, LA57 (the loader sees to that) and what firmware may have liked. */
	write_cr4(cr4);
}

static void set_efer(void)
{
	u64 efer = rdmsr(MSR_EFER) | EFER_SCE;

	if (cpuid(0x80000000u, 0).eax >= 0x80000001u && (cpuid(0x80000001u, 0).edx & CPUID_NX_EDX))
		efer |= EFER_NXE;
	wrmsr(MSR_EFER, efer);
}

/*
 * Our PAT (SDM vol. 3 "Programming the PAT"). No mapping uses an entry whose meaning changes, so caches and TLBs need
 * emptying only for what was fetched ahead.
 */
static void set_pat(void)
{
	u64 cr4 = read_cr4();

	wbinvd();
	wrmsr(MSR_PAT, HOST_PAT);
	wbinvd();
	write_cr4(cr4 & ~CR4_PGE);
	write_cr4(cr4);
}

static struct ist_stacks mapped_stacks(u32 index)
{
	struct ist_stacks stacks = {map_stack(index, STACK_NMI), map_stack(index, STACK_DF),
				    map_stack(index, STACK_MC)};

	if (!stacks.nmi || !stacks.df || !stacks.mc)
		panic("no memory for the stacks of core %u", index);
	return stacks;
}

static struct ist_stacks boot_stacks(void)
{
	return (struct ist_stacks){boot_ist[0] + BOOT_IST_SIZE, boot_ist[1] + BOOT_IST_SIZE,
				   boot_ist[2] + BOOT_IST_SIZE};
}

void cpu_init_core(u32 index)
{
	struct percpu *core = &percpu_table[index];
	struct ist_stacks stacks;

	core->self = core;
	core->index = index;
	load_gs(core);
	stacks = index == 0 ? boot_stacks() : mapped_stacks(index);
	gdt_init_core(core, &stacks);
	idt_load();
	if (index == 0)
		stop_register();
	set_control_registers();
	set_efer();
	set_pat();
	features_collect();
	machine_check_init_core();
	if (index == 0) {
		core_count = 1;
		__atomic_store_n(&core->online, true, __ATOMIC_RELEASE);
	}
}

/* entry.asm */
NORETURN void cpu_run_on(void *stack_top, void (*main)(void));

void cpu_leave_boot_stack(void (*main)(void))
{
	struct percpu *core = this_core();
	struct ist_stacks stacks = mapped_stacks(core->index);
	void *top = map_stack(core->index, STACK_NORMAL);

	if (!top)
		panic("no memory for the stack of core %u", core->index);
	gdt_init_core(core, &stacks);
	core->stack_top = (u64)top;
	cpu_run_on(top, main);
}
