/*
 * Which invalidation a change needs, decided in one place so that unit tests can assert the lists: no emulator here
 * would notice a missing one. SDM vol. 3 "Caching Translation Information" (VMX) and "Invalidation of Cached
 * Address-Translation Information"; AMD APM vol. 2 "TLB Management". Pure.
 */
#ifndef ARCH_MMU_INVAL_H
#define ARCH_MMU_INVAL_H

#include "arch/x86_64/mmu/pt.h"
#include "lib/types.h"

enum inval_event {
	INVAL_GUEST_MAPPED,    /* guest-physical range appeared where nothing was */
	INVAL_GUEST_UNMAPPED,  /* leaf removed, or moved */
	INVAL_GUEST_PROTECTED, /* rights taken away */
	INVAL_GUEST_RELAXED,   /* rights added */
	INVAL_HOST_MAPPED,     /* in a root */
	INVAL_HOST_UNMAPPED,
	INVAL_VCPU_MIGRATED, /* a vCPU is loaded on another core than last time */
	INVAL_TAG_REUSED,   /* VPID or ASID given to another vCPU, or used for the first time on a core; on that core */
	INVAL_VM_SWITCHED,  /* another VM's vCPU becomes current on the core */
	INVAL_ROOT_REUSED,  /* an EPT or nested root page freed and used again */
	INVAL_CORE_STARTED, /* VMXON or SVME just set on this core */
	INVAL_GUEST_PAGING, /* we did a MOV to CR0, CR3, CR4 or WRMSR EFER that flushes: before the guest runs on */
	INVAL_EVENTS,
};

/* Steps, in the order in which they are to be done. */
enum inval_step {
	INVAL_END = 0,
	INVAL_VMCLEAR_OLD_CORE, /* VMCLEAR on the core that held the VMCS, before VMPTRLD here */
	INVAL_LOAD_CR3,		/* the MOV to CR3 that drops this core's non-global host translations */
	INVAL_INVLPG_RANGE,	/* host, this core */
	INVAL_EPT_SINGLE,	/* INVEPT single-context on each core that may hold the EPTP */
	INVAL_EPT_ALL,		/* INVEPT all-context on this core */
	INVAL_VPID_SINGLE,	/* INVVPID single-context for the tag on this core */
	INVAL_VPID_ALL,
	INVAL_ASID_NEW,	  /* give the vCPU a fresh ASID on this core */
	INVAL_ASID_FLUSH, /* each vCPU concerned, at its next VMRUN: TLB_CONTROL, by ASID or all where the CPU cannot */
	/*
	 * Make every holder do the steps that follow up to FREE_FRAMES, and wait for all. Holders of a host root: the
	 * cores with it in CR3. Holders of guest translations: every core on which a vCPU of the VM was loaded since
	 * that core flushed the VM last, though it be gone from there now: its tagged translations wait in the TLB
	 * until it comes back. (All cores is always right.)
	 */
	INVAL_KICK_HOLDERS,
	INVAL_FREE_FRAMES,    /* only now may frames and table pages be freed */
	INVAL_ASID_FLUSH_ALL, /* TLB_CONTROL: flush the whole TLB, all ASIDs, at the next VMRUN on this core */
	INVAL_STEPS,
};

enum inval_engine { INVAL_VMX, INVAL_SVM };

struct inval_machine {
	enum inval_engine engine;
	bool has_tag;	 /* VPIDs or ASIDs > 1 are in use */
	bool has_single; /* single-context INVEPT/INVVPID, or flush by ASID */
};

/* The steps `event` needs on `machine`; ends with INVAL_END. Const data, never NULL. */
const enum inval_step *inval_steps(enum inval_event event, const struct inval_machine *machine);
const char *inval_step_name(enum inval_step step);

#endif
