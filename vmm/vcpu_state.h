/*
 * The whole architectural state of a vCPU as a versioned record: reset, loaders, task switch, later snapshots. Plain
 * data.
 */
#ifndef VMM_VCPU_STATE_H
#define VMM_VCPU_STATE_H

#include "lib/types.h"
#include "vmm/event.h"

/* Register numbers: the general ones in the order of their encodings. */
enum reg {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	REG_RIP, REG_RFLAGS, REG_CR0, REG_CR3, REG_CR4, REG_EFER,
	REG_CR2,
	REGS,
};

enum segment_name { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEGMENTS };

/* Attribute bits as in a descriptor's bytes 5 and 6: type 3:0, S 4, DPL 6:5, P 7, AVL 12, L 13, D/B 14, G 15; and: */
#define SEGMENT_UNUSABLE BIT(16)
#define SEGMENT_TYPE(a)	 ((a) & 15)
#define SEGMENT_S	 BIT(4)
#define SEGMENT_DPL(a)	 (((a) >> 5) & 3)
#define SEGMENT_P	 BIT(7)
#define SEGMENT_L	 BIT(13)
#define SEGMENT_DB	 BIT(14)
#define SEGMENT_G	 BIT(15)

struct segment {
	u16 selector;
	u32 attributes;
	u32 limit; /* bytes, G applied */
	u64 base;
};

struct descriptor_table {
	u64 base;
	u16 limit;
};

enum activity { ACTIVITY_ACTIVE, ACTIVITY_HALTED, ACTIVITY_SHUTDOWN, ACTIVITY_WAIT_SIPI };

#define VCPU_STATE_VERSION 1u
#define VCPU_XSAVE_SIZE	   4096u

struct vcpu_state {
	u32 version, size;
	u64 reg[REGS];
	u64 dr[4], dr6, dr7;
	u64 cr8, xcr0, xss;
	u64 pdpte[4]; /* PAE paging only: as loaded by the last MOV to CR3 */
	struct segment segment[SEGMENTS];
	struct descriptor_table gdtr, idtr;
	u64 pat, debugctl;
	u64 star, lstar, cstar, sfmask, kernel_gs_base, tsc_aux;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 tsc;
	u32 interruptibility; /* BLOCKED_* */
	u64 pending_debug;
	struct event in_flight;
	enum activity activity;
	u32 xsave_size;
	u8 xsave[VCPU_XSAVE_SIZE] ALIGNED(64);
};

/* The state after RESET (SDM "Processor State After Reset"). */
void vcpu_state_reset(struct vcpu_state *state);

#endif
