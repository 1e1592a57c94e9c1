/*
 * The VMCB (AMD64 APM vol. 2, appendix "Layout of VMCB"): control area and state-save area as one struct, every offset
 * asserted at build time. Owned by the core on which its vCPU is current; between VMRUN and #VMEXIT by the processor.
 */
#ifndef ARCH_SVM_VMCB_H
#define ARCH_SVM_VMCB_H

#include "lib/types.h"

/* Intercept words 3 and 4 of the control area, as bit numbers of their word. */
enum vmcb_intercept3 {
	INTERCEPT_INTR = 0,
	INTERCEPT_NMI = 1,
	INTERCEPT_SMI = 2,
	INTERCEPT_INIT = 3,
	INTERCEPT_VINTR = 4,
	INTERCEPT_RDPMC = 15,
	INTERCEPT_CPUID = 18,
	INTERCEPT_RSM = 19,
	INTERCEPT_IRET = 20,
	INTERCEPT_INVD = 22,
	INTERCEPT_PAUSE = 23,
	INTERCEPT_HLT = 24,
	INTERCEPT_INVLPGA = 26,
	INTERCEPT_IOIO = 27,
	INTERCEPT_MSR = 28,
	INTERCEPT_TASK_SWITCH = 29,
	INTERCEPT_FERR_FREEZE = 30,
	INTERCEPT_SHUTDOWN = 31,
};

enum vmcb_intercept4 {
	INTERCEPT_VMRUN = 0,
	INTERCEPT_VMMCALL = 1,
	INTERCEPT_VMLOAD = 2,
	INTERCEPT_VMSAVE = 3,
	INTERCEPT_STGI = 4,
	INTERCEPT_CLGI = 5,
	INTERCEPT_SKINIT = 6,
	INTERCEPT_RDTSCP = 7,
	INTERCEPT_WBINVD = 9,
	INTERCEPT_MONITOR = 10,
	INTERCEPT_MWAIT = 11,
	INTERCEPT_XSETBV = 13,
	INTERCEPT_RDPRU = 14,
};

/* V_INTR control (offset 60h). */
#define VINTR_TPR_MASK	   0xffull
#define VINTR_IRQ	   BIT(8)
#define VINTR_GIF	   BIT(9)
#define VINTR_PRIO_SHIFT   16
#define VINTR_IGNORE_TPR   BIT(20)
#define VINTR_MASKING	   BIT(24)
#define VINTR_GIF_ENABLE   BIT(25)
#define VINTR_VECTOR_SHIFT 32

#define VMCB_SHADOW	   BIT(0) /* interrupt_state: STI or MOV SS */
#define VMCB_NESTED_PAGING BIT(0) /* nested_control */

/* TLB_CONTROL. */
enum tlb_control { TLB_KEEP = 0, TLB_FLUSH_ALL = 1, TLB_FLUSH_ASID = 3 };

/* EVENTINJ and EXITINTINFO. */
#define EVENTINJ_TYPE_SHIFT  8
#define EVENTINJ_ERROR_VALID BIT(11)
#define EVENTINJ_VALID	     BIT(31)
enum eventinj_type { EVENTINJ_INTR = 0, EVENTINJ_NMI = 2, EVENTINJ_EXCEPTION = 3, EVENTINJ_SOFT = 4 };

/* Clean bits (APM "VMCB State Caching"): a set bit says that the group is unchanged since the last VMRUN. */
#define CLEAN_INTERCEPTS BIT(0)
#define CLEAN_MAPS	 BIT(1)
#define CLEAN_ASID	 BIT(2)
#define CLEAN_TPR	 BIT(3)
#define CLEAN_NESTED	 BIT(4)
#define CLEAN_CR	 BIT(5)
#define CLEAN_DR	 BIT(6)
#define CLEAN_DT	 BIT(7)
#define CLEAN_SEGMENTS	 BIT(8)
#define CLEAN_CR2	 BIT(9)
#define CLEAN_LBR	 BIT(10)
#define CLEAN_AVIC	 BIT(11)
#define CLEAN_ALL	 (BITS(11, 0))

struct vmcb_segment {
	u16 selector;
	u16 attributes; /* descriptor bits 47:40 and 55:52 squeezed together */
	u32 limit;
	u64 base;
};

struct vmcb {
	u16 cr_read, cr_write;
	u16 dr_read, dr_write;
	u32 exceptions;
	u32 intercept3, intercept4, intercept5;
	u8 reserved_018[0x3c - 0x18];
	u16 pause_threshold, pause_count;
	u64 io_map, msr_map;
	u64 tsc_offset;
	u32 asid;
	u32 tlb_control;
	u64 vintr;
	u64 interrupt_state;
	u64 exit_code, exit_info1, exit_info2, exit_int_info;
	u64 nested_control;
	u64 avic_bar;
	u64 ghcb;
	u64 event_injection;
	u64 nested_cr3;
	u64 lbr_control;
	u64 clean;
	u64 next_rip;
	u8 fetched; /* decode assists: how many of the bytes below are valid */
	u8 bytes[15];
	u8 reserved_0e0[0x400 - 0xe0];

	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 reserved_4a0[0x4cb - 0x4a0];
	u8 cpl;
	u8 reserved_4cc[4];
	u64 efer;
	u8 reserved_4d8[0x548 - 0x4d8];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
	u8 reserved_580[0x5d8 - 0x580];
	u64 rsp;
	u64 s_cet, ssp, isst_addr;
	u64 rax;
	u64 star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 cr2;
	u8 reserved_648[0x668 - 0x648];
	u64 pat, debugctl;
	u64 br_from, br_to, last_excp_from, last_excp_to;
	u8 reserved_698[0x1000 - 0x698];
} PACKED ALIGNED(4096);

#define VMCB_AT(member, offset) _Static_assert(offsetof(struct vmcb, member) == (offset), "VMCB: " #member)
VMCB_AT(exceptions, 0x008);
VMCB_AT(intercept3, 0x00c);
VMCB_AT(pause_threshold, 0x03c);
VMCB_AT(io_map, 0x040);
VMCB_AT(msr_map, 0x048);
VMCB_AT(tsc_offset, 0x050);
VMCB_AT(asid, 0x058);
VMCB_AT(tlb_control, 0x05c);
VMCB_AT(vintr, 0x060);
VMCB_AT(interrupt_state, 0x068);
VMCB_AT(exit_code, 0x070);
VMCB_AT(exit_int_info, 0x088);
VMCB_AT(nested_control, 0x090);
VMCB_AT(event_injection, 0x0a8);
VMCB_AT(nested_cr3, 0x0b0);
VMCB_AT(lbr_control, 0x0b8);
VMCB_AT(clean, 0x0c0);
VMCB_AT(next_rip, 0x0c8);
VMCB_AT(fetched, 0x0d0);
VMCB_AT(es, 0x400);
VMCB_AT(tr, 0x490);
VMCB_AT(cpl, 0x4cb);
VMCB_AT(efer, 0x4d0);
VMCB_AT(cr4, 0x548);
VMCB_AT(rip, 0x578);
VMCB_AT(rsp, 0x5d8);
VMCB_AT(rax, 0x5f8);
VMCB_AT(star, 0x600);
VMCB_AT(kernel_gs_base, 0x620);
VMCB_AT(cr2, 0x640);
VMCB_AT(pat, 0x668);
VMCB_AT(last_excp_to, 0x690);
_Static_assert(sizeof(struct vmcb) == 4096, "VMCB: size");

/* Exit codes (APM appendix "SVM Intercept Exit Codes"). */
#define SVM_EXIT_CR_READ(n)   (0x000 + (n))
#define SVM_EXIT_CR_WRITE(n)  (0x010 + (n))
#define SVM_EXIT_DR_READ(n)   (0x020 + (n))
#define SVM_EXIT_DR_WRITE(n)  (0x030 + (n))
#define SVM_EXIT_EXCEPTION(n) (0x040 + (n))
#define SVM_EXIT_INTR	      0x060
#define SVM_EXIT_NMI	      0x061
#define SVM_EXIT_SMI	      0x062
#define SVM_EXIT_INIT	      0x063
#define SVM_EXIT_VINTR	      0x064
#define SVM_EXIT_CR0_SEL      0x065
#define SVM_EXIT_RDPMC	      0x06f
#define SVM_EXIT_CPUID	      0x072
#define SVM_EXIT_RSM	      0x073
#define SVM_EXIT_IRET	      0x074
#define SVM_EXIT_INVD	      0x076
#define SVM_EXIT_PAUSE	      0x077
#define SVM_EXIT_HLT	      0x078
#define SVM_EXIT_INVLPGA      0x07a
#define SVM_EXIT_IOIO	      0x07b
#define SVM_EXIT_MSR	      0x07c
#define SVM_EXIT_TASK_SWITCH  0x07d
#define SVM_EXIT_FERR_FREEZE  0x07e
#define SVM_EXIT_SHUTDOWN     0x07f
#define SVM_EXIT_VMRUN	      0x080
#define SVM_EXIT_VMMCALL      0x081
#define SVM_EXIT_VMLOAD	      0x082
#define SVM_EXIT_VMSAVE	      0x083
#define SVM_EXIT_STGI	      0x084
#define SVM_EXIT_CLGI	      0x085
#define SVM_EXIT_SKINIT	      0x086
#define SVM_EXIT_RDTSCP	      0x087
#define SVM_EXIT_ICEBP	      0x088
#define SVM_EXIT_WBINVD	      0x089
#define SVM_EXIT_MONITOR      0x08a
#define SVM_EXIT_MWAIT	      0x08b
#define SVM_EXIT_XSETBV	      0x08d
#define SVM_EXIT_RDPRU	      0x08e
#define SVM_EXIT_NPF	      0x400
#define SVM_EXIT_INVALID      (~0ull)

#endif
