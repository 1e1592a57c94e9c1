/* The machine's side of mitigation.h: what it says of itself, and the MSRs and instructions. */
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/mitigation.h"
#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/cpu/safe.h"
#include "core/log.h"
#include "core/percpu.h"

#define PRED_CMD_IBPB	  BIT(0)
#define EFER_AIBRSE	  BIT(21)
#define CPUID7_EBX_RTM	  BIT(11)
#define CPUID72_EDX_BHI_CTRL BIT(4)
#define CPUID88_EBX_IBPB  BIT(12)
#define CPUID8021_EAX_AIBRS BIT(8)

static struct mitigation_plan plan; /* written by mitigation_init(), constant after */

static enum mitigation_vendor vendor(void)
{
	struct cpuid_leaf leaf = features_cpuid(0, 0);

	if (leaf.ebx == 0x756e6547) /* "Genu" ineIntel */
		return VENDOR_INTEL;
	return leaf.ebx == 0x68747541 /* "Auth" enticAMD */ ? VENDOR_AMD : VENDOR_OTHER;
}

/* DisplayFamily and DisplayModel (SDM vol. 2 "CPUID", leaf 01H). */
static void read_model(struct mitigation_inputs *in)
{
	u32 signature = features_cpuid(1, 0).eax;

	in->family = signature >> 8 & 0xf;
	in->model = signature >> 4 & 0xf;
	if (in->family == 6 || in->family == 15)
		in->model |= signature >> 12 & 0xf0;
	if (in->family == 15)
		in->family += signature >> 20 & 0xff;
}

void mitigation_init(bool off)
{
	struct mitigation_inputs in = {
		.off = off,
		.vendor = vendor(),
		.virtual = features_cpuid(1, 0).ecx & BIT(31),
		.has_capabilities = cpu_has(FEATURE_ARCH_CAPABILITIES),
		.md_clear = cpu_has(FEATURE_MD_CLEAR),
		.l1d_flush = cpu_has(FEATURE_L1D_FLUSH),
		.ibrs_ibpb = cpu_has(FEATURE_SPEC_CTRL),
		.amd_ibpb = features_cpuid(0x80000008, 0).ebx & CPUID88_EBX_IBPB,
		.amd_automatic_ibrs = features_cpuid(0x80000021, 0).eax & CPUID8021_EAX_AIBRS,
		.rtm = features_cpuid(7, 0).ebx & CPUID7_EBX_RTM,
		.bhi_ctrl = features_cpuid(7, 2).edx & CPUID72_EDX_BHI_CTRL,
	};
	char text[240];

	read_model(&in);
	if (in.has_capabilities && !rdmsr_safe(MSR_ARCH_CAPABILITIES, &in.capabilities))
		in.has_capabilities = false;
	plan = mitigation_decide(&in);
	mitigation_describe(&plan, off, text, sizeof(text));
	log_line("mitigations: %s", text);
}

void mitigation_init_core(void)
{
	this_core()->feature_mask = plan.mask;
	if (plan.spec_ctrl)
		wrmsr(MSR_SPEC_CTRL, plan.spec_ctrl);
	if (plan.automatic_ibrs)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AIBRSE);
}

void mitigation_vm_switch(void)
{
	if (this_core()->feature_mask & MITIGATE_IBPB)
		wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
}
