/*
 * Bits of the VMX controls, by the SDM's names (SDM vol. 3 "VM-Execution Control Fields", "VM-Exit Controls", "VM-Entry
 * Controls"). Pure.
 */
#ifndef ARCH_VMX_CONTROLS_H
#define ARCH_VMX_CONTROLS_H

#include "lib/types.h"

#define PIN_EXTERNAL_INTERRUPT BIT(0)
#define PIN_NMI		       BIT(3)
#define PIN_VIRTUAL_NMIS       BIT(5)
#define PIN_PREEMPTION_TIMER   BIT(6)
#define PIN_POSTED_INTERRUPTS  BIT(7)

#define PRIMARY_INTERRUPT_WINDOW BIT(2)
#define PRIMARY_TSC_OFFSETTING	 BIT(3)
#define PRIMARY_HLT		 BIT(7)
#define PRIMARY_INVLPG		 BIT(9)
#define PRIMARY_MWAIT		 BIT(10)
#define PRIMARY_RDPMC		 BIT(11)
#define PRIMARY_RDTSC		 BIT(12)
#define PRIMARY_CR3_LOAD	 BIT(15)
#define PRIMARY_CR3_STORE	 BIT(16)
#define PRIMARY_TERTIARY	 BIT(17)
#define PRIMARY_CR8_LOAD	 BIT(19)
#define PRIMARY_CR8_STORE	 BIT(20)
#define PRIMARY_TPR_SHADOW	 BIT(21)
#define PRIMARY_NMI_WINDOW	 BIT(22)
#define PRIMARY_MOV_DR		 BIT(23)
#define PRIMARY_IO		 BIT(24)
#define PRIMARY_IO_BITMAPS	 BIT(25)
#define PRIMARY_MONITOR_TRAP	 BIT(27)
#define PRIMARY_MSR_BITMAPS	 BIT(28)
#define PRIMARY_MONITOR		 BIT(29)
#define PRIMARY_PAUSE		 BIT(30)
#define PRIMARY_SECONDARY	 BIT(31)

#define SECONDARY_APIC_ACCESS	     BIT(0)
#define SECONDARY_EPT		     BIT(1)
#define SECONDARY_DESCRIPTOR_TABLE   BIT(2)
#define SECONDARY_RDTSCP	     BIT(3)
#define SECONDARY_X2APIC	     BIT(4)
#define SECONDARY_VPID		     BIT(5)
#define SECONDARY_WBINVD	     BIT(6)
#define SECONDARY_UNRESTRICTED	     BIT(7)
#define SECONDARY_APIC_REGISTER	     BIT(8)
#define SECONDARY_VIRTUAL_INTERRUPTS BIT(9)
#define SECONDARY_PAUSE_LOOP	     BIT(10)
#define SECONDARY_RDRAND	     BIT(11)
#define SECONDARY_INVPCID	     BIT(12)
#define SECONDARY_VMFUNC	     BIT(13)
#define SECONDARY_VMCS_SHADOWING     BIT(14)
#define SECONDARY_ENCLS		     BIT(15)
#define SECONDARY_RDSEED	     BIT(16)
#define SECONDARY_PML		     BIT(17)
#define SECONDARY_VE		     BIT(18)
#define SECONDARY_CONCEAL_PT	     BIT(19)
#define SECONDARY_XSAVES	     BIT(20)
#define SECONDARY_PASID		     BIT(21)
#define SECONDARY_MODE_BASED_EXECUTE BIT(22)
#define SECONDARY_SUB_PAGE	     BIT(23)
#define SECONDARY_PT_GUEST_PA	     BIT(24)
#define SECONDARY_TSC_SCALING	     BIT(25)
#define SECONDARY_USER_WAIT	     BIT(26)
#define SECONDARY_PCONFIG	     BIT(27)
#define SECONDARY_ENCLV		     BIT(28)
#define SECONDARY_BUS_LOCK	     BIT(30)
#define SECONDARY_TIMEOUT	     BIT(31)

#define EXIT_CTL_SAVE_DEBUG	      BIT(2)
#define EXIT_CTL_HOST_64	      BIT(9)
#define EXIT_CTL_PERF_GLOBAL	      BIT(12)
#define EXIT_CTL_ACKNOWLEDGE	      BIT(15)
#define EXIT_CTL_SAVE_PAT	      BIT(18)
#define EXIT_CTL_LOAD_PAT	      BIT(19)
#define EXIT_CTL_SAVE_EFER	      BIT(20)
#define EXIT_CTL_LOAD_EFER	      BIT(21)
#define EXIT_CTL_SAVE_PREEMPTION      BIT(22)
#define EXIT_CTL_CLEAR_BNDCFGS	      BIT(23)
#define EXIT_CTL_CONCEAL_PT	      BIT(24)
#define EXIT_CTL_CLEAR_RTIT	      BIT(25)
#define EXIT_CTL_CLEAR_LBR	      BIT(26)
#define EXIT_CTL_LOAD_CET	      BIT(28)
#define EXIT_CTL_LOAD_PKRS	      BIT(29)
#define EXIT_CTL_SAVE_PERF_GLOBAL     BIT(30)
#define EXIT_CTL_SECONDARY	      BIT(31)

#define ENTRY_CTL_LOAD_DEBUG   BIT(2)
#define ENTRY_CTL_IA32E	       BIT(9)
#define ENTRY_CTL_SMM	       BIT(10)
#define ENTRY_CTL_DUAL_MONITOR BIT(11)
#define ENTRY_CTL_PERF_GLOBAL  BIT(13)
#define ENTRY_CTL_PAT	       BIT(14)
#define ENTRY_CTL_EFER	       BIT(15)
#define ENTRY_CTL_BNDCFGS      BIT(16)
#define ENTRY_CTL_CONCEAL_PT   BIT(17)
#define ENTRY_CTL_RTIT	       BIT(18)
#define ENTRY_CTL_UINV	       BIT(19)
#define ENTRY_CTL_CET	       BIT(20)
#define ENTRY_CTL_LBR	       BIT(21)
#define ENTRY_CTL_PKRS	       BIT(22)

/* IA32_FEATURE_CONTROL. */
#define FEATURE_CONTROL_LOCK	    BIT(0)
#define FEATURE_CONTROL_INSIDE_SMX  BIT(1)
#define FEATURE_CONTROL_OUTSIDE_SMX BIT(2)

/* IA32_VMX_BASIC (SDM appendix "Basic VMX Information"). */
#define BASIC_REVISION(b)    ((u32)(b) & 0x7fffffffu)
#define BASIC_SIZE(b)	     ((u32)((b) >> 32) & 0x1fffu)
#define BASIC_32_BIT	     BIT(48)
#define BASIC_MEMORY_TYPE(b) ((u32)((b) >> 50) & 15u)
#define BASIC_TRUE_CONTROLS  BIT(55)

/* IA32_VMX_MISC (SDM appendix "Miscellaneous Data"). */
#define MISC_TIMER_RATE(m)     ((u32)(m) & 31u) /* the preemption timer counts down when this bit of the TSC changes */
#define MISC_ACTIVITY_HLT      BIT(6)
#define MISC_ACTIVITY_SHUTDOWN BIT(7)
#define MISC_ACTIVITY_SIPI     BIT(8)
#define MISC_ZERO_LENGTH       BIT(30) /* software events may be injected with instruction length 0 */

/* IA32_VMX_EPT_VPID_CAP (SDM appendix "VPID and EPT Capabilities"). */
#define EPT_CAP_WALK_4		   BIT(6)
#define EPT_CAP_WB		   BIT(14)
#define EPT_CAP_2MIB		   BIT(16)
#define EPT_CAP_1GIB		   BIT(17)
#define EPT_CAP_INVEPT		   BIT(20)
#define EPT_CAP_ACCESSED_DIRTY	   BIT(21)
#define EPT_CAP_INVEPT_SINGLE	   BIT(25)
#define EPT_CAP_INVEPT_ALL	   BIT(26)
#define EPT_CAP_INVVPID		   BIT(32)
#define EPT_CAP_INVVPID_SINGLE	   BIT(41)
#define EPT_CAP_INVVPID_ALL	   BIT(42)

/*
 * Interruption information, at entry and exit and for IDT vectoring (SDM "Information for VM Exits Due to Vectored
 * Events").
 */
#define INTERRUPTION_VECTOR(i)	   ((u8)(i))
#define INTERRUPTION_TYPE(i)	   ((u32)(i) >> 8 & 7u)
#define INTERRUPTION_TYPE_SHIFT	   8
#define INTERRUPTION_ERROR_VALID   BIT(11)
#define INTERRUPTION_NMI_UNBLOCKED BIT(12) /* at exits: the exit met an IRET that had just ended NMI blocking */
#define INTERRUPTION_VALID	   BIT(31)

enum interruption_type {
	TYPE_EXTERNAL = 0,
	TYPE_NMI = 2,
	TYPE_HARDWARE_EXCEPTION = 3,
	TYPE_SOFTWARE_INTERRUPT = 4,
	TYPE_PRIV_SOFTWARE_EXCEPTION = 5, /* INT1 */
	TYPE_SOFTWARE_EXCEPTION = 6,	  /* INT3, INTO */
	TYPE_OTHER = 7,
};

/* Guest activity states and pending debug exceptions (SDM "Guest Non-Register State"). */
enum vmcs_activity { VMCS_ACTIVE, VMCS_HLT, VMCS_SHUTDOWN, VMCS_WAIT_SIPI };

#define PENDING_DEBUG_ENABLED_BREAKPOINT BIT(12)
#define PENDING_DEBUG_BS		 BIT(14)
#define PENDING_DEBUG_RTM		 BIT(16)

#define DEBUGCTL_BTF BIT(1)

/*
 * Which bits the guest owns: it changes them without an exit, and they are what it finds there. Those that every
 * processor with unrestricted guest has, that no other CPU state depends on, and whose change the hardware carries out
 * in full under EPT.
 *
 * CR0: PE and PG stay ours since EFER.LMA and the entry controls follow them; NE since VMX wants it 1; CD and NW since
 * VM entry does not load them: the guest would change the host's. CR4: PAE, PSE, LA57 and PCIDE have rules to be
 * checked, MCE and VMXE stay 1 whatever the guest believes (with MCE = 0 a machine check in a guest shuts the whole
 * machine down), the rest belongs to features that CPUID may hide.
 */
#define CR0_GUEST_OWNED (CR0_MP | CR0_EM | CR0_TS | CR0_WP | CR0_AM)
#define CR4_GUEST_OWNED (CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT)

#define EXIT_REASON_ENTRY_FAILED BIT(31)

#endif
