/* VT-x: what the files of this engine share. Nothing outside arch/x86_64/vmx/ includes it. */
#ifndef ARCH_VMX_VMX_H
#define ARCH_VMX_VMX_H

#include "arch/x86_64/mmu/inval.h"
#include "arch/x86_64/mmu/pt.h"
#include "arch/x86_64/vmx/capability.h"
#include "arch/x86_64/vmx/controls.h"
#include "arch/x86_64/vmx/fields.h"
#include "core/lock.h"
#include "core/percpu.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#define NO_CORE ~0u

/*
 * What the engine runs with: decided when the first VM is created, from what all cores have; constant from then on.
 * (enable.c)
 */
extern struct vmx_setup vmx_setup;

/*
 * The MSRs that neither an exit nor an entry switches, and that the host does not use itself: swapped when a vCPU is
 * loaded.
 */
enum switched_msr {
	SWITCHED_STAR,
	SWITCHED_LSTAR,
	SWITCHED_CSTAR,
	SWITCHED_SFMASK,
	SWITCHED_KERNEL_GS_BASE,
	SWITCHED_TSC_AUX,
	SWITCHED_MSRS
};

/* One per core, in percpu->engine, owned by it. */
struct vmx_core {
	void *region;		 /* VMXON region */
	struct vmx_vcpu *current; /* whose VMCS is current */
	/* What the processor has; KERNEL_GS_BASE only while no vCPU is loaded; 0 for one it lacks. */
	u64 msr[SWITCHED_MSRS];
};

/* One per VM. */
struct vmx_vm {
	struct spinlock lock; /* guards ept */
	struct pt ept;
	u64 ept_pointer; /* (i) */
	void *apic_access; /* (i) once a vCPU's local APIC has been handed over; NULL: there is no APIC-access page */
	bool apic_access_gone; /* (a) it is not mapped any more */
};

struct vmx_vcpu;
/* Goes into the guest (enter.asm): comes back only when vmx_entry_refused() does, in whose place it stands then. */
typedef void (*vmx_enter_t)(u64 *reg, struct vmx_vcpu *v);

/* One per vCPU. Owned by the core on which it is current; (a) atomic, (i) set at creation. */
struct vmx_vcpu {
	u64 host_rsp;	   /* what HOST_RSP holds. First two: enter.asm knows their places */
	vmx_enter_t enter; /* launches after a VMCLEAR, resumes else: the first one puts the second here */
	u64 host_cr3;	   /* what HOST_CR3 holds */
	struct vcpu *vcpu;     /* (i) */
	void *vmcs;	       /* (i) */
	u8 *msr_bitmap;	       /* (i) */
	u32 active_core;       /* (a) the core whose processor holds the VMCS (VMPTRLD, no VMCLEAR since), or NO_CORE */
	/*
	 * Where it was loaded last: whose host state the VMCS holds, and where translations under its VPID may be
	 * right.
	 */
	u32 core;
	u16 vpid;	       /* (i) 0: VPIDs are not in use */
	bool vpid_reused;      /* not yet flushed since its VPID belonged to another */
	bool loaded;	       /* its MSRs and extended state are in the processor */
	u32 primary, entry;    /* what those control fields hold */
	u32 apic_offered;      /* (i) the APIC_CONTROLS that may be on */
	u32 apic_controls;     /* those that are */
	u32 tpr_threshold;     /* what the fields hold */
	u64 eoi_exits[4];
	bool any_eoi_exits;
	u64 msr[SWITCHED_MSRS]; /* KERNEL_GS_BASE only while not loaded; 0 for one the processor lacks */
	u64 dr[4], dr6;	       /* while not vcpu->debug_live: then they are in the processor and MOV DR does not exit */
	bool breakpoints;      /* while not vcpu->debug_live: DR7 enables some */
	/* As imported: the VMCS always says active, the scheduler keeps halted ones off the core. */
	enum activity activity;
};

static inline struct vmx_vcpu *vmx_of(struct vcpu *vcpu)
{
	return vcpu->engine_state;
}

static inline struct vmx_vm *vmx_vm_of(struct vm *vm)
{
	return vm->engine_state;
}

/* enable.c: one core. */
bool vmx_probe(struct engine_probe *probe);
bool vmx_core_enable(char *reason, size_t size);
void vmx_core_disable(void);
static inline struct vmx_core *vmx_this_core(void)
{
	return this_core()->engine;
}
/* Decide vmx_setup, once. */
void vmx_decide(void);

/* ept.c: guest memory. */
int vmx_vm_create(struct vm *vm);
void vmx_vm_destroy(struct vm *vm);
int vmx_map(struct vm *vm, gpa_t gpa, paddr_t pa, u64 size, u32 rights, enum memory_cache cache);
int vmx_map_page(struct vm *vm, gpa_t gpa, paddr_t pa);
int vmx_unmap(struct vm *vm, gpa_t gpa, u64 size);
int vmx_protect(struct vm *vm, gpa_t gpa, u64 size, u32 rights);
void vmx_memory_written(struct vm *vm, gpa_t gpa, u64 size);

/* flush.c: carries out the lists of arch/x86_64/mmu/inval.h. Those members of the target that the event needs. */
struct flush_target {
	struct vmx_vcpu *v;
	u64 ept_pointer;
	void (*free_frames)(void *context); /* INVAL_FREE_FRAMES */
	void *context;
};
void vmx_flush(enum inval_event event, const struct flush_target *target);
/* This core, just after VMXON. */
void vmx_flush_core_start(const struct capability *capability);
/* The guest's own translations, after an emulated change of a control register that drops them. */
void vmx_flush_guest(struct vcpu *vcpu);

/* current.c: which VMCS is current and active where. */
void vmx_make_current(struct vmx_vcpu *v);
/* VMCLEAR, on whichever core holds it. */
void vmx_deactivate(struct vmx_vcpu *v);
/* Make it current for a few VMREADs; returns what vmx_release() needs. */
struct vmx_vcpu *vmx_hold(struct vmx_vcpu *v);
void vmx_release(struct vmx_vcpu *v, struct vmx_vcpu *before);

/* setup.c: a new VMCS, and the host's part of one. */
/* Which of the variants of enter.asm this machine needs. */
u32 vmx_variant(void);
void vmx_write_controls(struct vmx_vcpu *v);
void vmx_write_host(struct vmx_vcpu *v);
void vmx_set_primary(struct vmx_vcpu *v, u32 controls);
void vmx_intercept_msr(struct vcpu *vcpu, u32 msr, bool read, bool write);
void vmx_limit_cpuid(u32 leaf, u32 subleaf, struct cpuid_leaf *value);

/* vcpu.c: life. */
int vmx_vcpu_create(struct vcpu *vcpu);
void vmx_vcpu_destroy(struct vcpu *vcpu);

/* switch.c: load and put. */
void vmx_load(struct vcpu *vcpu);
void vmx_put(struct vcpu *vcpu);
/* The state in the processor itself (MSRs, XSAVE, DRs): into memory and back, around a change of it there. */
void vmx_unload_processor(struct vcpu *vcpu);
void vmx_load_processor(struct vcpu *vcpu);
/* Let the guest use the debug registers until it is put. */
void vmx_load_debug(struct vmx_vcpu *v);
void vmx_unload_debug(struct vmx_vcpu *v);
/* What we have written into the VMCS as DR7, for the next load. */
void vmx_note_dr7(struct vmx_vcpu *v, u64 dr7);
/* Those of enum switched_msr that all processors have; the others come last. */
u32 vmx_switched_count(void);
/* This core's, before anything is loaded there. */
void vmx_read_switched_msrs(struct vmx_core *core);
/* Its writes exit, so that it need not be read whenever a vCPU is put. */
bool vmx_watches_writes(u32 msr);
/* False: not one of enum switched_msr. */
bool vmx_get_switched_msr(struct vmx_vcpu *v, u32 msr, u64 *value);
/* ERR_MISSING: not one of them; ERR_INVALID: the processor refuses the value. */
int vmx_set_switched_msr(struct vmx_vcpu *v, u32 msr, u64 value);
void vmx_set_xcr0(struct vcpu *vcpu, u64 value);

/* registers.c */
void vmx_fetch(struct vcpu *vcpu, u64 mask);
/* Bring what is dirty into the VMCS. */
void vmx_write_back(struct vcpu *vcpu);
u32 vmx_segment_attributes(struct vcpu *vcpu, enum segment_name name);
u32 vmx_cpl(struct vcpu *vcpu);
void vmx_get_segment(struct vcpu *vcpu, enum segment_name name, struct segment *segment);
void vmx_set_segment(enum segment_name name, const struct segment *segment);
int vmx_get_msr(struct vcpu *vcpu, u32 msr, u64 *value);
int vmx_set_msr(struct vcpu *vcpu, u32 msr, u64 value);
u64 vmx_get_dr(struct vcpu *vcpu, u32 dr);
void vmx_set_dr(struct vcpu *vcpu, u32 dr, u64 value);
void vmx_set_pdptes(struct vcpu *vcpu, const u64 pdpte[4]);

/* state.c */
void vmx_export_state(struct vcpu *vcpu, struct vcpu_state *state);
int vmx_import_state(struct vcpu *vcpu, const struct vcpu_state *state);

/* event.c */
void vmx_inject(struct vcpu *vcpu, const struct event *event);
void vmx_request_window(struct vcpu *vcpu, bool irq, bool nmi);
u32 vmx_interruptibility(struct vcpu *vcpu);
void vmx_set_interruptibility(struct vcpu *vcpu, u32 value);
void vmx_end_shadow(struct vcpu *vcpu);
void vmx_set_single_step(struct vcpu *vcpu);
/*
 * After an exit that has interrupted a delivery: what was being delivered, by the IDT-vectoring information, goes back
 * to vcpu->events.
 */
void vmx_collect_event(struct vcpu *vcpu, u32 info);

/* apic.c */
u32 vmx_assist_apic(struct vcpu *vcpu, void *page);
void vmx_show_apic(struct vcpu *vcpu, const struct apic_view *view);

/* run.c */
void vmx_run(struct vcpu *vcpu);
struct instruction_end vmx_instruction_end(struct vcpu *vcpu);
u32 vmx_instruction_length(struct vcpu *vcpu);
bool vmx_set_slice(struct vcpu *vcpu, u64 ticks);
void vmx_set_tsc_offset(struct vcpu *vcpu, u64 offset);

/* enter.asm: runs the guest until vcpu_exited() says no. Variants by what must be done around an entry. */
void vmx_run_at(u64 *reg, struct vmx_vcpu *v);
#define ENTER_L1D_FLUSH BIT(0)
#define ENTER_VERW	BIT(1)
#define ENTER_RSB_FILL	BIT(2)
#define ENTER_SPEC_CTRL BIT(3)
#define ENTER_RSB_16	BIT(4)
#define ENTER_VARIANTS	32u
/* Of a VMCS that is clear; each leads to its fellow that resumes. */
extern const vmx_enter_t vmx_launch_variants[ENTER_VARIANTS];
extern const u64 vmx_exit_points[ENTER_VARIANTS]; /* for HOST_RIP */

/* dump.c */
void vmx_dump(struct vcpu *vcpu, const struct vm_exit *exit);
void vmx_take_snapshot(struct vmcs_snapshot *snapshot);
struct check_machine;
void vmx_check_machine(struct check_machine *machine);

#endif
