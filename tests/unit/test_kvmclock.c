// sources: vmm/kvmclock.c
/* KVM's clock, read as Linux reads it (arch/x86/include/asm/pvclock.h, its documentation in virt/kvm/x86/msr.rst). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/time.h"
#include "vmm/guest_memory.h"
#include "vmm/kvmclock.h"
#include "vmm/vm.h"

#define RAM 4096u

u64 tsc_hz = 2500000000;

static struct vm vm;
static struct kvmclock clock;
static u8 ram[RAM];
static u32 writes;

int guest_write(struct vm *to, gpa_t gpa, const void *from, u64 size)
{
	assert_ptr_equal(to, &vm);
	writes++;
	if (gpa > RAM || size > RAM - gpa)
		return ERR_RANGE;
	memcpy(ram + gpa, from, size);
	return OK;
}

static u64 get(u32 at, u32 size)
{
	u64 value = 0;

	memcpy(&value, ram + at, size);
	return value;
}

/* Nanoseconds at a TSC, by the structure at `at`. */
static u64 guest_ns(u32 at, u64 tsc)
{
	u64 delta = tsc - get(at + 8, 8);
	s8 shift = (s8)get(at + 28, 1);

	delta = shift < 0 ? delta >> -shift : delta << shift;
	return get(at + 16, 8) + (u64)((unsigned __int128)delta * get(at + 24, 4) >> 32);
}

static int setup(void **state)
{
	(void)state;
	memset(ram, 0xcc, sizeof(ram));
	clock = (struct kvmclock){0};
	tsc_hz = 2500000000;
	writes = 0;
	return 0;
}

static bool write_msr(u32 msr, u64 value, u64 tsc, u64 ns)
{
	return kvmclock_write(&clock, &vm, msr, value, tsc, ns, 1700000000123456789ull);
}

static u64 difference(u64 a, u64 b)
{
	return a > b ? a - b : b - a;
}

static void test_ticks_become_nanoseconds(void **state)
{
	static const u64 rates[] = {1000000,	20000000,   999999999,	1000000000, 1000000001,
				    2000000000, 2000000001, 2596151000, 6000000000};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(rates); i++) {
		tsc_hz = rates[i];
		assert_true(write_msr(MSR_KVM_SYSTEM_TIME, 0x100 | 1, 1000, 5000000));
		assert_true(get(0x118, 4) >= BIT(31)); /* all of its bits are used */
		/* An hour: such a multiplier is wrong by a part in 2^31 at most. */
		assert_in_range(difference(guest_ns(0x100, 1000 + 3600 * tsc_hz), 5000000 + 3600000000000ull), 0, 2000);
		assert_int_equal(guest_ns(0x100, 1000), 5000000);
	}
}

static void test_system_time(void **state)
{
	u64 value;

	(void)state;
	assert_true(write_msr(MSR_KVM_SYSTEM_TIME, 0x201, 7, 9));
	assert_int_equal(get(0x200, 4) & 1, 0); /* version: not being written */
	assert_int_equal(get(0x21d, 1), 1);	/* PVCLOCK_TSC_STABLE_BIT */
	assert_int_equal(get(0x220, 1), 0xcc);	/* 32 bytes and no more */
	assert_true(kvmclock_read(&clock, MSR_KVM_SYSTEM_TIME_OLD, &value));
	assert_int_equal(value, 0x201);
	/* Off: nothing is written any more, also when the TSC moves. */
	assert_true(write_msr(MSR_KVM_SYSTEM_TIME_OLD, 0x200, 7, 9));
	kvmclock_refresh(&clock, &vm, 1, 2);
	assert_int_equal(writes, 1);
}

static void test_moved_tsc_is_told(void **state)
{
	(void)state;
	write_msr(MSR_KVM_SYSTEM_TIME, 0x201, 1000, 5000);
	kvmclock_refresh(&clock, &vm, 50, 6000);
	assert_int_equal(guest_ns(0x200, 50), 6000);
}

static void test_wall_clock_is_that_of_the_boot(void **state)
{
	u64 value;

	(void)state;
	assert_true(write_msr(MSR_KVM_WALL_CLOCK, 0x300, 1, 2));
	assert_int_equal(get(0x300, 4) & 1, 0);
	assert_int_equal(get(0x304, 4), 1700000000);
	assert_int_equal(get(0x308, 4), 123456789);
	assert_int_equal(get(0x30c, 1), 0xcc);
	assert_true(kvmclock_read(&clock, MSR_KVM_WALL_CLOCK_OLD, &value));
	assert_int_equal(value, 0x300);
	assert_true(write_msr(MSR_KVM_WALL_CLOCK_OLD, 0x400, 1, 2));
	assert_int_equal(get(0x404, 4), 1700000000);
}

static void test_outside_ram_and_unknown_msrs_fault(void **state)
{
	u64 value;

	(void)state;
	assert_false(write_msr(MSR_KVM_WALL_CLOCK, RAM - 4, 1, 2));
	assert_false(write_msr(MSR_KVM_SYSTEM_TIME, (RAM - 8) | 1, 1, 2));
	assert_false(write_msr(MSR_KVM_SYSTEM_TIME, ~0ull, 1, 2));
	assert_false(write_msr(0x10, 0, 1, 2));
	assert_false(kvmclock_read(&clock, 0x4b564d02, &value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ticks_become_nanoseconds, setup),
		cmocka_unit_test_setup(test_system_time, setup),
		cmocka_unit_test_setup(test_moved_tsc_is_told, setup),
		cmocka_unit_test_setup(test_wall_clock_is_that_of_the_boot, setup),
		cmocka_unit_test_setup(test_outside_ram_and_unknown_msrs_fault, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
