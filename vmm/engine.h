/*
 * The seam: one const table of operations per technique of CPU virtualization. Nothing above it knows VMCS, VMCB, EPT
 * or translated code. Calls about a vCPU are made on the core where it is current, unless they say otherwise.
 */
#ifndef VMM_ENGINE_H
#define VMM_ENGINE_H

#include "arch/x86_64/cpu/regs.h"
#include "lib/types.h"
#include "vmm/event.h"
#include "vmm/exit.h"
#include "vmm/vcpu_state.h"

struct vm;
struct vcpu;
struct cpuid_leaf;
struct apic_view;

/* Memory rights of a guest-physical range. */
#define GUEST_READ  BIT(0)
#define GUEST_WRITE BIT(1)
#define GUEST_EXEC  BIT(2)

/* What the end of an emulated instruction needs. 64 bits wide, so that VMREAD can put them there. */
struct instruction_end {
	u64 length;	      /* 0: unknown, decode it */
	u64 interruptibility; /* BLOCKED_* */
};

/* Filled by probe(): why not, in words a user can act on. */
struct engine_probe {
	char reason[256];  /* what is missing, where it was looked for, what to do; "" when available */
	char features[384]; /* optional features found, for the status line */
};

/* One of an engine's reasons for an exit. */
struct engine_reason {
	const char *name;    /* for people */
	u32 code;	     /* the architecture's own number of it; several reasons may share one */
	enum exit_kind kind; /* what it is dispatched as */
};

enum reason_state {
	REASON_UNDEFINED, /* the architecture has no such code */
	REASON_OFF,	  /* this hypervisor does not ask for such exits */
	REASON_ON,
};

struct engine_ops {
	const char *name;  /* "vmx": the value of `engine =` */
	const char *title; /* "Intel VT-x" */

	/* Boot core: can this engine run here? */
	bool (*probe)(struct engine_probe *probe);
	/*
	 * Each core, once: turn it on. False: this core lacks something the boot core has; `reason` says what; it is
	 * left out.
	 */
	bool (*core_enable)(char *reason, size_t size);
	void (*core_disable)(void);

	int (*vm_create)(struct vm *vm);
	/* No core runs or holds any of its vCPUs. */
	void (*vm_destroy)(struct vm *vm);
	/* Reset state as after RESET (SDM "Processor State After Reset"). Any core. */
	int (*vcpu_create)(struct vcpu *vcpu);
	void (*vcpu_destroy)(struct vcpu *vcpu);

	/*
	 * The vCPU becomes current on this core; the VM's root is already in CR3. Extended state and guest-owned MSRs
	 * are switched here.
	 */
	void (*load)(struct vcpu *vcpu);
	void (*put)(struct vcpu *vcpu);

	/*
	 * Run the guest, and after each exit, which is in vcpu->exit then, ask vcpu_exited() (vmm/loop.h) whether to go
	 * on; return when it says no. exit.raw is at most ACCOUNT_REASONS. The root in CR3 is the same before and
	 * after. An event whose delivery the exit interrupted is in vcpu->events.in_flight, and ATTENTION_EVENT is set
	 * for it.
	 */
	void (*run)(struct vcpu *vcpu);

	/* Bring the registers of `mask` (BIT(enum reg)) into vcpu->reg and set them in vcpu->cached. */
	void (*fetch)(struct vcpu *vcpu, u64 mask);
	/*
	 * RIP and RFLAGS become cached, and the rest is answered: one call for what every emulated instruction pays
	 * for. An engine that knows at the exit already that it was an instruction's puts all of it there, with
	 * CACHED_END.
	 */
	struct instruction_end (*instruction_end)(struct vcpu *vcpu);
	/* Length of the instruction that exited; 0: unknown, decode it. */
	u32 (*instruction_length)(struct vcpu *vcpu);
	/* BLOCKED_* now, and end the blocking that one instruction has (STI, MOV SS). */
	u32 (*interruptibility)(struct vcpu *vcpu);
	void (*end_shadow)(struct vcpu *vcpu);
	/* TF was set when an emulated instruction ended: a single-step #DB is pending after it. */
	void (*set_single_step)(struct vcpu *vcpu);

	/* Deliver at the next entry; not EVENT_NONE. One at a time. In real mode no event has an error code. */
	void (*inject)(struct vcpu *vcpu, const struct event *event);
	/*
	 * Exit as soon as the guest could take an interrupt or NMI; both false: stop asking. An NMI's is asked for anew
	 * whenever events are looked at.
	 */
	void (*request_window)(struct vcpu *vcpu, bool irq, bool nmi);
	/*
	 * Let the processor help with the vCPU's local APIC, whose registers are in `page` (4 KiB of the pool). Before
	 * the first run. Returns APIC_ASSIST_*: what it will do. NULL: nothing. (vmm/devices/apic_view.h)
	 */
	u32 (*assist_apic)(struct vcpu *vcpu, void *page);
	/*
	 * What it is to know of the local APIC at the next entry; the engine writes what is new. Only after
	 * assist_apic().
	 */
	void (*show_apic)(struct vcpu *vcpu, const struct apic_view *view);

	void (*get_segment)(struct vcpu *vcpu, enum segment_name name, struct segment *segment);
	/* Its attributes alone, and the privilege level (0 in real mode): they are asked for often. */
	u32 (*segment_attributes)(struct vcpu *vcpu, enum segment_name name);
	u32 (*cpl)(struct vcpu *vcpu);
	/*
	 * An MSR whose value the engine holds for the guest: PAT, DEBUGCTL, FS_BASE, GS_BASE, KERNEL_GS_BASE,
	 * SYSENTER_*, STAR, LSTAR, CSTAR, SFMASK, TSC_AUX. set: the caller has checked the value, but of what
	 * it lets guests own. ERR_MISSING: another MSR; ERR_INVALID: the processor refuses the value. (EFER is
	 * REG_EFER.)
	 */
	int (*get_msr)(struct vcpu *vcpu, u32 msr, u64 *value);
	int (*set_msr)(struct vcpu *vcpu, u32 msr, u64 value);
	/* DR0-DR3, DR6, DR7 of the guest, by number. set: the caller has checked the value. */
	u64 (*get_dr)(struct vcpu *vcpu, u32 dr);
	void (*set_dr)(struct vcpu *vcpu, u32 dr, u64 value);
	/* Checked XCR0: stored in vcpu->xcr0 and live from the next entry on. */
	void (*set_xcr0)(struct vcpu *vcpu, u64 value);
	/*
	 * The PDPTEs as MOV to a control register loads them (PAE paging), checked. NULL: the hardware reads them from
	 * memory itself.
	 */
	void (*set_pdptes)(struct vcpu *vcpu, const u64 pdpte[4]);
	/* The whole architectural state. import: ERR_INVALID for a state the hardware would refuse. */
	void (*export_state)(struct vcpu *vcpu, struct vcpu_state *state);
	int (*import_state)(struct vcpu *vcpu, const struct vcpu_state *state);

	/*
	 * The guest-physical map changed. Synchronous: when it returns no core uses an old translation.
	 * map: nothing may be mapped there. cache: the type the guest is to get (its own PAT applies on top).
	 */
	int (*map)(struct vm *vm, gpa_t gpa, paddr_t pa, u64 size, u32 rights, enum memory_cache cache);
	/*
	 * One page of RAM backed on demand, with all rights, write-back. Any core; the VM's calls are serialized.
	 * ERR_EXISTS, ERR_MEMORY.
	 */
	int (*map_page)(struct vm *vm, gpa_t gpa, paddr_t pa);
	int (*unmap)(struct vm *vm, gpa_t gpa, u64 size);
	int (*protect)(struct vm *vm, gpa_t gpa, u64 size, u32 rights);
	/* The host wrote guest memory (translating engines drop translations; others do nothing). */
	void (*memory_written)(struct vm *vm, gpa_t gpa, u64 size);

	void (*set_tsc_offset)(struct vcpu *vcpu, u64 offset);
	/*
	 * Ticks until EXIT_SLICE, guest time; false: this engine has no slice timer and the core's APIC timer is used.
	 */
	bool (*set_slice)(struct vcpu *vcpu, u64 ticks);
	/*
	 * Intercept an MSR (true) or let the guest own it. Only the MSRs that vmm/msr.c marks as own-able; before the
	 * first run. An engine that must know of their changes may intercept more: it is then given them by get_msr()
	 * and set_msr().
	 */
	void (*intercept_msr)(struct vcpu *vcpu, u32 msr, bool read, bool write);

	/*
	 * Drop all linear translations of the guest on this core before its next entry, global ones too: for an
	 * emulated MOV to a control register, where the processor does not do what the instruction would have done (SDM
	 * "Invalidation of Cached Mappings" in VMX).
	 */
	void (*flush_guest)(struct vcpu *vcpu);
	/*
	 * Clear the CPUID bits of what this engine cannot give a guest (a control that the processor lacks). NULL:
	 * nothing to clear.
	 */
	void (*limit_cpuid)(u32 leaf, u32 subleaf, struct cpuid_leaf *value);

	/* The last exit and the whole control structure in words, to the log. */
	void (*dump)(struct vcpu *vcpu, const struct vm_exit *exit);
	/* What struct vm_exit.raw says, for counters and messages; false: none such. */
	bool (*reason)(u32 raw, struct engine_reason *reason);
	/* A number of SDM "VMX Basic Exit Reasons" or APM "SVM Intercept Exit Codes". */
	enum reason_state (*reason_state)(u32 code);
};

/* The engines built in, best first, ended by NULL; in vmm/main.c, the one place that names them. */
extern const struct engine_ops *const engines[];

#endif
