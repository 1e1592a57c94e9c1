/* AMD-V: what the files of this engine share. Nothing outside arch/x86_64/svm/ includes it. */
#ifndef ARCH_SVM_SVM_H
#define ARCH_SVM_SVM_H

#include "arch/x86_64/mmu/pt.h"
#include "arch/x86_64/svm/asid.h"
#include "arch/x86_64/svm/vmcb.h"
#include "core/percpu.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

/* Optional features (CPUID Fn8000_000A EDX), used when every core has them. */
struct svm_features {
	bool nested_paging, nrips, flush_by_asid, decode_assists, clean_bits, pause_filter, pause_threshold, tsc_rate,
		vgif, avic;
	u32 asids;
};

/* Read-only once every core has been enabled. */
extern struct svm_features svm_features;
/* From CPUID words: pure. */
struct svm_features svm_read_features(u32 ebx, u32 edx);
/* What both have. */
struct svm_features svm_common_features(const struct svm_features *a, const struct svm_features *b);
/* "16 ASIDs, nested paging, ...; found, not used yet: ..." into buf, cut at its end. */
void svm_name_features(const struct svm_features *features, char *buf, size_t size);

/* One per core, owned by it. */
struct svm_core {
	struct asid_pool asids;
	void *host_save;      /* VM_HSAVE_PA */
	struct vmcb *host;    /* VMSAVE area of the host */
	u64 tsc_aux;	      /* what the processor has; 0 where it has no TSC_AUX */
};

/*
 * One per VM: second-level tables and permission maps. The tables change while the VM is made or unmade, and by
 * map_page() alone in between.
 */
struct svm_vm {
	struct pt tables;
	u8 *io_map; /* all ones: every port exits */
};

/* enter.asm: VMRUN as a function that returns, without and with the return stack filled after the exit. */
typedef void (*svm_enter_t)(u64 *gpr, paddr_t vmcb, paddr_t host_vmcb);
void svm_enter_plain(u64 *gpr, paddr_t vmcb, paddr_t host_vmcb);
void svm_enter_stuffed(u64 *gpr, paddr_t vmcb, paddr_t host_vmcb);

/* One per vCPU, owned by the core on which it is current; `renew` is atomic. */
struct svm_vcpu {
	struct vmcb *vmcb;
	paddr_t vmcb_pa;
	u8 *msr_map;
	svm_enter_t enter; /* the variant with the mitigations that this machine needs */
	struct asid_tag tag;
	bool renew;	  /* (a) translations changed: take a fresh ASID at the next VMRUN */
	bool nmi_blocked; /* an NMI was delivered and no IRET has completed since */
	bool want_irq, want_nmi;
	bool iret_seen; /* the IRET that ends NMI blocking was intercepted and is being executed */
	bool stepping;	/* TF is ours: one step until the NMI window opens */
	u64 iret_rip;
	u64 shadow_rip; /* where an exit last found the guest in the shadow of STI or MOV SS */
	u64 dr[4];
	u64 tsc_aux;
	u32 *page_tpr; /* the local APIC's task priority; NULL: CR8 is intercepted */
};

static inline struct svm_vcpu *svm_of(struct vcpu *vcpu)
{
	return vcpu->engine_state;
}

/* A change to a group of VMCB fields: the processor must not use its cached copy (clean bits). */
static inline void svm_dirty(struct svm_vcpu *svm, u64 groups)
{
	svm->vmcb->clean &= ~groups;
}

void svm_open_gate(void);
void svm_gif_set(void);
void svm_gif_clear(void);

/* enable.c */
bool svm_probe(struct engine_probe *probe);
bool svm_core_enable(char *reason, size_t size);
void svm_core_disable(void);

/* memory.c */
int svm_vm_create(struct vm *vm);
void svm_vm_destroy(struct vm *vm);
int svm_map(struct vm *vm, gpa_t gpa, paddr_t pa, u64 size, u32 rights, enum memory_cache cache);
int svm_map_page(struct vm *vm, gpa_t gpa, paddr_t pa);
int svm_unmap(struct vm *vm, gpa_t gpa, u64 size);
int svm_protect(struct vm *vm, gpa_t gpa, u64 size, u32 rights);
void svm_memory_written(struct vm *vm, gpa_t gpa, u64 size);

/* control.c: the VMCB's control area of a new vCPU. */
void svm_control_init(struct vcpu *vcpu);
void svm_intercept_msr(struct vcpu *vcpu, u32 msr, bool read, bool write);

/* state.c */
void svm_fetch(struct vcpu *vcpu, u64 mask);
void svm_write_back(struct vcpu *vcpu);
u32 svm_segment_attributes(struct vcpu *vcpu, enum segment_name name);
u32 svm_cpl(struct vcpu *vcpu);
void svm_get_segment(struct vcpu *vcpu, enum segment_name name, struct segment *segment);
int svm_get_msr(struct vcpu *vcpu, u32 msr, u64 *value);
int svm_set_msr(struct vcpu *vcpu, u32 msr, u64 value);
u64 svm_get_dr(struct vcpu *vcpu, u32 dr);
void svm_set_dr(struct vcpu *vcpu, u32 dr, u64 value);
void svm_export_state(struct vcpu *vcpu, struct vcpu_state *state);
int svm_import_state(struct vcpu *vcpu, const struct vcpu_state *state);

/* switch.c */
void svm_load(struct vcpu *vcpu);
void svm_put(struct vcpu *vcpu);
void svm_set_xcr0(struct vcpu *vcpu, u64 value);
/*
 * TSC_AUX is in no VMCB. Its writes exit, so that it need not be read whenever a vCPU is put. False: the processor
 * refuses the value.
 */
bool svm_set_tsc_aux(struct vcpu *vcpu, u64 value);
/* vcpu->xcr0 from the processor, while the vCPU is current: before anyone asks for it or it is lost. */
void svm_sync_xcr0(struct vcpu *vcpu);
/* Bring the guest's DR0-3 into the processor until the vCPU is put: after the first touch of a debug register. */
void svm_load_debug(struct vcpu *vcpu);

/* event.c */
void svm_inject(struct vcpu *vcpu, const struct event *event);
void svm_request_window(struct vcpu *vcpu, bool irq, bool nmi);
u32 svm_interruptibility(struct vcpu *vcpu);
void svm_end_shadow(struct vcpu *vcpu);
void svm_set_single_step(struct vcpu *vcpu);
/* After an exit: what was being delivered goes back to vcpu->events; IRET tracking. */
void svm_collect_events(struct vcpu *vcpu);
/* This #DB ends a step that only we wanted (svm->stepping): the NMI window is open. */
bool svm_end_step(struct vcpu *vcpu);

/* apic.c */
u32 svm_assist_apic(struct vcpu *vcpu, void *page);
void svm_show_apic(struct vcpu *vcpu, const struct apic_view *view);
/* After an exit: what the guest made of its task priority goes to the local APIC. */
void svm_collect_tpr(struct svm_vcpu *svm);

/* exit.c */
void svm_decode_exit(struct vcpu *vcpu, struct vm_exit *exit);
u32 svm_raw_index(u64 exit_code);
bool svm_reason(u32 raw, struct engine_reason *reason);
enum reason_state svm_reason_state(u32 code);

/* dump.c */
void svm_dump(struct vcpu *vcpu, const struct vm_exit *exit);

#endif
