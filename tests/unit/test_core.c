// sources: vmm/core.c vmm/sched.c vmm/sched_round_robin.c vmm/timer.c tests/unit/fake_core.c tests/unit/fake_panic.c
/* A core's loop: who comes next, what is looked at between two vCPUs, and the idle halt. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/irq.h"
#include "arch/x86_64/cpu/lapic.h"
#include "core/log.h"
#include "core/percpu.h"
#include "core/pool.h"
#include "tests/unit/fake_core.h"
#include "vmm/console.h"
#include "vmm/core.h"
#include "vmm/input.h"
#include "vmm/vm.h"

#define IDLE_HALT_LENGTH 3 /* STI, HLT, CLI: a byte each */
#define SAVED_RIP	 16 /* REG_RIP of <sys/ucontext.h>, a name that is ours as well */
#define FAR		 (~0ull - 1)

static struct config config;
static struct vm_config vm_config;
static const struct vmm_house test_house = {.config = &config};
static struct vm vm = {.config = &vm_config};
static struct vcpu vcpus[2];
static irq_handler_t timer_interrupt;
static u32 halts, console_drains, log_drains, polls, turns, turns_wanted;
static void (*on_halt)(void), (*on_run)(struct vcpu *vcpu);
static jmp_buf out;
static struct vcpu *ran[8];

bool log_behind, vm_console_filled;

bool log_drain(void)
{
	log_drains++;
	log_behind = false;
	return false;
}

void vm_console_drain_all(void)
{
	console_drains++;
	vm_console_filled = false;
}

void input_start(void)
{
}

void smp_poll(void)
{
	polls++;
}

void irq_register(u8 vector, irq_handler_t handler)
{
	if (vector == HOST_VECTOR_TIMER)
		timer_interrupt = handler;
}

void *pool_alloc(u32 pages)
{
	static u8 scratch[8 * PAGE_SIZE];

	assert_true(pages * PAGE_SIZE <= sizeof(scratch));
	return scratch;
}

/* The loop has no end: the test leaves it from here. */
void vcpu_run(struct vcpu *vcpu)
{
	ran[turns++] = vcpu;
	if (on_run)
		on_run(vcpu);
	if (turns == turns_wanted)
		longjmp(out, 1);
	sched_yield(vcpu);
}

/* Here HLT is privileged, and so is the STI before it: this is what an interrupt is to the core. */
static void halted(int signal, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	(void)signal;
	(void)info;
	user->uc_mcontext.gregs[SAVED_RIP] += IDLE_HALT_LENGTH;
	halts++;
	on_halt();
}

static int setup(void **state)
{
	(void)state;
	fake_cores_init();
	vmm_init(&test_house);
	core_init();
	for (u32 i = 0; i < ARRAY_SIZE(vcpus); i++) {
		vcpus[i] = (struct vcpu){.vm = &vm, .affinity = BIT(0)};
		list_init(&vcpus[i].queue_link);
	}
	halts = console_drains = log_drains = polls = turns = 0;
	log_behind = vm_console_filled = false;
	on_halt = NULL;
	on_run = NULL;
	return 0;
}

static void loop(u32 wanted)
{
	struct sigaction action = {.sa_sigaction = halted, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGSEGV, &action, NULL);
	turns_wanted = wanted;
	if (!setjmp(out))
		core_loop();
}

static void wake_at_the_third(void)
{
	assert_null(this_core()->vmm->queue.running);
	if (halts == 3)
		sched_wake(&vcpus[0]);
}

/*
 * It halts again after an interrupt that made nobody ready. Whoever was loaded stays so, and no vCPU has left for
 * another.
 */
static void test_idle(void **state)
{
	struct core_vmm *core = this_core()->vmm;

	(void)state;
	sched_place(&vcpus[0]);
	assert_ptr_equal(sched_pick(), &vcpus[0]);
	this_core()->current = &vcpus[0];
	this_core()->root = 0x9000;
	assert_true(sched_block(&vcpus[0]));
	core->overhead.left = 1;
	on_halt = wake_at_the_third;
	loop(1);
	assert_int_equal(halts, 3);
	assert_int_equal(core->wakeups, 3);
	assert_ptr_equal(ran[0], &vcpus[0]);
	assert_ptr_equal(this_core()->current, &vcpus[0]);
	assert_int_equal(this_core()->root, 0x9000);
	assert_int_equal(core->overhead.left, 0);
}

static void test_takes_turns(void **state)
{
	(void)state;
	sched_place(&vcpus[0]);
	sched_place(&vcpus[1]);
	loop(3);
	assert_ptr_equal(ran[0], &vcpus[0]);
	assert_ptr_equal(ran[1], &vcpus[1]);
	assert_ptr_equal(ran[2], &vcpus[0]);
	assert_int_equal(polls, 3);
}

static void print_once(struct vcpu *vcpu)
{
	(void)vcpu;
	log_behind = turns == 1;
	vm_console_filled = turns == 2;
}

static void test_output_is_looked_at_when_there_is_some(void **state)
{
	(void)state;
	sched_place(&vcpus[0]);
	loop(2);
	assert_int_equal(log_drains + console_drains, 0);
	setup(state);
	sched_place(&vcpus[0]);
	on_run = print_once;
	loop(4);
	assert_int_equal(log_drains, 2);
	assert_int_equal(console_drains, 2);
}

static void print_and_wake(void)
{
	if (halts == 1)
		log_behind = true; /* another core's line */
	else
		sched_wake(&vcpus[0]);
}

static void test_output_while_idle(void **state)
{
	(void)state;
	sched_place(&vcpus[0]);
	assert_ptr_equal(sched_pick(), &vcpus[0]);
	assert_true(sched_block(&vcpus[0]));
	on_halt = print_and_wake;
	loop(1);
	assert_int_equal(halts, 2);
	assert_int_equal(log_drains, 1);
}

static u32 fired;

static void count_fire(struct timer *timer)
{
	(void)timer;
	fired++;
}

/* Without an interrupt: a guest may keep it from us. */
static void test_timers_that_are_due_fire_between_vcpus(void **state)
{
	struct timer due, far;

	(void)state;
	fired = 0;
	timer_init(&due, count_fire);
	timer_init(&far, count_fire);
	timer_arm(&far, FAR);
	sched_place(&vcpus[0]);
	loop(2);
	assert_int_equal(fired, 0);
	assert_int_equal(fake_programmings, 1);
	turns = 0;
	timer_arm(&due, 1);
	sched_place(&vcpus[1]);
	loop(1);
	assert_int_equal(fired, 1);
	assert_int_equal(fake_deadline, FAR);
}

static void end_slice(void)
{
	timer_arm(&this_core()->vmm->slice_timer, 1);
	timer_arm(&this_core()->vmm->output_timer, 1);
	timer_interrupt(HOST_VECTOR_TIMER);
}

static void end_slice_and_wake(void)
{
	end_slice();
	assert_int_equal(vcpus[0].attention, 0);
	sched_wake(&vcpus[0]);
}

static void end_own_slice(struct vcpu *vcpu)
{
	end_slice();
	assert_int_equal(vcpu->attention, ATTENTION_RESCHEDULE | ATTENTION_KICK);
}

/* One that has halted is not to give way once it wakes, though it is still loaded. */
static void test_slice_ends_for_who_runs(void **state)
{
	(void)state;
	sched_place(&vcpus[0]);
	assert_ptr_equal(sched_pick(), &vcpus[0]);
	this_core()->current = &vcpus[0];
	assert_true(sched_block(&vcpus[0]));
	on_halt = end_slice_and_wake;
	on_run = end_own_slice;
	loop(1);
	assert_int_equal(halts, 1);
	assert_int_equal(turns, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_idle),
		T(test_takes_turns),
		T(test_output_is_looked_at_when_there_is_some),
		T(test_output_while_idle),
		T(test_timers_that_are_due_fire_between_vcpus),
		T(test_slice_ends_for_who_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
