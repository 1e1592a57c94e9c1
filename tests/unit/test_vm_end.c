// sources: vmm/vm_end.c lib/fmt.c
/* How a VM ends, and which ends it comes back from. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86_64/cpu/insn.h"
#include "core/log.h"
#include "core/time.h"
#include "vmm/account.h"
#include "vmm/console.h"
#include "vmm/sched.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

u64 tsc_hz = 1000000000;

static struct vm vm;
static struct vm_config config;
static struct vcpu vcpu[3];
static u32 kicked, woken, restarts, destroys, accounts, finished;
static char said[512]; /* lines, each with its newline */

void log_line(const char *format, ...)
{
	size_t length = strlen(said);
	va_list args;

	va_start(args, format);
	vsnprintf(said + length, sizeof(said) - length, format, args);
	va_end(args);
	strncat(said, "\n", sizeof(said) - strlen(said) - 1);
}

void sched_kick(struct vcpu *of, u64 attention)
{
	assert_int_equal(attention, ATTENTION_END);
	kicked |= 1u << of->id;
}

void sched_wake(struct vcpu *of)
{
	woken |= 1u << of->id;
}

void vm_restart(struct vm *of)
{
	assert_ptr_equal(of, &vm);
	restarts++;
}

void vm_destroy(struct vm *of)
{
	assert_ptr_equal(of, &vm);
	destroys++;
}

/* What the guest printed stands before the line on its end. */
void vm_console_finish(struct vm_console *console)
{
	(void)console;
	assert_string_equal(said, "");
	finished++;
}

void account_print(struct vm *of)
{
	assert_ptr_equal(of, &vm);
	accounts++;
}

static int setup(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	config = (struct vm_config){.name = "a", .on_reboot = END_RESTART};
	vm.config = &config;
	vm.vcpu_count = ARRAY_SIZE(vcpu);
	for (u32 i = 0; i < vm.vcpu_count; i++) {
		vcpu[i].id = i;
		vcpu[i].vm = &vm;
		vm.vcpu[i] = &vcpu[i];
	}
	vm.vcpus_started = 1;
	vm.vcpus_live = 1;
	vm.started_ticks = rdtsc() - ns_to_ticks(3000000000);
	kicked = woken = restarts = destroys = accounts = finished = 0;
	said[0] = '\0';
	return 0;
}

/* The VM ends for this cause and its one vCPU leaves. */
static void end(enum vm_end_cause cause)
{
	vm_end(&vm, cause, 0, "why");
	vm_vcpu_gone(&vcpu[0]);
	assert_int_equal(restarts + destroys, 1);
	assert_int_equal(finished, 1);
}

static const struct {
	enum vm_end_cause cause;
	u32 key; /* index of `keys`; KEYS: none */
} causes[] = {
	{VM_END_EXIT, 0},  {VM_END_RESET, 1}, {VM_END_TRIPLE_FAULT, 2}, {VM_END_HALTED, 2},
	{VM_END_ERROR, 2}, {VM_END_CRASH, 2}, {VM_END_KILLED, 3},
};
static enum config_end *const keys[] = {&config.on_poweroff, &config.on_reboot, &config.on_crash};
#define KEYS ARRAY_SIZE(keys)

static void test_each_cause_asks_its_own_key(void **state)
{
	for (u32 i = 0; i < ARRAY_SIZE(causes); i++) {
		for (u32 on = 0; on < KEYS; on++) {
			setup(state);
			for (u32 k = 0; k < KEYS; k++)
				*keys[k] = k == on ? END_RESTART : END_DESTROY;
			end(causes[i].cause);
			assert_int_equal(restarts, causes[i].key == on);
			assert_string_equal(said, "vm a: ended: why\n");
		}
	}
}

static void test_a_short_life_is_not_begun_again(void **state)
{
	(void)state;
	vm.started_ticks = rdtsc() - ns_to_ticks(1000000000);
	end(VM_END_RESET);
	assert_int_equal(destroys, 1);
	assert_string_equal(said,
			    "vm a: ended: why\n"
			    "vm a: not restarted: it ran for less than two seconds, and would only do so again\n");
	setup(state);
	vm.started_ticks = rdtsc() - ns_to_ticks(1000000000);
	end(VM_END_EXIT);
	assert_string_equal(said, "vm a: ended: why\n");
}

static void test_the_first_cause_stands(void **state)
{
	(void)state;
	assert_false(vm_ended(&vm));
	vm_end(&vm, VM_END_EXIT, 7, "exit code %u", 7);
	assert_true(vm_ended(&vm));
	vm_end(&vm, VM_END_RESET, 0, "reset");
	vm_vcpu_gone(&vcpu[0]);
	assert_int_equal(vm.end_code, 7);
	assert_int_equal(destroys, 1);
	assert_string_equal(said, "vm a: ended: exit code 7\n");
}

/* Only those that were placed on a core are called back, and the last one to go takes the VM with it. */
static void test_the_last_vcpu_reports(void **state)
{
	(void)state;
	vm.vcpus_started = 5;
	vm.vcpus_live = 2;
	config.stats = true;
	vm_end(&vm, VM_END_CRASH, 0, "why");
	assert_int_equal(kicked, 5);
	assert_int_equal(woken, 5);
	vm_vcpu_gone(&vcpu[2]);
	assert_int_equal(restarts + destroys + finished, 0);
	vm_vcpu_gone(&vcpu[0]);
	assert_int_equal(destroys, 1);
	assert_int_equal(accounts, 1);
}

static void test_halted_for_good_when_all_are(void **state)
{
	(void)state;
	vm.vcpus_started = 3;
	for (u32 i = 0; i < 2; i++) {
		vcpu[i].cached = BIT(REG_RIP);
		vcpu[i].reg[REG_RIP] = 0x1000;
		assert_false(vm_ended(&vm));
		vm_vcpu_stuck(&vcpu[i]);
	}
	assert_int_equal(vm.end_cause, VM_END_HALTED);
	assert_string_equal(vm.end_text, "halted for good at rip 0x1000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_each_cause_asks_its_own_key, setup),
		cmocka_unit_test_setup(test_a_short_life_is_not_begun_again, setup),
		cmocka_unit_test_setup(test_the_first_cause_stands, setup),
		cmocka_unit_test_setup(test_the_last_vcpu_reports, setup),
		cmocka_unit_test_setup(test_halted_for_good_when_all_are, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
