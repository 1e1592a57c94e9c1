// sources: vmm/timer.c tests/unit/fake_core.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/percpu.h"
#include "tests/unit/fake_core.h"
#include "vmm/core.h"
#include "vmm/timer.h"

#define NEVER (~0ull)

static struct timer timers[4];
static u32 order[16], fired;
static u64 rearm_at; /* timer 0 arms itself for this time when it fires; 0: it does not */

static void fire(struct timer *timer)
{
	assert_int_equal(timer->deadline, NEVER);
	order[fired++] = (u32)(timer - timers);
	if (timer == timers && rearm_at)
		timer_arm(timer, rearm_at);
}

static int setup(void **state)
{
	(void)state;
	fake_cores_init();
	fired = 0;
	rearm_at = 0;
	for (u32 i = 0; i < ARRAY_SIZE(timers); i++)
		timer_init(&timers[i], fire);
	return 0;
}

static void test_earliest_first(void **state)
{
	(void)state;
	timer_arm(&timers[0], 300);
	assert_int_equal(fake_deadline, 300);
	timer_arm(&timers[1], 100);
	assert_int_equal(fake_deadline, 100);
	timer_arm(&timers[2], 200);
	timer_arm(&timers[3], 100);
	assert_int_equal(fake_deadline, 100);
	timer_run(250);
	assert_int_equal(fired, 3);
	assert_int_equal(order[0], 1); /* equal deadlines: as they were armed */
	assert_int_equal(order[1], 3);
	assert_int_equal(order[2], 2);
	assert_int_equal(fake_deadline, 300);
	timer_run(300);
	assert_int_equal(order[3], 0);
	assert_int_equal(this_core()->vmm->programmed, NEVER); /* the shot is spent: nothing to take back */
}

static void test_nothing_due(void **state)
{
	(void)state;
	timer_arm(&timers[0], 300);
	timer_run(299);
	assert_int_equal(fired, 0);
	assert_int_equal(fake_programmings, 1); /* already set to that */
}

static void test_move_and_cancel(void **state)
{
	(void)state;
	timer_arm(&timers[0], 300);
	timer_arm(&timers[0], 500);
	assert_int_equal(fake_deadline, 500);
	timer_run(400);
	assert_int_equal(fired, 0);
	timer_cancel(&timers[0]);
	assert_int_equal(fake_deadline, NEVER);
	timer_cancel(&timers[0]);
	timer_run(1000);
	assert_int_equal(fired, 0);
}

/*
 * Armed again for a time that has passed, it must not hold the core here: it fires at the interrupt that comes at once.
 */
static void test_rearm_in_the_past(void **state)
{
	(void)state;
	rearm_at = 50;
	timer_arm(&timers[0], 100);
	timer_run(100);
	assert_int_equal(fired, 1);
	assert_int_equal(fake_deadline, 50);
	rearm_at = 0;
	timer_run(101);
	assert_int_equal(fired, 2);
}

/*
 * The APIC's one shot is spent once its time has come, even when the next timer has the very same deadline as the last.
 */
static void test_programmed_again_after_the_shot(void **state)
{
	(void)state;
	rearm_at = 100;
	timer_arm(&timers[0], 100);
	assert_int_equal(fake_programmings, 1);
	timer_run(100);
	assert_int_equal(fake_programmings, 2);
}

static void test_each_core_its_own(void **state)
{
	(void)state;
	timer_arm(&timers[0], 100);
	fake_core_become(1);
	timer_init(&timers[1], fire);
	timer_arm(&timers[1], 200);
	timer_run(1000);
	assert_int_equal(fired, 1);
	assert_int_equal(order[0], 1);
	fake_core_become(0);
	timer_run(1000);
	assert_int_equal(order[1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_earliest_first, setup),
		cmocka_unit_test_setup(test_nothing_due, setup),
		cmocka_unit_test_setup(test_move_and_cancel, setup),
		cmocka_unit_test_setup(test_rearm_in_the_past, setup),
		cmocka_unit_test_setup(test_programmed_again_after_the_shot, setup),
		cmocka_unit_test_setup(test_each_core_its_own, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
