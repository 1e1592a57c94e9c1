/*
 * Every bit of CPUID that a guest may see (SDM vol. 2 "CPUID—CPU Identification"; APM vol. 3 "Obtaining Processor
 * Information Via the CPUID Instruction"). A feature stands here when it needs nothing of us, or when we give what it
 * needs; a missing line is a 0. Left out for what they would need: MONITOR, SMX, VMX, SVM, thermal and power
 * management, performance monitoring, debug store, MPX, TSX, SGX, CET, PT, AMX, LA57 and XSAVES. The local APIC with
 * x2APIC mode and the TSC-deadline timer is ours, whatever the processor has. IBRS and STIBP (leaf 7 EDX 26, 27) need
 * IA32_SPEC_CTRL switched at every entry, which no engine does yet.
 */
#include "vmm/cpuid_table.h"

#define ALL 0xffffffffu
#define B(n) (1u << (n))

#define LEAF1_ECX \
	(B(0) /* SSE3 */ | B(1) /* PCLMULQDQ */ | B(9) /* SSSE3 */ | B(12) /* FMA */ | B(13) /* CMPXCHG16B */ | \
	 B(17) /* PCID */ | B(19) /* SSE4.1 */ | B(20) /* SSE4.2 */ | B(22) /* MOVBE */ | B(23) /* POPCNT */ | \
	 B(25) /* AESNI */ | B(26) /* XSAVE */ | B(28) /* AVX */ | B(29) /* F16C */ | B(30) /* RDRAND */)

/* The bits that AMD repeats in 0x80000001 EDX. */
#define LEAF1_EDX_COMMON \
	(B(0) /* FPU */ | B(1) /* VME */ | B(2) /* DE */ | B(3) /* PSE */ | B(4) /* TSC */ | B(5) /* MSR */ | \
	 B(6) /* PAE */ | B(7) /* MCE */ | B(8) /* CX8 */ | B(12) /* MTRR */ | B(13) /* PGE */ | B(14) /* MCA */ | \
	 B(15) /* CMOV */ | B(16) /* PAT */ | B(17) /* PSE-36 */ | B(23) /* MMX */ | B(24) /* FXSR */)

#define LEAF1_EDX \
	(LEAF1_EDX_COMMON | B(11) /* SEP */ | B(19) /* CLFSH */ | B(25) /* SSE */ | B(26) /* SSE2 */ | B(27) /* SS */)

/* Bits 6 and 13 say how the x87 really behaves: FDP only on exceptions, FCS and FDS always 0. */
#define LEAF7_EBX \
	(B(0) /* FSGSBASE */ | B(1) /* TSC_ADJUST */ | B(3) /* BMI1 */ | B(5) /* AVX2 */ | B(6) | B(7) /* SMEP */ | \
	 B(8) /* BMI2 */ | B(9) /* ERMS */ | B(10) /* INVPCID */ | B(13) | B(16) /* AVX512F */ | B(17) /* DQ */ | \
	 B(18) /* RDSEED */ | B(19) /* ADX */ | B(20) /* SMAP */ | B(21) /* IFMA */ | B(23) /* CLFLUSHOPT */ | \
	 B(24) /* CLWB */ | B(28) /* AVX512CD */ | B(29) /* SHA */ | B(30) /* BW */ | B(31) /* VL */)

#define LEAF7_ECX \
	(B(1) /* VBMI */ | B(2) /* UMIP */ | B(3) /* PKU */ | B(6) /* VBMI2 */ | B(8) /* GFNI */ | B(9) /* VAES */ | \
	 B(10) /* VPCLMULQDQ */ | B(11) /* VNNI */ | B(12) /* BITALG */ | B(14) /* VPOPCNTDQ */ | B(22) /* RDPID */ | \
	 B(25) /* CLDEMOTE */ | B(27) /* MOVDIRI */ | B(28) /* MOVDIR64B */)

/* MD_CLEAR tells that VERW clears buffers, IA32_ARCH_CAPABILITIES which flaws the processor does not have. */
#define LEAF7_EDX \
	(B(2) /* 4VNNIW */ | B(3) /* 4FMAPS */ | B(4) /* FSRM */ | B(8) /* VP2INTERSECT */ | B(10) /* MD_CLEAR */ | \
	 B(14) /* SERIALIZE */ | B(29) /* ARCH_CAPABILITIES */)

/* Bits 10 to 12: fast zero-length REP MOVSB, fast short REP STOSB, fast short REP CMPSB. */
#define LEAF7_1_EAX (B(4) /* AVX-VNNI */ | B(5) /* BF16 */ | B(10) | B(11) | B(12))

#define EXT1_ECX \
	(B(0) /* LAHF */ | B(5) /* LZCNT */ | B(6) /* SSE4A */ | B(7) /* misaligned SSE */ | B(8) /* PREFETCHW */ | \
	 B(11) /* XOP */ | B(16) /* FMA4 */ | B(21) /* TBM */)

#define EXT1_EDX \
	(LEAF1_EDX_COMMON | B(11) /* SYSCALL */ | B(20) /* NX */ | B(22) /* MMXEXT */ | B(25) /* FFXSR */ | \
	 B(26) /* 1 GiB pages */ | B(27) /* RDTSCP */ | B(29) /* long mode */ | B(30) | B(31) /* 3DNow! */)

const struct cpuid_rule cpuid_rules[] = {
	{.leaf = 0x0, .shape = SHAPE_MAX_BASIC, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL},
	{.leaf = 0x1, .shape = SHAPE_FEATURES, .fixup = CPUID_FIX_FEATURES, .eax = 0x0fff3fff, .ebx = 0x0000ff00,
	 .ecx = LEAF1_ECX, .edx = LEAF1_EDX},
	{.leaf = 0x2, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL},
	{.leaf = 0x4, .count = 5, .shape = SHAPE_CACHE, .eax = 0x3ff, .ebx = ALL, .ecx = ALL, .edx = 7},
	{.leaf = 0x6, .shape = SHAPE_POWER},
	{.leaf = 0x7, .shape = SHAPE_MAX_SUBLEAF, .fixup = CPUID_FIX_OSPKE, .eax = ALL, .ebx = LEAF7_EBX,
	 .ecx = LEAF7_ECX, .edx = LEAF7_EDX},
	{.leaf = 0x7, .subleaf = 1, .eax = LEAF7_1_EAX},
	{.leaf = 0xb, .count = 3, .shape = SHAPE_TOPOLOGY, .fixup = CPUID_FIX_TOPOLOGY, .repeat = true},
	{.leaf = 0xd, .shape = SHAPE_XSAVE, .fixup = CPUID_FIX_XSAVE},
	{.leaf = 0xd, .subleaf = 1, .fixup = CPUID_FIX_XSAVEC,
	 .eax = B(0) /* XSAVEOPT */ | B(1) /* XSAVEC */ | B(2) /* XGETBV(1) */},
	{.leaf = 0xd, .subleaf = 2, .count = 8, .shape = SHAPE_XSAVE_COMPONENT, .eax = ALL, .ebx = ALL, .ecx = B(1)},
	{.leaf = 0x40000000, .shape = SHAPE_SIGNATURE},
	{.leaf = 0x40000001, .shape = SHAPE_ABI},
	{.leaf = 0x40000010, .shape = SHAPE_FREQUENCY},
	{.leaf = 0x40000100, .shape = SHAPE_KVM},
	{.leaf = 0x40000101, .shape = SHAPE_KVM_FEATURES},
	{.leaf = 0x80000000, .shape = SHAPE_MAX_EXTENDED, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL},
	{.leaf = 0x80000001, .eax = ALL, .ecx = EXT1_ECX, .edx = EXT1_EDX},
	{.leaf = 0x80000002, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL}, /* brand string */
	{.leaf = 0x80000003, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL},
	{.leaf = 0x80000004, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL},
	{.leaf = 0x80000005, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL}, /* AMD: caches and TLBs */
	{.leaf = 0x80000006, .eax = ALL, .ebx = ALL, .ecx = ALL, .edx = ALL},
	{.leaf = 0x80000007, .edx = B(8) /* invariant TSC */},
	{.leaf = 0x80000008, .shape = SHAPE_ADDRESS_SIZES, .eax = 0xffff,
	 .ebx = B(0) /* CLZERO */ | B(2) /* XSAVEERPTR */},
};
const u32 cpuid_rule_count = ARRAY_SIZE(cpuid_rules);
