/*
 * The guest's task priority is V_TPR while it runs: with V_INTR_MASKING it reads and writes that by CR8 without an exit
 * (APM vol. 2 "Virtualizing APIC.TPR"). The local APIC's register page has it after each exit. There is no exit for a
 * priority that falls, as VT-x's threshold is one; so writes of CR8 are intercepted while an interrupt waits for that
 * alone.
 */
#include "arch/x86_64/svm/svm.h"
#include "vmm/devices/apic_view.h"

#define PAGE_TPR 0x80u /* offset of the register */
#define CR8	 BIT(8)

u32 svm_assist_apic(struct vcpu *vcpu, void *page)
{
	struct svm_vcpu *svm = svm_of(vcpu);

	svm->page_tpr = (u32 *)((u8 *)page + PAGE_TPR);
	svm->vmcb->cr_read &= (u16)~CR8;
	svm->vmcb->cr_write &= (u16)~CR8;
	svm_dirty(svm, CLEAN_INTERCEPTS);
	return APIC_ASSIST_TPR;
}

void svm_show_apic(struct vcpu *vcpu, const struct apic_view *view)
{
	struct svm_vcpu *svm = svm_of(vcpu);
	struct vmcb *vmcb = svm->vmcb;
	u64 vintr = (vmcb->vintr & ~VINTR_TPR_MASK) | view->tpr >> 4;
	u16 cr_write = (u16)((vmcb->cr_write & ~CR8) | (view->threshold ? CR8 : 0));

	if (vintr != vmcb->vintr) {
		vmcb->vintr = vintr;
		svm_dirty(svm, CLEAN_TPR);
	}
	if (cr_write != vmcb->cr_write) {
		vmcb->cr_write = cr_write;
		svm_dirty(svm, CLEAN_INTERCEPTS);
	}
}

/* CR8 has no bits 3:0; what the guest wrote there by MMIO stays as long as the rest does. Other cores read it. */
void svm_collect_tpr(struct svm_vcpu *svm)
{
	u32 priority = (u32)(svm->vmcb->vintr & VINTR_TPR_MASK);

	if (svm->page_tpr && *svm->page_tpr >> 4 != priority)
		__atomic_store_n(svm->page_tpr, priority << 4, __ATOMIC_RELAXED);
}
