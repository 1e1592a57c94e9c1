/* Carries out the invalidation lists of arch/x86_64/mmu/inval.h, which alone decides what is needed. */
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/vmx.h"
#include "core/panic.h"

/* INVEPT and INVVPID fail only for a type the processor does not have or a bad operand: our own broken invariant. */
static void step_here(enum inval_step step, const struct flush_target *target)
{
	switch (step) {
	case INVAL_VMCLEAR_OLD_CORE:
		vmx_deactivate(target->v);
		break;
	case INVAL_EPT_SINGLE:
		ASSERT(invept(INVEPT_SINGLE, target->ept_pointer));
		break;
	case INVAL_EPT_ALL:
		ASSERT(invept(INVEPT_ALL, 0));
		break;
	case INVAL_VPID_SINGLE:
		ASSERT(invvpid(INVVPID_SINGLE, target->v->vpid, 0));
		break;
	case INVAL_VPID_ALL:
		ASSERT(invvpid(INVVPID_ALL, 0, 0));
		break;
	case INVAL_FREE_FRAMES:
		if (target->free_frames)
			target->free_frames(target->context);
		break;
	default:
		panic("VT-x was given the invalidation step \"%s\"", inval_step_name(step));
	}
}

struct holders_work {
	const enum inval_step *steps;
	const struct flush_target *target;
};

static bool ends_holders(enum inval_step step)
{
	return step == INVAL_END || step == INVAL_FREE_FRAMES;
}

/* Cores without VMX operation on (still starting, or left out) hold nothing. */
static void holders_flush(void *context)
{
	const struct holders_work *work = context;

	if (!vmx_this_core())
		return;
	for (const enum inval_step *step = work->steps; !ends_holders(*step); step++)
		step_here(*step, work->target);
}

static void follow(const enum inval_step *step, const struct flush_target *target)
{
	for (; *step != INVAL_END; step++) {
		if (*step != INVAL_KICK_HOLDERS) {
			step_here(*step, target);
			continue;
		}
		struct holders_work work = {.steps = step + 1, .target = target};

		smp_call_all(holders_flush, &work);
		while (!ends_holders(step[1]))
			step++;
	}
}

void vmx_flush(enum inval_event event, const struct flush_target *target)
{
	const struct inval_machine machine = {
		.engine = INVAL_VMX,
		.has_tag = vmx_setup.vpid,
		.has_single = vmx_setup.invept_single && (!vmx_setup.vpid || vmx_setup.invvpid_single),
	};

	follow(inval_steps(event, &machine), target);
}

/* vmx_setup is not decided while cores start: what this one can do counts. */
void vmx_flush_core_start(const struct capability *capability)
{
	const struct inval_machine machine = {
		.engine = INVAL_VMX,
		.has_tag = capability_has_vpid(capability),
	};
	const struct flush_target target = {0};

	follow(inval_steps(INVAL_CORE_STARTED, &machine), &target);
}

void vmx_flush_guest(struct vcpu *vcpu)
{
	const struct flush_target target = {.v = vmx_of(vcpu)};

	vmx_flush(INVAL_GUEST_PAGING, &target);
}
