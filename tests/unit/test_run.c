// sources: vmm/run.c vmm/vcpu_regs.c vmm/event.c tests/unit/fake_engine.c tests/unit/fake_policy.c vmm/cpuid.c vmm/cpuid_table.c vmm/cpuid_account.c vmm/account.c vmm/msr.c vmm/mtrr.c vmm/efer.c tests/unit/fake_core.c tests/unit/fake_end.c
/* The run loop: what each verdict does and does not do, advancing, accounting, and the ways a vCPU leaves its core. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/mmu/root.h"
#include "core/percpu.h"
#include "tests/unit/fake_core.h"
#include "tests/unit/fake_engine.h"
#include "vmm/core.h"
#include "vmm/loop.h"

static struct fake fake;
static enum verdict verdicts[64];
static u32 verdict_at;
static void (*on_handle)(void);

static enum verdict scripted(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)vcpu;
	(void)exit;
	if (on_handle)
		on_handle();
	return verdicts[verdict_at++];
}

#define ROW(kind) [kind] = {"scripted", scripted, false}
const struct exit_row exit_table[EXIT_KINDS] = {ROW(EXIT_CPUID), ROW(EXIT_IO), ROW(EXIT_HLT)};

/* The scheduler, the roots and the VM as run.c meets them: what was asked of them is written down. */
static u32 yields, blocks, removes, gone, stuck, outputs;
static bool wake_before_block;
struct root base_root = {.cr3 = 0x1000};

void root_load(struct root *root)
{
	this_core()->root = root->cr3;
}

u64 sched_slice(struct vcpu *vcpu)
{
	(void)vcpu;
	return 1ull << 60;
}

void sched_yield(struct vcpu *vcpu)
{
	(void)vcpu;
	yields++;
}

bool sched_block(struct vcpu *vcpu)
{
	(void)vcpu;
	blocks++;
	return !wake_before_block;
}

void sched_remove(struct vcpu *vcpu)
{
	(void)vcpu;
	removes++;
}

void vm_vcpu_gone(struct vcpu *vcpu)
{
	(void)vcpu;
	assert_null(this_core()->current);
	assert_int_equal(this_core()->root, base_root.cr3);
	gone++;
}

void vm_vcpu_stuck(struct vcpu *vcpu)
{
	(void)vcpu;
	stuck++;
}

void core_output(void)
{
	this_core()->vmm->output_due = false;
	outputs++;
}

void timer_arm(struct timer *timer, u64 deadline)
{
	(void)timer;
	(void)deadline;
}

static bool exited(struct vcpu *vcpu)
{
	return vcpu_exited(vcpu);
}

static const struct vm_exit script[64] = {{.kind = EXIT_CPUID, .raw = 10}};
static struct vm_exit exits[64];

static int setup(void **state)
{
	(void)state;
	fake_cores_init();
	fake_init(&fake);
	fake.vm.root.cr3 = 0x9000;
	for (u32 i = 0; i < ARRAY_SIZE(exits); i++)
		exits[i] = script[0];
	fake.exited = exited;
	fake.script = exits;
	fake.script_length = ARRAY_SIZE(exits);
	verdict_at = 0;
	on_handle = NULL;
	memset(verdicts, 0, sizeof(verdicts));
	yields = blocks = removes = gone = stuck = outputs = 0;
	wake_before_block = false;
	return 0;
}

/* One exit with this verdict, then the VM is over. */
static void run_one(enum verdict verdict)
{
	verdicts[0] = verdict;
	verdicts[1] = VERDICT_END;
	vcpu_run(&fake.vcpu);
}

static void test_rip_moves_only_where_said(void **state)
{
	static const struct {
		enum verdict verdict;
		u64 rip;
		u32 yields, blocks, gone;
	} rows[] = {
		{VERDICT_ADVANCE, 0x1002, 0, 0, 1}, {VERDICT_RETRY, 0x1000, 0, 0, 1},
		{VERDICT_INJECT, 0x1000, 0, 0, 1},  {VERDICT_BLOCK, 0x1002, 0, 1, 0},
		{VERDICT_YIELD, 0x1002, 1, 0, 0},   {VERDICT_RESCHEDULE, 0x1000, 1, 0, 0},
		{VERDICT_WAIT, 0x1000, 0, 1, 0},    {VERDICT_END, 0x1000, 0, 0, 1},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(state);
		run_one(rows[i].verdict);
		assert_int_equal(fake.vcpu.reg[REG_RIP], rows[i].rip);
		assert_int_equal(yields, rows[i].yields);
		assert_int_equal(blocks, rows[i].blocks);
		assert_int_equal(gone, rows[i].gone);
		assert_int_equal(removes, gone);
	}
}

static void test_advance_wraps_by_mode(void **state)
{
	(void)state;
	fake.vcpu.reg[REG_RIP] = 0xffffffff;
	vcpu_advance(&fake.vcpu);
	assert_int_equal(fake.vcpu.reg[REG_RIP], 0x100000001);
	fake_set_mode(&fake, CR0_PE | CR0_PG, EFER_LME | EFER_LMA, 0xc09b, 0); /* compatibility mode */
	fake.vcpu.reg[REG_RIP] = 0xffffffff;
	vcpu_advance(&fake.vcpu);
	assert_int_equal(fake.vcpu.reg[REG_RIP], 1);
	/* IP is not cut to 16 bits: the next fetch is beyond the limit (SDM "Segment Wraparound"). */
	fake_set_mode(&fake, CR0_ET, 0, 0x9b, 0);
	fake.vcpu.reg[REG_RIP] = 0xffff;
	vcpu_advance(&fake.vcpu);
	assert_int_equal(fake.vcpu.reg[REG_RIP], 0x10001);
}

static void test_advance_ends_shadow_rf_and_steps(void **state)
{
	(void)state;
	vcpu_advance(&fake.vcpu);
	assert_int_equal(fake.shadows_ended + fake.steps_set, 0);
	fake.blocked = BLOCKED_BY_STI | BLOCKED_BY_NMI;
	fake.vcpu.reg[REG_RFLAGS] |= RFLAGS_RF | RFLAGS_TF;
	vcpu_advance(&fake.vcpu);
	assert_int_equal(fake.shadows_ended, 1);
	assert_int_equal(fake.blocked, BLOCKED_BY_NMI);
	assert_int_equal(fake.steps_set, 1);
	assert_false(fake.vcpu.reg[REG_RFLAGS] & RFLAGS_RF);
	fake.debugctl = DEBUGCTL_BTF; /* steps by branches, which an emulated instruction is not */
	vcpu_advance(&fake.vcpu);
	assert_int_equal(fake.steps_set, 1);
	fake.blocked = BLOCKED_BY_MOV_SS;
	vcpu_advance(&fake.vcpu);
	assert_int_equal(fake.blocked, 0);
}

static void test_registers_are_fetched_when_missing(void **state)
{
	(void)state;
	fake.vcpu.cached = 0;
	vcpu_advance(&fake.vcpu);
	assert_int_equal(fake.fetches, 1);
	vcpu_advance(&fake.vcpu);
	assert_int_equal(fake.fetches, 1);
}

static void test_accounting(void **state)
{
	(void)state;
	exits[1] = (struct vm_exit){.kind = EXIT_IO, .raw = 30};
	verdicts[2] = VERDICT_END;
	vcpu_run(&fake.vcpu);
	assert_int_equal(fake.vcpu.account.count[10], 2);
	assert_int_equal(fake.vcpu.account.count[30], 1);
	assert_true(account_guest_ticks(&fake.vcpu.account) > 0);
	assert_true(fake.vcpu.account.ticks[10] > 0);
	assert_true(fake.vcpu.account.loop_ticks >= account_guest_ticks(&fake.vcpu.account));
}

static void test_makes_current_in_its_root(void **state)
{
	(void)state;
	verdicts[0] = VERDICT_YIELD;
	verdicts[1] = VERDICT_YIELD;
	vcpu_run(&fake.vcpu);
	assert_ptr_equal(this_core()->current, &fake.vcpu);
	assert_int_equal(this_core()->root, 0x9000);
	vcpu_run(&fake.vcpu);
	assert_int_equal(fake.loads, 1); /* still loaded from the last time */
	assert_int_equal(fake.slices, 2);
	core_release();
	assert_int_equal(fake.puts, 1);
	assert_int_equal(this_core()->root, base_root.cr3);
}

static u8 no_vector(struct vcpu *vcpu)
{
	(void)vcpu;
	return 0;
}

/* Until another VM's needs the core, or its own VM ends: then nothing of it may be left there. */
static void test_a_halted_one_stays_loaded(void **state)
{
	struct fake other;

	(void)state;
	fake_init(&other);
	other.vm.root.cr3 = 0xa000;
	other.vm.serial = 2;
	other.exited = exited;
	other.script = exits;
	other.script_length = ARRAY_SIZE(exits);
	fake.vcpu.irq_take = no_vector;
	verdicts[0] = VERDICT_BLOCK;
	verdicts[1] = VERDICT_YIELD;
	vcpu_run(&fake.vcpu);
	assert_int_equal(blocks, 1);
	assert_int_equal(fake.puts, 0);
	assert_ptr_equal(this_core()->current, &fake.vcpu);
	assert_int_equal(this_core()->root, 0x9000);
	vcpu_run(&other.vcpu);
	assert_int_equal(fake.puts, 1);
	assert_int_equal(other.loads, 1);
	assert_ptr_equal(this_core()->current, &other.vcpu);
	assert_int_equal(this_core()->root, 0xa000);
	fake.vcpu.attention = ATTENTION_END;
	vcpu_run(&fake.vcpu);
	assert_int_equal(gone, 1);
	assert_int_equal(other.puts, 1);
	assert_int_equal(fake.puts, 2);
}

static void test_end_by_another_core(void **state)
{
	(void)state;
	fake.vcpu.attention = ATTENTION_END;
	vcpu_run(&fake.vcpu);
	assert_int_equal(fake.script_at, 0); /* never entered */
	assert_int_equal(gone, 1);
	assert_int_equal(fake.puts, 1);
}

static void set_reschedule(void)
{
	fake.vcpu.attention |= ATTENTION_RESCHEDULE;
}

static void test_reschedule_is_seen_before_the_next_entry(void **state)
{
	(void)state;
	on_handle = set_reschedule;
	vcpu_run(&fake.vcpu);
	assert_int_equal(fake.script_at, 1);
	assert_int_equal(yields, 1);
	assert_int_equal(fake.vcpu.attention, 0);
}

static void slice_is_over(void)
{
	fake.vcpu.slice_end = 0;
}

/* A guest that exits all the time never lets the engine's timer run out. */
static void test_slice_ends_between_exits_too(void **state)
{
	(void)state;
	on_handle = slice_is_over;
	verdicts[0] = VERDICT_ADVANCE;
	vcpu_run(&fake.vcpu);
	assert_int_equal(fake.script_at, 1);
	assert_int_equal(yields, 1);
}

static void queue_fault(void)
{
	vcpu_raise_error(&fake.vcpu, VECTOR_GP, 0x18);
}

static void test_exception_is_injected_with_rf(void **state)
{
	(void)state;
	on_handle = queue_fault;
	verdicts[0] = VERDICT_INJECT;
	verdicts[1] = VERDICT_END;
	fake.script_length = 2;
	vcpu_run(&fake.vcpu);
	assert_int_equal(fake.injected.type, EVENT_EXCEPTION);
	assert_int_equal(fake.injected.vector, VECTOR_GP);
	assert_int_equal(fake.injected.error, 0x18);
	assert_true(fake.vcpu.reg[REG_RFLAGS] & RFLAGS_RF);
}

static void test_debug_exceptions_push_no_rf(void **state)
{
	(void)state;
	vcpu_raise(&fake.vcpu, VECTOR_DB);
	vcpu_deliver_events(&fake.vcpu);
	assert_int_equal(fake.injected.vector, VECTOR_DB);
	assert_false(fake.vcpu.reg[REG_RFLAGS] & RFLAGS_RF);
}

static void test_real_mode_has_no_error_codes(void **state)
{
	(void)state;
	fake_set_mode(&fake, CR0_ET, 0, 0x9b, 0);
	vcpu_raise_error(&fake.vcpu, VECTOR_GP, 0);
	vcpu_deliver_events(&fake.vcpu);
	assert_int_equal(fake.injected.vector, VECTOR_GP);
	assert_false(fake.injected.has_error);
}

static void test_triple_fault_ends_the_vm(void **state)
{
	(void)state;
	assert_int_equal(vcpu_raise(&fake.vcpu, VECTOR_DF), VERDICT_INJECT);
	assert_int_equal(vcpu_raise_error(&fake.vcpu, VECTOR_GP, 0), VERDICT_END);
	assert_int_equal(fake.end_cause, VM_END_TRIPLE_FAULT);
	assert_string_equal(fake.end_text, "triple fault at rip 0x1000");
}

static u8 take_vector(struct vcpu *vcpu)
{
	vcpu->events.irq = 0;
	return 0x31;
}

static void test_interrupt_waits_for_its_window(void **state)
{
	(void)state;
	fake.vcpu.irq_take = take_vector;
	fake.vcpu.events.irq = 0x31;
	fake.vcpu.reg[REG_RFLAGS] &= ~RFLAGS_IF;
	vcpu_deliver_events(&fake.vcpu);
	assert_int_equal(fake.injected.type, EVENT_NONE);
	assert_true(fake.want_irq);
	fake.vcpu.reg[REG_RFLAGS] |= RFLAGS_IF;
	vcpu_deliver_events(&fake.vcpu);
	assert_int_equal(fake.injected.type, EVENT_INTERRUPT);
	assert_int_equal(fake.injected.vector, 0x31);
	assert_false(fake.want_irq);
}

/* The engine hears of windows when one is wanted, and once when none is any more. */
static void test_windows_are_asked_for_as_needed(void **state)
{
	(void)state;
	fake.vcpu.irq_take = take_vector;
	vcpu_deliver_events(&fake.vcpu);
	assert_int_equal(fake.window_requests, 0);
	fake.vcpu.events.irq = 0x31;
	fake.vcpu.reg[REG_RFLAGS] &= ~RFLAGS_IF;
	vcpu_deliver_events(&fake.vcpu);
	assert_int_equal(fake.window_requests, 1);
	fake.vcpu.events.nmi_pending = true;
	fake.blocked = BLOCKED_BY_NMI;
	vcpu_deliver_events(&fake.vcpu);
	assert_true(fake.want_irq && fake.want_nmi);
	/* Until an NMI can be delivered an engine may need to be told at each entry. */
	fake.vcpu.events.irq = 0;
	for (u32 i = 3; i < 5; i++) {
		vcpu_deliver_events(&fake.vcpu);
		assert_int_equal(fake.window_requests, i);
		assert_true(!fake.want_irq && fake.want_nmi);
	}
	fake.blocked = 0;
	vcpu_deliver_events(&fake.vcpu);
	assert_int_equal(fake.injected.type, EVENT_NMI);
	assert_int_equal(fake.window_requests, 5);
	assert_false(fake.want_irq || fake.want_nmi);
	vcpu_deliver_events(&fake.vcpu);
	assert_int_equal(fake.window_requests, 5);
}

static u32 looks;

static void look(struct vcpu *vcpu)
{
	(void)vcpu;
	looks++;
}

static const struct vcpu_machine machine = {.look = look};

/* Whether it goes on or is blocked and woken later: each time one look decides and delivers. */
static void test_one_look_decides_on_a_hlt(void **state)
{
	(void)state;
	looks = 0;
	fake.vcpu.irq_take = take_vector;
	fake.vcpu.machine = &machine;
	fake.vcpu.events.irq = 0x31;
	run_one(VERDICT_BLOCK);
	assert_int_equal(fake.injected.vector, 0x31);
	assert_int_equal(looks, 1);
	setup(state);
	looks = 0;
	fake.vcpu.irq_take = take_vector;
	fake.vcpu.machine = &machine;
	run_one(VERDICT_BLOCK);
	assert_int_equal(blocks, 1);
	assert_int_equal(looks, 1);
	fake.vcpu.events.irq = 0x31;
	vcpu_run(&fake.vcpu);
	assert_int_equal(fake.injected.vector, 0x31);
	assert_int_equal(looks, 2);
}

/* The end of a slice finds it behind a HLT: it is still there, with what waits, when its turn comes again. */
static void test_slice_ends_behind_a_hlt(void **state)
{
	(void)state;
	fake.vcpu.irq_take = take_vector;
	fake.vcpu.halted = true;
	fake.vcpu.events.irq = 0x31;
	fake.vcpu.attention = ATTENTION_RESCHEDULE;
	vcpu_run(&fake.vcpu);
	assert_int_equal(yields, 1);
	assert_int_equal(fake.injected.type, EVENT_NONE);
	verdicts[0] = VERDICT_END;
	vcpu_run(&fake.vcpu);
	assert_int_equal(fake.injected.vector, 0x31);
	assert_false(fake.vcpu.halted);
}

static void test_hlt_without_any_waker(void **state)
{
	(void)state;
	run_one(VERDICT_BLOCK);
	assert_int_equal(stuck, 1);
	assert_true(fake.vcpu.halted);
	setup(state);
	fake.vcpu.irq_take = take_vector;
	run_one(VERDICT_BLOCK);
	assert_int_equal(stuck, 0);
	setup(state);
	fake.vcpu.irq_take = take_vector;
	fake.vcpu.reg[REG_RFLAGS] &= ~RFLAGS_IF;
	run_one(VERDICT_BLOCK);
	assert_int_equal(stuck, 1);
}

/* A wake for something that does not end a HLT leaves it halted; an interrupt it can take does. */
static void test_spurious_wake_leaves_it_halted(void **state)
{
	(void)state;
	fake.vcpu.irq_take = take_vector;
	run_one(VERDICT_BLOCK);
	assert_int_equal(blocks, 1);
	vcpu_run(&fake.vcpu);
	assert_int_equal(blocks, 2);
	assert_int_equal(fake.script_at, 1);
	fake.vcpu.events.irq = 0x31;
	vcpu_run(&fake.vcpu);
	assert_int_equal(fake.injected.vector, 0x31);
	assert_false(fake.vcpu.halted);
	assert_int_equal(gone, 1);
}

static void test_hlt_with_a_pending_interrupt_goes_on(void **state)
{
	(void)state;
	fake.vcpu.irq_take = take_vector;
	fake.vcpu.events.irq = 0x31;
	run_one(VERDICT_BLOCK);
	assert_int_equal(blocks, 0);
	assert_int_equal(fake.injected.vector, 0x31);
}

static void test_single_step_over_hlt(void **state)
{
	(void)state;
	fake.vcpu.reg[REG_RFLAGS] |= RFLAGS_TF;
	run_one(VERDICT_BLOCK);
	assert_int_equal(blocks + stuck, 0);
	assert_int_equal(fake.steps_set, 1);
}

static void test_output_is_seen_to(void **state)
{
	(void)state;
	this_core()->vmm->output_due = true;
	fake.vcpu.attention = ATTENTION_KICK;
	run_one(VERDICT_RETRY);
	assert_int_equal(outputs, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_windows_are_asked_for_as_needed),
		T(test_one_look_decides_on_a_hlt),
		T(test_slice_ends_behind_a_hlt),
		T(test_rip_moves_only_where_said),
		T(test_advance_wraps_by_mode),
		T(test_advance_ends_shadow_rf_and_steps),
		T(test_registers_are_fetched_when_missing),
		T(test_accounting),
		T(test_makes_current_in_its_root),
		T(test_a_halted_one_stays_loaded),
		T(test_end_by_another_core),
		T(test_reschedule_is_seen_before_the_next_entry),
		T(test_slice_ends_between_exits_too),
		T(test_exception_is_injected_with_rf),
		T(test_debug_exceptions_push_no_rf),
		T(test_real_mode_has_no_error_codes),
		T(test_triple_fault_ends_the_vm),
		T(test_interrupt_waits_for_its_window),
		T(test_hlt_without_any_waker),
		T(test_spurious_wake_leaves_it_halted),
		T(test_hlt_with_a_pending_interrupt_goes_on),
		T(test_single_step_over_hlt),
		T(test_output_is_seen_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
