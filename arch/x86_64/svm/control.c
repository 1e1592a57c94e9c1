/* The VMCB's control area of a new vCPU, by tables (APM vol. 2 "VMRUN Instruction", "Intercept Operation"). */
#include "arch/x86_64/svm/maps.h"
#include "arch/x86_64/svm/svm.h"
#include "core/pool.h"
#include "lib/string.h"

/* What a guest may never do itself, and why. */
static const u8 intercepts3[] = {
	INTERCEPT_INTR,	       /* physical interrupts are ours */
	INTERCEPT_NMI,
	INTERCEPT_INIT,
	INTERCEPT_RDPMC,       /* the counters are the machine's */
	INTERCEPT_CPUID,
	INTERCEPT_INVD,	       /* would throw away everyone's dirty lines */
	INTERCEPT_HLT,
	INTERCEPT_INVLPGA,
	INTERCEPT_IOIO,
	INTERCEPT_MSR,
	INTERCEPT_TASK_SWITCH, /* the same emulation as under VT-x, so that both behave alike */
	INTERCEPT_FERR_FREEZE,
	INTERCEPT_SHUTDOWN,    /* the guest's triple fault, not ours */
};

static const u8 intercepts4[] = {
	INTERCEPT_VMRUN, /* architecturally required */
	INTERCEPT_VMMCALL, INTERCEPT_VMLOAD, INTERCEPT_VMSAVE, INTERCEPT_STGI, INTERCEPT_CLGI, INTERCEPT_SKINIT,
	INTERCEPT_WBINVD,
	INTERCEPT_MONITOR, INTERCEPT_MWAIT, /* CPUID hides them */
	INTERCEPT_XSETBV,
	INTERCEPT_RDPRU,
};

/*
 * #DB and #AC are caught so that their delivery can't fault for ever inside the processor (CVE-2015-8104,
 * CVE-2015-5307); #MC is the machine's. #UD tells a VMCALL from other invalid opcodes: both hypercall instructions work
 * under both engines.
 */
static const u8 exceptions[] = {VECTOR_DB, VECTOR_AC, VECTOR_MC, VECTOR_UD};

static u32 word_of(const u8 *bits, size_t n)
{
	u32 word = 0;

	for (size_t i = 0; i < n; i++)
		word |= 1u << bits[i];
	return word;
}

/* MSRs that VMLOAD, VMSAVE, VMRUN or load/put switch: the guest owns the real ones from the start. */
static const u32 owned_msrs[] = {
	MSR_STAR,	MSR_LSTAR,	  MSR_CSTAR,	    MSR_SFMASK,	     MSR_FS_BASE, MSR_GS_BASE,
	MSR_KERNEL_GS_BASE, MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};

/*
 * A guest that spins for long gives its core away: so many PAUSEs make an exit, where the processor can tell only those
 * that follow each other within so many ticks (APM vol. 2 "Pause Intercept Filtering"). Without the filter each PAUSE
 * would be one.
 */
#define PAUSES_BEFORE_EXIT 3000u
#define PAUSE_GAP_TICKS	   128u

static void filter_pause(struct vmcb *vmcb)
{
	if (!svm_features.pause_filter)
		return;
	vmcb->intercept3 |= 1u << INTERCEPT_PAUSE;
	vmcb->pause_count = PAUSES_BEFORE_EXIT;
	if (svm_features.pause_threshold)
		vmcb->pause_threshold = PAUSE_GAP_TICKS;
}

void svm_control_init(struct vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct svm_vm *vm = vcpu->vm->engine_state;
	struct vmcb *vmcb = svm->vmcb;

	vmcb->intercept3 = word_of(intercepts3, ARRAY_SIZE(intercepts3));
	vmcb->intercept4 = word_of(intercepts4, ARRAY_SIZE(intercepts4));
	vmcb->exceptions = word_of(exceptions, ARRAY_SIZE(exceptions));
	filter_pause(vmcb);
	/*
	 * CR4: guests see only the features that CPUID shows them. CR0 and CR3 the processor checks and nested paging
	 * contains. CR8 is the virtual local APIC's (apic.c).
	 */
	vmcb->cr_write = BIT(4) | BIT(8);
	vmcb->cr_read = BIT(8);
	/* The first touch of a debug register brings them in (svm_load_debug). */
	vmcb->dr_read = vmcb->dr_write = 0xffff;
	vmcb->io_map = pool_pa(vm->io_map);
	vmcb->msr_map = pool_pa(svm->msr_map);
	vmcb->vintr = VINTR_MASKING;
	vmcb->nested_control = VMCB_NESTED_PAGING;
	vmcb->nested_cr3 = pool_pa(vm->tables.root);
	memset(svm->msr_map, 0xff, MSR_MAP_SIZE);
	for (u32 i = 0; i < ARRAY_SIZE(owned_msrs); i++)
		msr_map_set(svm->msr_map, owned_msrs[i], false, false);
}

void svm_intercept_msr(struct vcpu *vcpu, u32 msr, bool read, bool write)
{
	msr_map_set(svm_of(vcpu)->msr_map, msr, read, write || msr == MSR_TSC_AUX);
	svm_dirty(svm_of(vcpu), CLEAN_MAPS);
}
