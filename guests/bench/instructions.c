/* Operations that are one instruction. */
#include "guests/bench/bench.h"

#define MSR_APIC_BASE	 0x1bu
#define MSR_MISC_ENABLE	 0x1a0u
#define MSR_TSC_DEADLINE 0x6e0u
#define MSR_X2APIC_EOI	 0x80bu
#define MSR_X2APIC_TMCCT 0x839u
#define CR4_OSXSAVE	 BIT(18)
#define FAR		 (1ull << 40) /* ticks: not while we run */
#define PIC_MASK	 0x21
#define PIT_0		 0x40
#define COM1_SCRATCH	 0x3ff

static u64 eax_edx; /* what goes into EDX:EAX; the sampler's argument goes into RCX */

/* Set-up and instruction between two RDTSC; the same set-up without an instruction is what is taken off. */
#define SAMPLER(name, instruction)                                                                                    \
	static u32 name(u64 argument)                                                                                 \
	{                                                                                                             \
		u32 ticks;                                                                                            \
		__asm__ volatile("rdtsc; mov %%eax, %%r11d; mov %1, %%rcx; mov %k2, %%eax; mov %k3, %%edx\n"          \
				 instruction "\nrdtsc; sub %%r11d, %%eax"                                             \
				 : "=&a"(ticks)                                                                       \
				 : "r"(argument), "r"(eax_edx), "r"(eax_edx >> 32)                                    \
				 : "rbx", "rcx", "rdx", "r11", "memory", "cc");                                       \
		return ticks;                                                                                         \
	}
SAMPLER(empty, "")
SAMPLER(do_cpuid, "cpuid")
SAMPLER(do_vmcall, "vmcall")
SAMPLER(do_vmmcall, "vmmcall")
SAMPLER(do_rdmsr, "rdmsr")
SAMPLER(do_wrmsr, "wrmsr")
SAMPLER(do_wbinvd, "wbinvd")
SAMPLER(do_xsetbv, "xsetbv")
SAMPLER(do_in, "in %%dx, %%al")
SAMPLER(do_out, "out %%al, %%dx")

static void measure(const char *operation, sampler full, u64 ecx, u32 eax, u32 edx)
{
	eax_edx = (u64)edx << 32 | eax;
	row(operation, full, empty, ecx);
}

static void measure_msrs(void)
{
	u64 misc;

	measure("rdmsr_apic_base", do_rdmsr, MSR_APIC_BASE, 0, 0);
	CATCH(rdmsr(MSR_MISC_ENABLE));
	if (fault.taken) {
		no_row("rdmsr_misc_enable", "no IA32_MISC_ENABLE");
		return;
	}
	misc = rdmsr(MSR_MISC_ENABLE);
	measure("rdmsr_misc_enable", do_rdmsr, MSR_MISC_ENABLE, 0, 0);
	measure("wrmsr_misc_enable", do_wrmsr, MSR_MISC_ENABLE, (u32)misc, (u32)(misc >> 32));
}

/* x2APIC mode, once on, stays on. */
static void measure_x2apic(void)
{
	u32 features = cpuid(1, 0).ecx;
	u64 deadline;

	if (!apic_there() || !(features & CPUID1_ECX_X2APIC)) {
		no_row("x2apic_eoi_write", "no x2APIC");
		no_row("x2apic_tmcct_read", "no x2APIC");
		no_row("wrmsr_tsc_deadline_far", "no x2APIC");
		return;
	}
	x2apic_enable();
	measure("x2apic_eoi_write", do_wrmsr, MSR_X2APIC_EOI, 0, 0);
	measure("x2apic_tmcct_read", do_rdmsr, MSR_X2APIC_TMCCT, 0, 0);
	if (!(features & CPUID1_ECX_DEADLINE)) {
		no_row("wrmsr_tsc_deadline_far", "no TSC-deadline timer");
		return;
	}
	x2apic_timer_deadline(0xf0, true);
	deadline = rdtsc() + FAR;
	measure("wrmsr_tsc_deadline_far", do_wrmsr, MSR_TSC_DEADLINE, (u32)deadline, (u32)(deadline >> 32));
	wrmsr(MSR_TSC_DEADLINE, 0);
}

static void measure_ports(void)
{
	if (timer_there()) {
		measure("in_0x21_pic", do_in, 0, 0, PIC_MASK);
		measure("out_0x21_pic", do_out, 0, 0xff, PIC_MASK);
		measure("in_0x40_pit", do_in, 0, 0, PIT_0);
	} else {
		no_row("in_0x21_pic", "no PIC");
		no_row("out_0x21_pic", "no PIC");
		no_row("in_0x40_pit", "no PIT");
	}
	if (com1_there()) {
		measure("out_port_to_device_model", do_out, 0, 0x5a, COM1_SCRATCH);
		measure("in_port_to_device_model", do_in, 0, 0, COM1_SCRATCH);
	} else {
		no_row("out_port_to_device_model", "no UART");
		no_row("in_port_to_device_model", "no UART");
	}
}

void bench_instructions(void)
{
	measure("cpuid_leaf_0", do_cpuid, 0, 0, 0);
	measure("cpuid_leaf_1", do_cpuid, 0, 1, 0);
	measure("cpuid_leaf_7", do_cpuid, 0, 7, 0);
	if (on_trivisor())
		measure("vmcall_cheap", uses_vmmcall() ? do_vmmcall : do_vmcall, 0, HYPERCALL_VERSION, 0);
	else
		no_row("vmcall_cheap", "no Trivisor under us");
	measure_msrs();
	measure_x2apic();
	measure_ports();
	measure("wbinvd", do_wbinvd, 0, 0, 0);
	if (cpuid(1, 0).ecx & CPUID1_ECX_XSAVE) {
		write_cr4(read_cr4() | CR4_OSXSAVE);
		measure("xsetbv", do_xsetbv, 0, 1, 0);
	} else {
		no_row("xsetbv", "no XSAVE");
	}
}
