/*
 * Architectural register bits, by the SDM's names (SDM vol. 3 "Control Registers", "EFLAGS"; vol. 4 for the MSRs).
 * Pure.
 */
#ifndef ARCH_CPU_REGS_H
#define ARCH_CPU_REGS_H

#include "lib/types.h"

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME	       BIT(0)
#define CR4_PVI	       BIT(1)
#define CR4_TSD	       BIT(2)
#define CR4_DE	       BIT(3)
#define CR4_PSE	       BIT(4)
#define CR4_PAE	       BIT(5)
#define CR4_MCE	       BIT(6)
#define CR4_PGE	       BIT(7)
#define CR4_PCE	       BIT(8)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_LA57       BIT(12)
#define CR4_VMXE       BIT(13)
#define CR4_SMXE       BIT(14)
#define CR4_FSGSBASE   BIT(16)
#define CR4_PCIDE      BIT(17)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)
#define CR4_PKE	       BIT(22)
#define CR4_CET	       BIT(23)
#define CR4_PKS	       BIT(24)

/* What translation depends on beside CR3 and EFER (SDM "Paging Modes and Control Bits"). WP is about writes alone. */
#define CR0_PAGING CR0_PG
#define CR4_PAGING (CR4_PSE | CR4_PAE | CR4_LA57 | CR4_SMEP | CR4_SMAP | CR4_PKE)

#define RFLAGS_CF   BIT(0)
#define RFLAGS_ONE  BIT(1) /* reads as 1 */
#define RFLAGS_PF   BIT(2)
#define RFLAGS_AF   BIT(4)
#define RFLAGS_ZF   BIT(6)
#define RFLAGS_SF   BIT(7)
#define RFLAGS_TF   BIT(8)
#define RFLAGS_IF   BIT(9)
#define RFLAGS_DF   BIT(10)
#define RFLAGS_OF   BIT(11)
#define RFLAGS_IOPL BITS(13, 12)
#define RFLAGS_NT   BIT(14)
#define RFLAGS_RF   BIT(16)
#define RFLAGS_VM   BIT(17)
#define RFLAGS_AC   BIT(18)
#define RFLAGS_VIF  BIT(19)
#define RFLAGS_VIP  BIT(20)
#define RFLAGS_ID   BIT(21)

#define EFER_SCE   BIT(0)
#define EFER_LME   BIT(8)
#define EFER_LMA   BIT(10)
#define EFER_NXE   BIT(11)
#define EFER_SVME  BIT(12)
#define EFER_LMSLE BIT(13)
#define EFER_FFXSR BIT(14)

#define DEBUGCTL_LBR BIT(0)
#define DEBUGCTL_BTF BIT(1)

#define DR6_RESERVED_ONES 0xffff0ff0ull
#define DR6_BD		  BIT(13)
#define DR6_BS		  BIT(14)
#define DR6_BT		  BIT(15)
#define DR7_RESERVED_ONES BIT(10)
#define DR7_GD		  BIT(13)

#define XCR0_X87    BIT(0)
#define XCR0_SSE    BIT(1)
#define XCR0_AVX    BIT(2)
#define XCR0_BNDREG BIT(3)
#define XCR0_BNDCSR BIT(4)
#define XCR0_OPMASK BIT(5)
#define XCR0_ZMM_HI BIT(6)
#define XCR0_HI_ZMM BIT(7)
#define XCR0_PKRU   BIT(9)

/* Exception vectors (SDM "Exception and Interrupt Reference"). */
enum vector {
	VECTOR_DE = 0,
	VECTOR_DB = 1,
	VECTOR_NMI = 2,
	VECTOR_BP = 3,
	VECTOR_OF = 4,
	VECTOR_BR = 5,
	VECTOR_UD = 6,
	VECTOR_NM = 7,
	VECTOR_DF = 8,
	VECTOR_TS = 10,
	VECTOR_NP = 11,
	VECTOR_SS = 12,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	VECTOR_MF = 16,
	VECTOR_AC = 17,
	VECTOR_MC = 18,
	VECTOR_XM = 19,
	VECTOR_VE = 20,
	VECTOR_CP = 21,
};

/* Page-fault error code bits. */
#define PF_PRESENT BIT(0)
#define PF_WRITE   BIT(1)
#define PF_USER	   BIT(2)
#define PF_RSVD	   BIT(3)
#define PF_FETCH   BIT(4)

#define MSR_TSC			 0x10
#define MSR_PLATFORM_ID		 0x17
#define MSR_APIC_BASE		 0x1b
#define MSR_FEATURE_CONTROL	 0x3a
#define MSR_TSC_ADJUST		 0x3b
#define MSR_SPEC_CTRL		 0x48
#define MSR_PRED_CMD		 0x49
#define MSR_BIOS_SIGN_ID	 0x8b
#define MSR_MTRRCAP		 0xfe
#define MSR_ARCH_CAPABILITIES	 0x10a
#define MSR_FLUSH_CMD		 0x10b
#define MSR_SYSENTER_CS		 0x174
#define MSR_SYSENTER_ESP	 0x175
#define MSR_SYSENTER_EIP	 0x176
#define MSR_MCG_CAP		 0x179
#define MSR_MCG_STATUS		 0x17a
#define MSR_MISC_ENABLE		 0x1a0
#define MSR_DEBUGCTL		 0x1d9
#define MSR_MTRR_PHYSBASE0	 0x200
#define MSR_MTRR_PHYSMASK0	 0x201
#define MSR_MTRR_FIX64K_00000	 0x250
#define MSR_MTRR_FIX16K_80000	 0x258
#define MSR_MTRR_FIX16K_A0000	 0x259
#define MSR_MTRR_FIX4K_C0000	 0x268
#define MSR_PAT			 0x277
#define MSR_MTRR_DEF_TYPE	 0x2ff
#define MSR_PERF_GLOBAL_CTRL	 0x38f
#define MSR_VMX_BASIC		 0x480
#define MSR_VMX_PINBASED_CTLS	 0x481
#define MSR_VMX_PROCBASED_CTLS	 0x482
#define MSR_VMX_EXIT_CTLS	 0x483
#define MSR_VMX_ENTRY_CTLS	 0x484
#define MSR_VMX_MISC		 0x485
#define MSR_VMX_CR0_FIXED0	 0x486
#define MSR_VMX_CR0_FIXED1	 0x487
#define MSR_VMX_CR4_FIXED0	 0x488
#define MSR_VMX_CR4_FIXED1	 0x489
#define MSR_VMX_PROCBASED_CTLS2	 0x48b
#define MSR_VMX_EPT_VPID_CAP	 0x48c
#define MSR_VMX_TRUE_PINBASED	 0x48d
#define MSR_VMX_TRUE_PROCBASED	 0x48e
#define MSR_VMX_TRUE_EXIT	 0x48f
#define MSR_VMX_TRUE_ENTRY	 0x490
#define MSR_VMX_VMFUNC		 0x491
#define MSR_VMX_PROCBASED_CTLS3	 0x492
#define MSR_TSC_DEADLINE	 0x6e0
#define MSR_X2APIC_BASE		 0x800
#define MSR_XSS			 0xda0
#define MSR_EFER		 0xc0000080u
#define MSR_STAR		 0xc0000081u
#define MSR_LSTAR		 0xc0000082u
#define MSR_CSTAR		 0xc0000083u
#define MSR_SFMASK		 0xc0000084u
#define MSR_FS_BASE		 0xc0000100u
#define MSR_GS_BASE		 0xc0000101u
#define MSR_KERNEL_GS_BASE	 0xc0000102u
#define MSR_TSC_AUX		 0xc0000103u
#define MSR_SYSCFG		 0xc0010010u
#define MSR_HWCR		 0xc0010015u
#define MSR_INT_PENDING		 0xc0010055u
#define MSR_S_CET		 0x6a2

/* PAT entry types and EPT memory types (SDM "Memory Types That Can Be Encoded in MTRRs"/"With PAT"). */
enum memory_cache {
	CACHE_UC = 0,
	CACHE_WC = 1,
	CACHE_WT = 4,
	CACHE_WP = 5,
	CACHE_WB = 6,
	CACHE_UC_MINUS = 7, /* PAT only */
};

/* The PAT every core and every HOST_IA32_PAT has: PA0 WB, PA1 WC, PA2 UC-, PA3 UC, PA4 WB, PA5 WP, PA6 UC-, PA7 WT. */
#define HOST_PAT 0x0407050600070106ull

#endif
