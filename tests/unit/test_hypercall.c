// sources: vmm/hypercall.c vmm/vcpu_regs.c vmm/event.c tests/unit/fake_engine.c tests/unit/fake_policy.c vmm/cpuid.c vmm/cpuid_table.c vmm/cpuid_account.c vmm/account.c vmm/msr.c vmm/mtrr.c vmm/efer.c tests/unit/fake_end.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/time.h"
#include "tests/unit/fake_engine.h"
#include "vmm/console.h"
#include "vmm/handlers.h"
#include "vmm/hypercall_abi.h"

#define RAM_SIZE 0x3000

static struct fake fake;
static char ram[RAM_SIZE], printed[8192];
static u64 printed_length;
u64 tsc_hz = 1000000000;

bool guest_memory_contains(const struct guest_memory *memory, gpa_t gpa, u64 size, bool write)
{
	(void)memory;
	(void)write;
	return gpa <= RAM_SIZE && size <= RAM_SIZE - gpa;
}

int guest_read(struct vm *vm, gpa_t gpa, void *to, u64 size)
{
	if (!guest_memory_contains(&vm->memory, gpa, size, false))
		return ERR_RANGE;
	memcpy(to, ram + gpa, size);
	return OK;
}

void vm_console_write(struct vm_console *console, const char *bytes, size_t n)
{
	(void)console;
	memcpy(printed + printed_length, bytes, n);
	printed_length += n;
}

static int setup(void **state)
{
	(void)state;
	fake_init(&fake);
	printed_length = 0;
	for (u32 i = 0; i < RAM_SIZE; i++)
		ram[i] = (char)('a' + i % 26);
	return 0;
}

static enum verdict call(u64 number, u64 rbx, u64 rcx)
{
	struct vm_exit exit = {.kind = EXIT_HYPERCALL};

	fake.vcpu.reg[REG_RAX] = number;
	fake.vcpu.reg[REG_RBX] = rbx;
	fake.vcpu.reg[REG_RCX] = rcx;
	return handle_hypercall(&fake.vcpu, &exit);
}

static void answers(u64 number, u64 rbx, u64 rcx, s64 result)
{
	assert_int_equal(call(number, rbx, rcx), VERDICT_ADVANCE);
	assert_int_equal((s64)fake.vcpu.reg[REG_RAX], result);
	assert_int_equal(fake.vcpu.reg[REG_RBX], rbx);
	assert_int_equal(fake.vcpu.reg[REG_RCX], rcx);
}

static void test_version_and_unknown(void **state)
{
	(void)state;
	answers(HYPERCALL_VERSION, 0, 0, HYPERCALL_ABI_VERSION);
	answers(HYPERCALLS, 0, 0, HYPERCALL_UNKNOWN);
	answers(~0ull, 0, 0, HYPERCALL_UNKNOWN);
	answers(BIT(32), 0, 0, HYPERCALL_UNKNOWN); /* 64-bit code: the whole register counts */
}

static void test_ring_3_is_refused(void **state)
{
	(void)state;
	for (u32 cpl = 1; cpl <= 3; cpl++) {
		fake_set_mode(&fake, CR0_PE | CR0_PG, EFER_LME | EFER_LMA, 0xa09b, cpl);
		for (u32 number = 0; number <= HYPERCALLS; number++)
			answers(number, 0, 5, HYPERCALL_DENIED);
	}
	assert_int_equal(printed_length, 0);
	assert_int_equal(fake.ends, 0);
}

static void test_console_write(void **state)
{
	(void)state;
	answers(HYPERCALL_CONSOLE_WRITE, 0x10, 5, 5);
	assert_memory_equal(printed, ram + 0x10, 5);
	printed_length = 0;
	answers(HYPERCALL_CONSOLE_WRITE, 0x101, 4096, 4096);
	assert_memory_equal(printed, ram + 0x101, 4096);
	assert_int_equal(printed_length, 4096);
	answers(HYPERCALL_CONSOLE_WRITE, 0, 0, 0);
}

/* Nothing is printed unless all of it can be. */
static void test_console_write_out_of_range(void **state)
{
	(void)state;
	answers(HYPERCALL_CONSOLE_WRITE, RAM_SIZE - 4, 5, HYPERCALL_RANGE);
	answers(HYPERCALL_CONSOLE_WRITE, 0, 4097, HYPERCALL_RANGE);
	answers(HYPERCALL_CONSOLE_WRITE, ~0ull, 5, HYPERCALL_RANGE);
	answers(HYPERCALL_CONSOLE_WRITE, 5, ~0ull, HYPERCALL_RANGE);
	assert_int_equal(printed_length, 0);
}

static void test_permissions(void **state)
{
	(void)state;
	fake.vm.forbidden = VM_MAY_PRINT | VM_MAY_EXIT;
	answers(HYPERCALL_CONSOLE_WRITE, 0, 1, HYPERCALL_DENIED);
	answers(HYPERCALL_EXIT, 0, 0, HYPERCALL_DENIED);
	answers(HYPERCALL_VERSION, 0, 0, HYPERCALL_ABI_VERSION);
	assert_int_equal(fake.ends, 0);
}

static void test_yield(void **state)
{
	(void)state;
	assert_int_equal(call(HYPERCALL_YIELD, 0, 0), VERDICT_YIELD);
	assert_int_equal(fake.vcpu.reg[REG_RAX], 0);
}

static void test_exit(void **state)
{
	(void)state;
	assert_int_equal(call(HYPERCALL_EXIT, 42, 0), VERDICT_END);
	assert_int_equal(fake.end_cause, VM_END_EXIT);
	assert_int_equal(fake.end_code, 42);
	assert_string_equal(fake.end_text, "exit code 42");
}

static void test_32_bit_guest(void **state)
{
	(void)state;
	fake_set_mode(&fake, CR0_PE, 0, 0xc09b, 0);
	/* Upper halves are not the guest's: what stands there must not matter. */
	assert_int_equal(call(0xffffffff00000000 | HYPERCALL_CONSOLE_WRITE, 0xffffffff00000010, 0xffffffff00000003),
			 VERDICT_ADVANCE);
	assert_int_equal((u32)fake.vcpu.reg[REG_RAX], 3);
	assert_int_equal(call(99, 0, 0), VERDICT_ADVANCE);
	assert_int_equal((u32)fake.vcpu.reg[REG_RAX], 0xffffffff);
	/* The processor leaves the upper half as it was before the 32-bit code ran, and a bad number is bad in both. */
	assert_int_equal(call(0x100000000 | HYPERCALL_VERSION, 0, 0), VERDICT_ADVANCE);
	assert_int_equal((u32)fake.vcpu.reg[REG_RAX], HYPERCALL_ABI_VERSION);
	fake.vm.started_ticks = (u64)-(5ll << 33); /* long ago: the upper half is not 0 */
	assert_int_equal(call(HYPERCALL_TIME, 0, 0), VERDICT_ADVANCE);
	assert_true(fake.vcpu.reg[REG_RDX] >= 10);
	assert_int_equal(fake.vcpu.reg[REG_RDX] >> 32, 0);
}

static void test_time_moves_on(void **state)
{
	u64 first;

	(void)state;
	assert_int_equal(call(HYPERCALL_TIME, 0, 0), VERDICT_ADVANCE);
	first = fake.vcpu.reg[REG_RAX];
	assert_int_equal(call(HYPERCALL_TIME, 0, 0), VERDICT_ADVANCE);
	assert_true(fake.vcpu.reg[REG_RAX] > first);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_version_and_unknown), T(test_ring_3_is_refused), T(test_console_write),
		T(test_console_write_out_of_range),
		T(test_permissions),	     T(test_yield),		T(test_exit),	       T(test_32_bit_guest),
		T(test_time_moves_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
