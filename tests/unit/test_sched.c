// sources: vmm/sched.c vmm/sched_round_robin.c tests/unit/fake_core.c tests/unit/fake_panic.c tests/unit/fake_engine.c vmm/vcpu_regs.c vmm/event.c  tests/unit/fake_policy.c vmm/cpuid.c vmm/cpuid_table.c vmm/cpuid_account.c vmm/account.c vmm/msr.c vmm/mtrr.c vmm/efer.c tests/unit/fake_end.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/percpu.h"
#include "tests/unit/fake_core.h"
#include "tests/unit/fake_engine.h"
#include "vmm/core.h"

#define SLICE 1000

static struct fake fakes[8];

static int setup(void **state)
{
	(void)state;
	fake_cores_init();
	sched_init(&sched_round_robin, FAKE_CORES, SLICE);
	for (u32 i = 0; i < ARRAY_SIZE(fakes); i++)
		fake_init(&fakes[i]);
	return 0;
}

static struct vcpu *vcpu(u32 i)
{
	return &fakes[i].vcpu;
}

static u32 core_vmm_count(u32 core)
{
	return core_vmm_table[core].queue.count;
}

static void place_here(u32 i)
{
	vcpu(i)->affinity = BIT(0);
	sched_place(vcpu(i));
}

static void test_round_robin(void **state)
{
	(void)state;
	for (u32 i = 0; i < 3; i++)
		place_here(i);
	for (u32 turn = 0; turn < 9; turn++) {
		struct vcpu *picked = sched_pick();

		assert_ptr_equal(picked, vcpu(turn % 3));
		assert_int_equal(picked->state, VCPU_RUNNING);
		sched_yield(picked);
		assert_int_equal(picked->state, VCPU_RUNNABLE);
	}
}

static void test_weights(void **state)
{
	(void)state;
	fakes[1].config.weight = 512;
	fakes[2].config.weight = 0;
	assert_int_equal(sched_slice(vcpu(0)), SLICE);
	assert_int_equal(sched_slice(vcpu(1)), 2 * SLICE);
	assert_int_equal(sched_slice(vcpu(2)), SLICE);
}

static void test_placement_spreads(void **state)
{
	u32 on_core[FAKE_CORES] = {0};

	(void)state;
	for (u32 i = 0; i < 8; i++) {
		sched_place(vcpu(i));
		on_core[vcpu(i)->core]++;
	}
	for (u32 i = 0; i < FAKE_CORES; i++)
		assert_int_equal(on_core[i], 2);
}

static void test_placement_obeys_affinity(void **state)
{
	(void)state;
	for (u32 i = 0; i < 4; i++) {
		vcpu(i)->affinity = BIT(2) | BIT(3);
		sched_place(vcpu(i));
		assert_true(vcpu(i)->core == 2 || vcpu(i)->core == 3);
	}
	assert_int_equal(core_vmm_count(2), 2);
	assert_int_equal(core_vmm_count(3), 2);
	assert_int_equal(sched_cores_for(BIT(40)), 0);
	assert_int_equal(sched_cores_for(0), BITS(FAKE_CORES - 1, 0));
}

static void test_idle_core_is_interrupted(void **state)
{
	(void)state;
	vcpu(0)->affinity = BIT(1);
	vcpu(1)->affinity = BIT(1);
	sched_place(vcpu(0));
	assert_int_equal(fake_ipis[1], 1);
	fake_core_become(1);
	assert_ptr_equal(sched_pick(), vcpu(0));
	fake_core_become(0);
	/* It runs something now: the newcomer waits for its turn. */
	sched_place(vcpu(1));
	assert_int_equal(fake_ipis[1], 1);
}

static void test_block_and_wake(void **state)
{
	(void)state;
	place_here(0);
	assert_ptr_equal(sched_pick(), vcpu(0));
	assert_true(sched_block(vcpu(0)));
	assert_null(sched_pick());
	sched_wake(vcpu(0));
	assert_ptr_equal(sched_pick(), vcpu(0));
}

/* The wake comes between the vCPU's decision to block and the block. */
static void test_wake_before_block_is_not_lost(void **state)
{
	(void)state;
	place_here(0);
	assert_ptr_equal(sched_pick(), vcpu(0));
	sched_wake(vcpu(0));
	assert_false(sched_block(vcpu(0)));
	assert_ptr_equal(sched_pick(), vcpu(0));
	assert_true(sched_block(vcpu(0))); /* remembered once only */
}

static void test_wake_of_ready_changes_nothing(void **state)
{
	(void)state;
	place_here(0);
	sched_wake(vcpu(0));
	sched_wake(vcpu(0));
	assert_ptr_equal(sched_pick(), vcpu(0));
	assert_true(sched_block(vcpu(0)));
	assert_null(sched_pick());
}

static void test_wake_from_another_core(void **state)
{
	(void)state;
	place_here(0);
	assert_ptr_equal(sched_pick(), vcpu(0));
	assert_true(sched_block(vcpu(0)));
	fake_core_become(3);
	sched_wake(vcpu(0));
	assert_int_equal(fake_ipis[0], 1);
	assert_null(sched_pick()); /* core 3 has none */
	fake_core_become(0);
	assert_ptr_equal(sched_pick(), vcpu(0));
}

static void test_kick(void **state)
{
	(void)state;
	place_here(0);
	fake_core_become(2);
	sched_kick(vcpu(0), ATTENTION_KICK); /* ready, not running: it will look before it enters */
	assert_int_equal(fake_ipis[0], 0);
	fake_core_become(0);
	assert_ptr_equal(sched_pick(), vcpu(0));
	sched_kick(vcpu(0), ATTENTION_EVENT); /* on its own core: no interrupt to oneself */
	assert_int_equal(fake_ipis[0], 0);
	fake_core_become(2);
	sched_kick(vcpu(0), ATTENTION_END);
	assert_int_equal(fake_ipis[0], 1);
	assert_int_equal(vcpu(0)->attention, ATTENTION_KICK | ATTENTION_EVENT | ATTENTION_END);
}

static void test_remove(void **state)
{
	(void)state;
	place_here(0);
	place_here(1);
	assert_ptr_equal(sched_pick(), vcpu(0));
	sched_remove(vcpu(0));
	assert_int_equal(core_vmm_count(0), 1);
	assert_ptr_equal(sched_pick(), vcpu(1));
	sched_yield(vcpu(1));
	assert_ptr_equal(sched_pick(), vcpu(1));
	sched_wake(vcpu(0)); /* ended: stays out */
	sched_yield(vcpu(1));
	assert_ptr_equal(sched_pick(), vcpu(1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_round_robin, setup),
		cmocka_unit_test_setup(test_weights, setup),
		cmocka_unit_test_setup(test_placement_spreads, setup),
		cmocka_unit_test_setup(test_placement_obeys_affinity, setup),
		cmocka_unit_test_setup(test_idle_core_is_interrupted, setup),
		cmocka_unit_test_setup(test_block_and_wake, setup),
		cmocka_unit_test_setup(test_wake_before_block_is_not_lost, setup),
		cmocka_unit_test_setup(test_wake_of_ready_changes_nothing, setup),
		cmocka_unit_test_setup(test_wake_from_another_core, setup),
		cmocka_unit_test_setup(test_kick, setup),
		cmocka_unit_test_setup(test_remove, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
