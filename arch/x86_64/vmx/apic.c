/*
 * The processor helps with a vCPU's local APIC, as far as it can (apic_controls.c). The device's register page is the
 * virtual-APIC page; what the VMCS says beside it is made from the page whenever it is shown, and written only where it
 * is new.
 *
 * Posted interrupts are not used: a message from another core or a device makes the core leave the guest and take it
 * over into the page.
 */
#include "arch/x86_64/vmx/apic_controls.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"
#include "core/pool.h"

static const struct vmcs64 eoi_exit_bitmaps[] = {
	VMCS_EOI_EXIT_BITMAP_0, VMCS_EOI_EXIT_BITMAP_1, VMCS_EOI_EXIT_BITMAP_2, VMCS_EOI_EXIT_BITMAP_3,
};

/*
 * The page by which the processor knows an access to the local APIC; nothing is ever in it. It is mapped before any
 * vCPU runs, all of which begin with their local APIC there.
 */
static bool map_access_page(struct vm *vm)
{
	struct vmx_vm *x = vmx_vm_of(vm);

	if (x->apic_access)
		return true;
	x->apic_access = pool_alloc(1);
	if (!x->apic_access)
		return false;
	if (vmx_map(vm, LAPIC_ADDRESS, pool_pa(x->apic_access), LAPIC_SIZE, GUEST_READ | GUEST_WRITE, CACHE_WB) == OK)
		return true;
	pool_free(x->apic_access, 1);
	x->apic_access = NULL;
	return false;
}

/*
 * For a vCPU that does not have its local APIC there any more the page would be memory. So it goes for the VM's other
 * vCPUs too, whose accesses are then EPT violations as without it, and does not come back. It is unmapped before the
 * control is turned off, and never mapped while it is off for anyone: no translation to it can be remembered that a
 * vCPU with the control on would use without an APIC access (SDM "Guidelines for Use of the INVEPT Instruction").
 */
static void unmap_access_page(struct vm *vm)
{
	struct vmx_vm *x = vmx_vm_of(vm);

	if (x->apic_access && !__atomic_exchange_n(&x->apic_access_gone, true, __ATOMIC_RELAXED))
		(void)vmx_unmap(vm, LAPIC_ADDRESS, LAPIC_SIZE);
}

static void set_msr_exits(struct vcpu *vcpu, u32 controls)
{
	for (u32 msr = X2APIC_MSR_FIRST; msr <= X2APIC_MSR_LAST; msr++)
		vmx_intercept_msr(vcpu, msr, !apic_msr_reads_page(controls, msr), !apic_msr_writes_page(controls, msr));
}

static void set_controls(struct vcpu *vcpu, u32 controls)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	u32 changed = v->apic_controls ^ controls;

	if (LIKELY(!changed))
		return;
	if (!(controls & SECONDARY_APIC_ACCESS))
		unmap_access_page(vcpu->vm);
	v->apic_controls = controls;
	vmwrite32(VMCS_SECONDARY_CONTROLS, vmx_setup.control[CONTROL_SECONDARY] | controls);
	if ((changed | controls) & SECONDARY_X2APIC)
		set_msr_exits(vcpu, controls);
}

static void show_levels(struct vmx_vcpu *v, const struct apic_view *view)
{
	for (u32 i = 0; i < ARRAY_SIZE(eoi_exit_bitmaps); i++) {
		u64 exits = apic_eoi_exits(view, i);

		if (UNLIKELY(exits != v->eoi_exits[i])) {
			v->eoi_exits[i] = exits;
			vmwrite64(eoi_exit_bitmaps[i], exits);
		}
	}
}

/*
 * While the control is on, the processor keeps the status in step with the page; so it is what we wrote, or what the
 * page says.
 */
static void show_interrupts(struct vmx_vcpu *v, const struct apic_view *view)
{
	bool any = apic_any_eoi_exits(view);

	vmwrite16(VMCS_GUEST_INTERRUPT_STATUS, apic_interrupt_status(view));
	if (UNLIKELY(any || v->any_eoi_exits))
		show_levels(v, view);
	v->any_eoi_exits = any;
}

void vmx_show_apic(struct vcpu *vcpu, const struct apic_view *view)
{
	struct vmx_vcpu *v = vmx_of(vcpu);
	u32 controls = apic_controls(v->apic_offered, view), threshold = apic_threshold(controls, view);

	set_controls(vcpu, controls);
	if (controls & SECONDARY_VIRTUAL_INTERRUPTS)
		show_interrupts(v, view);
	if (threshold != v->tpr_threshold) {
		v->tpr_threshold = threshold;
		vmwrite32(VMCS_TPR_THRESHOLD, threshold);
	}
}

u32 vmx_assist_apic(struct vcpu *vcpu, void *page)
{
	struct vmx_vcpu *v = vmx_of(vcpu), *before;

	if (!vmx_setup.tpr_shadow)
		return 0;
	v->apic_offered = vmx_setup.apic_controls;
	if (v->apic_offered & SECONDARY_APIC_ACCESS && !map_access_page(vcpu->vm))
		v->apic_offered &= ~(u32)SECONDARY_APIC_ACCESS;
	before = vmx_hold(v);
	vmwrite64(VMCS_VIRTUAL_APIC_ADDRESS, pool_pa(page));
	vmwrite32(VMCS_TPR_THRESHOLD, 0);
	vmx_set_primary(v, (v->primary & ~(u32)(PRIMARY_CR8_LOAD | PRIMARY_CR8_STORE)) | (u32)PRIMARY_TPR_SHADOW);
	if (v->apic_offered & SECONDARY_APIC_ACCESS)
		vmwrite64(VMCS_APIC_ACCESS_ADDRESS, pool_pa(vmx_vm_of(vcpu->vm)->apic_access));
	if (v->apic_offered & SECONDARY_VIRTUAL_INTERRUPTS) {
		vmwrite16(VMCS_GUEST_INTERRUPT_STATUS, 0);
		for (u32 i = 0; i < ARRAY_SIZE(eoi_exit_bitmaps); i++)
			vmwrite64(eoi_exit_bitmaps[i], 0);
	}
	vmx_release(v, before);
	return (u32)APIC_ASSIST_TPR | (v->apic_offered & SECONDARY_VIRTUAL_INTERRUPTS ? (u32)APIC_ASSIST_DELIVERY : 0);
}
