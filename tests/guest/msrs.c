// guest: 64
/*
 * Model-specific registers that every guest owns: they keep what is written, and start as after a reset. (SDM
 * "Model-Specific Registers (MSRs)") Oracles: Bochs, QEMU.
 */
#include "guests/lib/guest.h"

static const struct {
	const char *name;
	u32 msr;
	u64 value;
} kept[] = {
	{"msr-sysenter-cs", 0x174, 0x58},	    {"msr-sysenter-esp", 0x175, 0xffff800000001000},
	{"msr-sysenter-eip", 0x176, 0x7fffffffffff}, {"msr-star", 0xc0000081, 0x001b000812345678},
	{"msr-lstar", 0xc0000082, 0xffffffff81000000}, {"msr-cstar", 0xc0000083, 0xffffffff82000000},
	{"msr-fmask", 0xc0000084, 0x47700},	    {"msr-kernel-gs-base", 0xc0000102, 0xffff888000000000},
	{"msr-gs-base", 0xc0000101, 0x123456789000},
};

#define MSR_GS_BASE 0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_TSC_AUX 0xc0000103u
#define CPUID81_RDTSCP BIT(27)
#define MSR_PAT	    0x277u
#define PAT_RESET   0x0007040600070406ull
#define MSR_TSC	    0x10u
#define MSR_APIC_BASE 0x1bu
#define APIC_BASE_BSP BIT(8)
#define MSR_FS_BASE 0xc0000100u

/* Whoever else runs on the core has others in them, or none. */
static void check_that_they_stay(void)
{
	u32 different = 0;

	for (u32 i = 0; i < ARRAY_SIZE(kept); i++)
		wrmsr(kept[i].msr, kept[i].value);
	let_others_run();
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++) {
		different += rdmsr(kept[i].msr) != kept[i].value;
		wrmsr(kept[i].msr, 0);
	}
	check_equal("msrs-stay", different, 0);
}

/* No write of an MSR changes this one. */
static void check_swapgs(void)
{
	wrmsr(MSR_GS_BASE, 0x1000);
	wrmsr(MSR_KERNEL_GS_BASE, 0x2000);
	__asm__ volatile("swapgs");
	let_others_run();
	check_equal("swapgs-stays", rdmsr(MSR_KERNEL_GS_BASE), 0x1000);
	check_equal("swapgs-gs-base", rdmsr(MSR_GS_BASE), 0x2000);
	wrmsr(MSR_GS_BASE, 0);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
}

static void check_tsc_aux(void)
{
	u32 aux;

	if (!(cpuid(0x80000001, 0).edx & CPUID81_RDTSCP)) {
		check_skip("msr-tsc-aux", "this CPU has no RDTSCP");
		return;
	}
	wrmsr(MSR_TSC_AUX, 0x5a5a1234);
	__asm__ volatile("rdtscp" : "=c"(aux) : : "eax", "edx");
	check_equal("msr-tsc-aux", aux, 0x5a5a1234);
	let_others_run();
	__asm__ volatile("rdtscp" : "=c"(aux) : : "eax", "edx");
	check_equal("msr-tsc-aux-stays", aux, 0x5a5a1234);
	wrmsr(MSR_TSC_AUX, 0);
}

CHECKS(msrs)
{
	u64 fs, tsc;

	check_equal("msr-pat-at-reset", rdmsr(MSR_PAT), PAT_RESET);
	check("msr-apic-base-bsp", rdmsr(MSR_APIC_BASE) & APIC_BASE_BSP);
	for (u32 i = 0; i < ARRAY_SIZE(kept); i++) {
		wrmsr(kept[i].msr, kept[i].value);
		check_equal(kept[i].name, rdmsr(kept[i].msr), kept[i].value);
		wrmsr(kept[i].msr, 0);
	}
	check_that_they_stay();
	check_swapgs();
	check_tsc_aux();
	wrmsr(MSR_FS_BASE, (word)&kept);
	__asm__ volatile("mov %%fs:0, %0" : "=r"(fs));
	check_equal("msr-fs-base-used", fs, *(const u64 *)(const void *)&kept);
	wrmsr(MSR_FS_BASE, 0);
	wrmsr(MSR_PAT, PAT_RESET ^ 1ull << 24);
	check_equal("msr-pat-kept", rdmsr(MSR_PAT), PAT_RESET ^ 1ull << 24);
	wrmsr(MSR_PAT, PAT_RESET);
	tsc = rdmsr(MSR_TSC);
	check("msr-tsc-goes", rdmsr(MSR_TSC) > tsc);
}
