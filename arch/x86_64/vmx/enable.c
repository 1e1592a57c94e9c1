/*
 * VT-x on each core: is it there, may it be turned on, on and off (SDM vol. 3 "Discovering Support for VMX", "Enabling
 * and Entering VMX Operation").
 */
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/safe.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/pool.h"
#include "lib/fmt.h"

#define CPUID_1_ECX_VMX BIT(5)

struct vmx_setup vmx_setup;

/* Guards `common` and `decided`, while cores come up. */
static struct spinlock enable_lock = SPINLOCK_INIT;
static struct capability common;
static u32 cores_enabled;
static bool decided;

void capability_read(struct capability *capability)
{
	static const u32 plain[CONTROL_GROUPS] = {
		[CONTROL_PIN] = MSR_VMX_PINBASED_CTLS,
		[CONTROL_PRIMARY] = MSR_VMX_PROCBASED_CTLS,
		[CONTROL_EXIT] = MSR_VMX_EXIT_CTLS,
		[CONTROL_ENTRY] = MSR_VMX_ENTRY_CTLS,
	};
	static const u32 true_controls[CONTROL_GROUPS] = {
		[CONTROL_PIN] = MSR_VMX_TRUE_PINBASED,
		[CONTROL_PRIMARY] = MSR_VMX_TRUE_PROCBASED,
		[CONTROL_EXIT] = MSR_VMX_TRUE_EXIT,
		[CONTROL_ENTRY] = MSR_VMX_TRUE_ENTRY,
	};

	*capability = (struct capability){.basic = rdmsr(MSR_VMX_BASIC), .misc = rdmsr(MSR_VMX_MISC)};
	for (u32 i = 0; i < CONTROL_GROUPS; i++) {
		if (i != CONTROL_SECONDARY)
			capability->control[i] =
				rdmsr(capability->basic & BASIC_TRUE_CONTROLS ? true_controls[i] : plain[i]);
	}
	/* The MSRs exist only with what they describe. */
	if (capability->control[CONTROL_PRIMARY] >> 32 & PRIMARY_SECONDARY)
		capability->control[CONTROL_SECONDARY] = rdmsr(MSR_VMX_PROCBASED_CTLS2);
	if (capability->control[CONTROL_SECONDARY] >> 32 & (SECONDARY_EPT | SECONDARY_VPID))
		capability->ept_vpid = rdmsr(MSR_VMX_EPT_VPID_CAP);
	capability->cr0_fixed0 = rdmsr(MSR_VMX_CR0_FIXED0);
	capability->cr0_fixed1 = rdmsr(MSR_VMX_CR0_FIXED1);
	capability->cr4_fixed0 = rdmsr(MSR_VMX_CR4_FIXED0);
	capability->cr4_fixed1 = rdmsr(MSR_VMX_CR4_FIXED1);
}

/* SDM: VMXON is #GP unless the lock bit and the bit of the mode are set; once locked, only a reset changes it. */
static bool feature_control_allows(char *reason, size_t size)
{
	u64 value;

	if (!rdmsr_safe(MSR_FEATURE_CONTROL, &value)) {
		(void)fmt_print(reason, size,
				"the processor shows no IA32_FEATURE_CONTROL: is this itself a virtual machine?");
		return false;
	}
	if ((value & FEATURE_CONTROL_LOCK) && !(value & FEATURE_CONTROL_OUTSIDE_SMX)) {
		(void)fmt_print(reason, size,
				"VT-x is turned off and locked by firmware (IA32_FEATURE_CONTROL = %llx): turn on "
				"\"Intel Virtualization "
				"Technology\" or \"VT-x\" in firmware setup, then switch the machine off and on",
				(unsigned long long)value);
		return false;
	}
	return true;
}

static bool sane_basic(const struct capability *capability, char *reason, size_t size)
{
	if (BASIC_SIZE(capability->basic) > PAGE_SIZE || (capability->basic & BASIC_32_BIT) ||
	    BASIC_MEMORY_TYPE(capability->basic) != CACHE_WB) {
		(void)fmt_print(reason, size,
				"IA32_VMX_BASIC = %llx: a VMCS must fit 4 KiB of write-back memory above 4 GiB here",
				(unsigned long long)capability->basic);
		return false;
	}
	return true;
}

/* All that can be known without changing the core. */
static bool core_fit(struct capability *capability, char *reason, size_t size)
{
	char missing[160];

	if (!(cpuid(1, 0).ecx & CPUID_1_ECX_VMX)) {
		(void)fmt_print(
			reason, size,
			"the processor has no VT-x (CPUID.1:ECX.VMX is 0), or the machine around this one hides it");
		return false;
	}
	if (!feature_control_allows(reason, size))
		return false;
	capability_read(capability);
	if (!sane_basic(capability, reason, size))
		return false;
	if (!capability_check(capability, missing, sizeof(missing))) {
		(void)fmt_print(reason, size, "this processor's VT-x lacks: %s", missing);
		return false;
	}
	return true;
}

bool vmx_probe(struct engine_probe *probe)
{
	struct capability capability;

	probe->reason[0] = probe->features[0] = '\0';
	if (!core_fit(&capability, probe->reason, sizeof(probe->reason)))
		return false;
	capability_describe(&capability, probe->features, sizeof(probe->features));
	return true;
}

/* The new core's capabilities join those of the others; after vmx_decide() it must be able to do what was decided. */
static bool join(const struct capability *capability, char *reason, size_t size)
{
	char text[160] = "";
	bool fine = true;

	lock_acquire(&enable_lock);
	if (decided)
		fine = capability_supports(capability, &vmx_setup, text, sizeof(text));
	else if (cores_enabled == 0)
		common = *capability;
	else
		fine = capability_join(&common, capability, text, sizeof(text));
	if (fine)
		cores_enabled++;
	lock_release(&enable_lock);
	if (!fine)
		(void)fmt_print(reason, size, "its VT-x does not fit the other cores': %s", text);
	return fine;
}

void vmx_decide(void)
{
	lock_acquire(&enable_lock);
	if (!decided) {
		ASSERT(cores_enabled > 0);
		capability_decide(&common, &vmx_setup);
		decided = true;
	}
	lock_release(&enable_lock);
}

/* CR0 and CR4 must have the fixed bits before VMXON (SDM "Restrictions on VMX Operation"). */
static bool fix_control_registers(const struct capability *capability, char *reason, size_t size)
{
	u64 cr0 = read_cr0() | capability->cr0_fixed0, cr4 = read_cr4() | capability->cr4_fixed0 | CR4_VMXE;

	if ((cr0 & ~capability->cr0_fixed1) || (cr4 & ~capability->cr4_fixed1)) {
		(void)fmt_print(reason, size,
				"VMX operation does not allow what this core has in CR0 or CR4 (%llx, %llx)",
				(unsigned long long)cr0, (unsigned long long)cr4);
		return false;
	}
	write_cr0(cr0);
	write_cr4(cr4);
	return true;
}

static void unlock_feature_control(void)
{
	u64 value = rdmsr(MSR_FEATURE_CONTROL);

	if (!(value & FEATURE_CONTROL_LOCK))
		wrmsr(MSR_FEATURE_CONTROL, value | FEATURE_CONTROL_OUTSIDE_SMX | FEATURE_CONTROL_LOCK);
}

static struct vmx_core *new_core(const struct capability *capability)
{
	struct vmx_core *core = pool_new(sizeof(*core));

	if (!core)
		return NULL;
	core->region = pool_alloc(1);
	if (!core->region) {
		pool_delete(core, sizeof(*core));
		return NULL;
	}
	*(u32 *)core->region = BASIC_REVISION(capability->basic);
	vmx_read_switched_msrs(core);
	return core;
}

static void delete_core(struct vmx_core *core)
{
	pool_free(core->region, 1);
	pool_delete(core, sizeof(*core));
}

bool vmx_core_enable(char *reason, size_t size)
{
	struct capability capability;
	struct vmx_core *core;

	if (!core_fit(&capability, reason, size) || !fix_control_registers(&capability, reason, size))
		return false;
	core = new_core(&capability);
	if (!core) {
		(void)fmt_print(reason, size, "no memory left for its VMXON region");
		return false;
	}
	unlock_feature_control();
	if (!vmxon(pool_pa(core->region))) {
		(void)fmt_print(reason, size, "VMXON failed");
		delete_core(core);
		return false;
	}
	this_core()->engine = core;
	vmx_flush_core_start(&capability);
	if (!join(&capability, reason, size)) {
		vmx_core_disable();
		return false;
	}
	return true;
}

/*
 * No VMCS may be active here any more: VMXOFF leaves their data in limbo (SDM "Software Use of Virtual-Machine Control
 * Structures").
 */
void vmx_core_disable(void)
{
	struct vmx_core *core = vmx_this_core();

	if (!core)
		return;
	ASSERT(!core->current);
	vmxoff();
	write_cr4(read_cr4() & ~CR4_VMXE);
	this_core()->engine = NULL;
	delete_core(core);
}
