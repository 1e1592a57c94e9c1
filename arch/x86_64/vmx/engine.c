/* Engine 1: Intel VT-x. The table that the rest of the house sees. */
#include "arch/x86_64/vmx/engine.h"

#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/vmx/exit.h"
#include "arch/x86_64/vmx/vmx.h"

static enum reason_state vmx_reason_state(u32 code)
{
	return vmx_reason_state_under(&vmx_setup, code);
}

const struct engine_ops vmx_engine = {
	.name = "vmx",
	.title = "Intel VT-x",
	.probe = vmx_probe,
	.core_enable = vmx_core_enable,
	.core_disable = vmx_core_disable,
	.vm_create = vmx_vm_create,
	.vm_destroy = vmx_vm_destroy,
	.vcpu_create = vmx_vcpu_create,
	.vcpu_destroy = vmx_vcpu_destroy,
	.load = vmx_load,
	.put = vmx_put,
	.run = vmx_run,
	.fetch = vmx_fetch,
	.instruction_end = vmx_instruction_end,
	.instruction_length = vmx_instruction_length,
	.interruptibility = vmx_interruptibility,
	.end_shadow = vmx_end_shadow,
	.set_single_step = vmx_set_single_step,
	.inject = vmx_inject,
	.request_window = vmx_request_window,
	.assist_apic = vmx_assist_apic,
	.show_apic = vmx_show_apic,
	.get_segment = vmx_get_segment,
	.segment_attributes = vmx_segment_attributes,
	.cpl = vmx_cpl,
	.get_msr = vmx_get_msr,
	.set_msr = vmx_set_msr,
	.get_dr = vmx_get_dr,
	.set_dr = vmx_set_dr,
	.set_xcr0 = vmx_set_xcr0,
	.set_pdptes = vmx_set_pdptes,
	.export_state = vmx_export_state,
	.import_state = vmx_import_state,
	.map = vmx_map,
	.map_page = vmx_map_page,
	.unmap = vmx_unmap,
	.protect = vmx_protect,
	.memory_written = vmx_memory_written,
	.set_tsc_offset = vmx_set_tsc_offset,
	.set_slice = vmx_set_slice,
	.intercept_msr = vmx_intercept_msr,
	.flush_guest = vmx_flush_guest,
	.limit_cpuid = vmx_limit_cpuid,
	.dump = vmx_dump,
	.reason = vmx_reason,
	.reason_state = vmx_reason_state,
};
