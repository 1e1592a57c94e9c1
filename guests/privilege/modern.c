/*
 * What came after the Pentium: bits that make the sensitive trap (UMIP, TSD), and instructions for kernels and
 * hypervisors.
 */
#include "guests/privilege/privilege.h"

#define FLAG_VIF  BIT(19)
#define DR7_GD	  0x2400u /* general detect, and the bit that is always set */
#define DR7_IDLE  0x400u

#define INSTRUCTION(name, text, ...)                                     \
	static word name(word ring UNUSED)                               \
	{                                                                \
		__asm__ volatile(text : : : "memory", "eax", "ecx", "edx" __VA_ARGS__); \
		return 0;                                                \
	}

static u64 line[8] ALIGNED(64);

INSTRUCTION(run_rdtsc, "rdtsc")
INSTRUCTION(run_rdtscp, "rdtscp")
INSTRUCTION(run_rdpmc, "xor %%ecx, %%ecx; rdpmc")
INSTRUCTION(run_cpuid, "xor %%eax, %%eax; cpuid", , "ebx")
INSTRUCTION(run_clac, "clac")
INSTRUCTION(run_stac, "stac; clac")
INSTRUCTION(run_rdpkru, "xor %%ecx, %%ecx; rdpkru")
INSTRUCTION(run_vmcall, "mov $5000, %%eax; vmcall")
INSTRUCTION(run_vmmcall, "mov $5000, %%eax; vmmcall")
INSTRUCTION(run_pause, "pause")
INSTRUCTION(run_rdrand, "rdrand %%eax")
INSTRUCTION(run_vmxoff, "vmxoff")
INSTRUCTION(run_clgi, "clgi")
INSTRUCTION(run_wbnoinvd, "wbnoinvd")
INSTRUCTION(run_mov_dr4, "mov %%dr4, %%" ACCUMULATOR)

static word run_xgetbv(word ring UNUSED)
{
	return (word)xgetbv(0);
}

static word run_xsetbv(word ring UNUSED)
{
	xsetbv(0, 1);
	return 0;
}

static word run_invpcid(word ring UNUSED)
{
	static const u64 everything[2];

	__asm__ volatile("invpcid %0, %1" : : "m"(everything), "r"((word)2) : "memory");
	return 0;
}

static word run_monitor(word ring UNUSED)
{
	__asm__ volatile("monitor" : : "a"(line), "c"(0), "d"(0) : "memory");
	return 0;
}

/* Woken by the alarm; interrupts are on only where MWAIT is allowed, right before it. */
static word run_mwait(word ring)
{
	if (ring)
		__asm__ volatile("mwait" : : "a"(0), "c"(0) : "memory");
	else
		__asm__ volatile("monitor; xor %%eax, %%eax; sti; mwait; cli" : : "a"(line), "c"(0), "d"(0) : "memory");
	return 0;
}

/* Any MOV of a debug register while DR7.GD is set: #DB before it, for debuggers that guard theirs. */
static word run_dr_guarded(word ring)
{
	if (!ring)
		write_dr7(DR7_GD);
	read_dr0();
	return 0;
}

/* With CR4.PVI and IOPL < 3, ring 3 has an IF of its own: VIF. (SDM "Protected-Mode Virtual Interrupts") */
static word run_sti_pvi(word ring)
{
	word flags;

	__asm__ volatile("sti; pushf; pop %0; cli" : "=r"(flags) : : "memory");
	return ring ? flags & FLAG_VIF : 0;
}

static word run_cli_pvi(word ring)
{
	word flags;

	__asm__ volatile("cli; pushf; pop %0" : "=r"(flags) : : "memory");
	return ring ? flags & FLAG_VIF : 0;
}

const struct row modern_rows[] = {
	ROW("SGDT, CR4.UMIP = 1", run_sgdt, "GDTR/IDTR (46), if set", "GDTR read (0x67)", .feature = FEATURE(7, ECX, 2),
	    .cr4 = CR4_UMIP),
	ROW("SIDT, CR4.UMIP = 1", run_sidt, "GDTR/IDTR (46), if set", "IDTR read (0x66)", .feature = FEATURE(7, ECX, 2),
	    .cr4 = CR4_UMIP),
	ROW("SLDT, CR4.UMIP = 1", run_sldt, "LDTR/TR (47), if set", "LDTR read (0x68)", .feature = FEATURE(7, ECX, 2),
	    .cr4 = CR4_UMIP),
	ROW("STR, CR4.UMIP = 1", run_str, "LDTR/TR (47), if set", "TR read (0x69)", .feature = FEATURE(7, ECX, 2),
	    .cr4 = CR4_UMIP),
	ROW("SMSW, CR4.UMIP = 1", run_smsw, "never", "CR0 read (0x00)", .feature = FEATURE(7, ECX, 2), .cr4 = CR4_UMIP),
	ROW("RDTSC", run_rdtsc, "RDTSC (16), if set", "RDTSC (0x6e)", .hidden = true),
	ROW("RDTSC, CR4.TSD = 1", run_rdtsc, "RDTSC (16), if set", "RDTSC (0x6e)", .cr4 = CR4_TSD, .hidden = true),
	ROW("RDTSCP, CR4.TSD = 1", run_rdtscp, "RDTSCP (51), if set", "RDTSCP (0x87)",
	    .feature = FEATURE(0x80000001, EDX, 27), .cr4 = CR4_TSD, .hidden = true),
	ROW("RDPMC", run_rdpmc, "RDPMC (15), if set", "RDPMC (0x6f)", .hidden = true),
	ROW("RDPMC, CR4.PCE = 1", run_rdpmc, "RDPMC (15), if set", "RDPMC (0x6f)", .cr4 = CR4_PCE, .hidden = true),
	ROW("MOV DR0, DR7.GD = 1", run_dr_guarded, "MOV DR (29), if set", "DR0 read (0x20)"),
	ROW("MOV DR4, CR4.DE = 1", run_mov_dr4, "MOV DR (29), if set", "DR4 read (0x24)", .cr4 = CR4_DE),
	ROW("STI, CR4.PVI = 1", run_sti_pvi, "never", "never", .feature = FEATURE(1, EDX, 1), .cr4 = CR4_PVI),
	ROW("CLI, CR4.PVI = 1", run_cli_pvi, "never", "never", .feature = FEATURE(1, EDX, 1), .cr4 = CR4_PVI),
	ROW("XGETBV", run_xgetbv, "never", "never", .feature = FEATURE(1, ECX, 26), .cr4 = CR4_OSXSAVE),
	ROW("XSETBV", run_xsetbv, "XSETBV (55), always", "XSETBV (0x8d)", .feature = FEATURE(1, ECX, 26),
	    .cr4 = CR4_OSXSAVE),
	ROW("MONITOR", run_monitor, "MONITOR (39), if set", "MONITOR (0x8a)", .feature = FEATURE(1, ECX, 3)),
	ROW("MWAIT", run_mwait, "MWAIT (36), if set", "MWAIT (0x8b)", .feature = FEATURE(1, ECX, 3), .sleeps = true),
	ROW("INVPCID", run_invpcid, "INVPCID (58), if set", "INVPCID (0xa2)", .feature = FEATURE(7, EBX, 10)),
	ROW("CLAC", run_clac, "never", "never", .feature = FEATURE(7, EBX, 20)),
	ROW("STAC", run_stac, "never", "never", .feature = FEATURE(7, EBX, 20)),
	ROW("RDPKRU, CR4.PKE = 1", run_rdpkru, "never", "never", .feature = FEATURE(7, ECX, 3), .cr4 = CR4_PKE),
	ROW("CPUID", run_cpuid, "CPUID (10), always", "CPUID (0x72)"),
	ROW("PAUSE", run_pause, "PAUSE (40), if set", "PAUSE (0x77)"),
	ROW("RDRAND", run_rdrand, "RDRAND (57), if set", "never", .feature = FEATURE(1, ECX, 30)),
	ROW("WBNOINVD", run_wbnoinvd, "WBINVD (54), if set", "WBINVD (0x89)", .feature = FEATURE(0x80000008, EBX, 9)),
	ROW("VMCALL", run_vmcall, "VMCALL (18), always", "never (#UD)"),
	ROW("VMMCALL", run_vmmcall, "never (#UD)", "VMMCALL (0x81)"),
	ROW("VMXOFF", run_vmxoff, "VMXOFF (26), CR4.VMXE = 1", "never (#UD)"),
	ROW("CLGI, EFER.SVME = 0", run_clgi, "never (#UD)", "never (#UD)"),
	{.name = NULL},
};
