// sources: vmm/services.c vmm/timer.c lib/fmt.c tests/unit/fake_core.c
/* A VM's device services: lines, times, and timers that are armed on one core and fire, or do not, on another. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/insn.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/pool.h"
#include "core/time.h"
#include "tests/unit/fake_core.h"
#include "vmm/console.h"
#include "vmm/core.h"
#include "vmm/devices/bus.h"
#include "vmm/services.h"
#include "vmm/vm.h"

static struct vm *vm;
static struct vm_services services;
static struct device device;
static struct device_timer timer;
static const struct device_ops ops = {.name = "test"};
static const struct vm_config config = {.name = "guest"};
static u32 fired, lines_logged, sunk;
static bool arm_again;
static enum vm_end_cause cause;
static char end_text[160];
static u64 objects; /* not yet given back to the pool */

void panic(const char *format, ...)
{
	(void)format;
	abort();
}

void *pool_new(size_t size)
{
	objects++;
	return calloc(1, size);
}

void pool_delete(void *object, size_t size)
{
	(void)size;
	objects--;
	free(object);
}

void *pool_alloc(u32 pages)
{
	return pool_new(pages * PAGE_SIZE);
}

void pool_free(void *memory, u32 pages)
{
	pool_delete(memory, pages * PAGE_SIZE);
}

void log_line(const char *format, ...)
{
	(void)format;
	lines_logged++;
}

void vm_console_write(struct vm_console *console, const char *bytes, size_t n)
{
	(void)console;
	(void)bytes;
	(void)n;
}

int guest_read(struct vm *of, gpa_t gpa, void *to, u64 size)
{
	assert_ptr_equal(of, vm);
	memset(to, (int)gpa, size);
	return OK;
}

int guest_write(struct vm *of, gpa_t gpa, const void *from, u64 size)
{
	(void)gpa;
	(void)from;
	(void)size;
	assert_ptr_equal(of, vm);
	return ERR_RANGE;
}

void vm_end(struct vm *of, enum vm_end_cause why, u64 code, const char *format, ...)
{
	va_list args;

	(void)of;
	(void)code;
	cause = why;
	va_start(args, format);
	vsnprintf(end_text, sizeof(end_text), format, args);
	va_end(args);
}

/* Every core in turn. */
void smp_call_all(void (*work)(void *context), void *context)
{
	for (u32 i = 0; i < FAKE_CORES; i++) {
		fake_core_become(i);
		work(context);
	}
	fake_core_become(0);
}

static void fire(struct device *of, u32 which)
{
	assert_ptr_equal(of, &device);
	assert_int_equal(which, 7);
	assert_false(lock_try(&device.lock)); /* held */
	assert_true(timer.deadline_ns == TIMER_NEVER);
	fired++;
	if (arm_again)
		services.services.arm(&services, &timer, 1);
}

static void sink(void *context, u32 line, bool level)
{
	assert_ptr_equal(context, &sunk);
	sunk = line << 1 | level;
}

static int setup(void **state)
{
	(void)state;
	fake_cores_init();
	tsc_hz = 2893202003;
	vm = calloc(1, sizeof(*vm));
	vm->config = &config;
	vm->started_ticks = rdtsc();
	vm_services_init(&services, vm);
	device = (struct device){.ops = &ops, .services = &services.services};
	timer = (struct device_timer){.deadline_ns = TIMER_NEVER, .device = &device, .fire = fire, .which = 7};
	fired = lines_logged = 0;
	arm_again = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vm_services_destroy(&services);
	assert_int_equal(objects, 0);
	for (u32 i = 0; i < FAKE_CORES; i++)
		assert_true(list_empty(&core_vmm_table[i].timers));
	free(vm);
	return 0;
}

/* As a device's op does: with its lock. */
static void arm_on(u32 core, u64 deadline)
{
	fake_core_become(core);
	lock_acquire(&device.lock);
	services.services.arm(&services, &timer, deadline);
	lock_release(&device.lock);
}

static void run_on(u32 core)
{
	fake_core_become(core);
	timer_run(rdtsc());
}

/* The deadline of the one timer that is armed on a core, in TSC. */
static u64 armed_on(u32 core)
{
	struct list *timers = &core_vmm_table[core].timers;

	return list_empty(timers) ? TIMER_NEVER : LIST_ITEM(timers->next, struct timer, link)->deadline;
}

static void test_never_before_its_time(void **state)
{
	(void)state;
	for (u64 ns = 1; ns < 4000000000000ull; ns = ns * 3 + 1) {
		u64 ticks;

		arm_on(0, ns);
		ticks = armed_on(0) - vm->started_ticks;
		assert_true(ticks_to_ns(ticks) >= ns);
		assert_true(ticks_to_ns(ticks - 1) <= ns);
	}
	arm_on(0, BIT(62) + 1);
	assert_true(armed_on(0) == TIMER_NEVER);
}

static void test_fires_once(void **state)
{
	(void)state;
	arm_on(0, 0);
	assert_int_equal(fired, 0); /* never from within arm() */
	run_on(0);
	run_on(0);
	assert_int_equal(fired, 1);
	assert_true(lock_try(&device.lock));
	lock_release(&device.lock);
}

static void test_arms_itself_again(void **state)
{
	(void)state;
	arm_again = true;
	arm_on(0, 0);
	run_on(0);
	assert_int_equal(fired, 1);
	run_on(0);
	assert_int_equal(fired, 2);
	arm_again = false;
}

/* Armed on core 1, then for later on core 2: what core 1 still has is stale. */
static void test_moves_between_cores(void **state)
{
	(void)state;
	arm_on(1, 0);
	arm_on(2, 3600000000000ull);
	run_on(1);
	assert_int_equal(fired, 0);
	arm_on(2, 0);
	arm_on(3, 1);
	run_on(3);
	assert_int_equal(fired, 1);
	run_on(2);
	assert_int_equal(fired, 1);
}

static void test_disarm_from_another_core(void **state)
{
	(void)state;
	arm_on(1, 0);
	arm_on(2, TIMER_NEVER);
	run_on(1);
	run_on(2);
	assert_int_equal(fired, 0);
}

static void test_disarming_what_was_never_armed_costs_nothing(void **state)
{
	(void)state;
	arm_on(0, TIMER_NEVER);
	assert_int_equal(objects, 0);
}

static void test_lines_without_a_controller(void **state)
{
	(void)state;
	services.services.set_line(&services, 4, false);
	assert_int_equal(lines_logged, 0);
	services.services.set_line(&services, 4, true);
	services.services.set_line(&services, 63, true);
	services.services.set_line(&services, 4, false);
	services.services.set_line(&services, 4, true);
	assert_int_equal(lines_logged, 1); /* said once */
	assert_true(services.line_levels == (BIT(4) | BIT(63)));
}

static void test_lines_with_a_controller(void **state)
{
	(void)state;
	services.line_sink = sink;
	services.line_context = &sunk;
	services.services.set_line(&services, 5, true);
	assert_int_equal(sunk, 5 << 1 | 1);
	services.services.set_line(&services, 5, false);
	assert_int_equal(sunk, 5 << 1);
	assert_int_equal(lines_logged, 0);
}

static void test_shortest_period_in_time_and_ticks(void **state)
{
	(void)state;
	assert_int_equal(services.services.shortest_period_ns, 100000);
	tsc_hz = 20000000; /* an emulator's: here 100 us are no time at all */
	vm_services_init(&services, vm);
	assert_int_equal(services.services.shortest_period_ns, 1000000);
}

static void test_memory_and_end(void **state)
{
	u8 byte = 0;

	(void)state;
	assert_int_equal(services.services.read_guest(&services, 0x42, &byte, 1), OK);
	assert_int_equal(byte, 0x42);
	assert_int_equal(services.services.write_guest(&services, 0, &byte, 1), ERR_RANGE);
	services.services.end(&services, 3, "100% done");
	assert_int_equal(cause, VM_END_EXIT);
	assert_string_equal(end_text, "100% done");
	services.services.reset(&services, "port 0xcf9");
	assert_int_equal(cause, VM_END_RESET);
	assert_non_null(strstr(end_text, "port 0xcf9"));
	services.services.log(&services, "%u", 1);
	assert_int_equal(lines_logged, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_never_before_its_time), TEST(test_fires_once), TEST(test_arms_itself_again),
		TEST(test_moves_between_cores),
		TEST(test_disarm_from_another_core), TEST(test_disarming_what_was_never_armed_costs_nothing),
		TEST(test_lines_without_a_controller), TEST(test_lines_with_a_controller), TEST(test_memory_and_end),
		TEST(test_shortest_period_in_time_and_ticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
