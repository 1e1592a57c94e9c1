// sources: vmm/io.c vmm/io_string.c vmm/breakpoint.c vmm/segment.c vmm/vcpu_regs.c vmm/event.c tests/unit/fake_engine.c tests/unit/fake_linear.c tests/unit/fake_policy.c vmm/cpuid.c vmm/cpuid_table.c vmm/cpuid_account.c vmm/account.c vmm/msr.c vmm/mtrr.c vmm/efer.c vmm/devices/bus.c tests/unit/fake_end.c
/* Port I/O and string I/O; oracle: SDM vol. 2 "INS", "OUTS", "REP", vol. 3 "Limit Checking", "Type Checking". */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "tests/unit/fake_engine.h"
#include "tests/unit/fake_linear.h"
#include "vmm/handlers.h"

static struct fake fake;
static u32 reads, writes, pending_at;
static u32 written[0x4000];

static enum device_answer port_read(struct device *device, u32 range, u16 offset, u8 size, u32 *value)
{
	(void)device;
	(void)range;
	(void)offset;
	if (pending_at && reads + 1 == pending_at)
		return DEVICE_PENDING;
	*value = (0x01010101u * ++reads) & (u32)(BIT(8 * size) - 1);
	return DEVICE_DONE;
}

static enum device_answer port_write(struct device *device, u32 range, u16 offset, u8 size, u32 value)
{
	(void)device;
	(void)range;
	(void)offset;
	(void)size;
	written[writes++] = value;
	return DEVICE_DONE;
}

static const struct device_ops ops = {.name = "port", .port_read = port_read, .port_write = port_write};
static struct device device = {.ops = &ops};

static int setup(void **state)
{
	(void)state;
	fake_init(&fake);
	bus_init(&fake.vm.bus);
	assert_int_equal(bus_add_ports(&fake.vm.bus, &device, 0, 0x60, 0x63), OK);
	bad_page = NO_BAD_PAGE;
	reads = writes = pending_at = 0;
	for (u32 i = 0; i < FAKE_LINEAR_SIZE; i++)
		memory[i] = (u8)(i * 7);
	return 0;
}

static enum verdict io(struct exit_io how)
{
	struct vm_exit exit = {.kind = EXIT_IO, .io = how};

	exit.io.port = 0x60;
	return handle_io(&fake.vcpu, &exit);
}

static void test_in_and_out(void **state)
{
	(void)state;
	fake.vcpu.reg[REG_RAX] = 0x1122334455667788;
	assert_int_equal(io((struct exit_io){.size = 1, .in = true}), VERDICT_ADVANCE);
	assert_int_equal(fake.vcpu.reg[REG_RAX], 0x1122334455667701);
	assert_int_equal(io((struct exit_io){.size = 2, .in = true}), VERDICT_ADVANCE);
	assert_int_equal(fake.vcpu.reg[REG_RAX], 0x1122334455660202);
	assert_int_equal(io((struct exit_io){.size = 4, .in = true}), VERDICT_ADVANCE);
	assert_int_equal(fake.vcpu.reg[REG_RAX], 0x03030303);
	fake.vcpu.reg[REG_RAX] = 0x1122334455667788;
	assert_int_equal(io((struct exit_io){.size = 1}), VERDICT_ADVANCE);
	assert_int_equal(io((struct exit_io){.size = 2}), VERDICT_ADVANCE);
	assert_int_equal(io((struct exit_io){.size = 4}), VERDICT_ADVANCE);
	assert_int_equal(written[0], 0x88);
	assert_int_equal(written[1], 0x7788);
	assert_int_equal(written[2], 0x55667788);
}

static void test_pending_device(void **state)
{
	(void)state;
	pending_at = 1;
	fake.vcpu.reg[REG_RAX] = 5;
	assert_int_equal(io((struct exit_io){.size = 1, .in = true}), VERDICT_WAIT);
	assert_int_equal(fake.vcpu.reg[REG_RAX], 5);
}

#define INS8  ((struct exit_io){.size = 1, .in = true, .string = true, .rep = true, .address_size = 8})
#define OUTS8 ((struct exit_io){.size = 1, .string = true, .rep = true, .address_size = 8, .segment = SEG_DS})

static void test_rep_outs(void **state)
{
	(void)state;
	fake.vcpu.reg[REG_RSI] = 0x2000;
	fake.vcpu.reg[REG_RCX] = 4;
	assert_int_equal(io(OUTS8), VERDICT_ADVANCE);
	assert_int_equal(writes, 4);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(written[i], memory[0x2000 + i]);
	assert_int_equal(fake.vcpu.reg[REG_RSI], 0x2004);
	assert_int_equal(fake.vcpu.reg[REG_RCX], 0);
	assert_int_equal(io(OUTS8), VERDICT_ADVANCE); /* no repetition left */
	assert_int_equal(writes, 4);
}

static void test_rep_ins_downwards(void **state)
{
	(void)state;
	fake.vcpu.reg[REG_RFLAGS] |= RFLAGS_DF;
	fake.vcpu.reg[REG_RDI] = 0x2004;
	fake.vcpu.reg[REG_RCX] = 2;
	assert_int_equal(io((struct exit_io){.size = 4, .in = true, .string = true, .rep = true, .address_size = 8}),
			 VERDICT_ADVANCE);
	assert_int_equal(memory[0x2004], 1);
	assert_int_equal(memory[0x2000], 2);
	assert_int_equal(fake.vcpu.reg[REG_RDI], 0x1ffc);
}

/* A guest that asks for gigabytes comes back every page: others get their turn. */
static void test_bounded(void **state)
{
	u64 rounds = 0;

	(void)state;
	fake.vcpu.reg[REG_RSI] = 0;
	fake.vcpu.reg[REG_RCX] = 0x2800;
	while (io(OUTS8) == VERDICT_RETRY)
		rounds++;
	assert_int_equal(rounds, 2);
	assert_int_equal(writes, 0x2800);
	assert_int_equal(fake.vcpu.reg[REG_RCX], 0);
}

/* The fault finds the registers where the processor would have them: the elements before it are done. */
static void test_page_fault_in_the_middle(void **state)
{
	(void)state;
	bad_page = 0x3000;
	fake.vcpu.reg[REG_RDI] = 0x2ffe;
	fake.vcpu.reg[REG_RCX] = 5;
	assert_int_equal(io(INS8), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_PF);
	assert_int_equal(fake.vcpu.events.exception.error, PF_WRITE);
	assert_int_equal(fake.vcpu.reg[REG_CR2], 0x3000);
	assert_int_equal(fake.vcpu.reg[REG_RDI], 0x3000);
	assert_int_equal(fake.vcpu.reg[REG_RCX], 3);
	assert_int_equal(reads, 2); /* what would have been lost was not read */
}

static void test_not_ram_ends_the_vm(void **state)
{
	(void)state;
	fake.vcpu.reg[REG_RDI] = FAKE_LINEAR_SIZE;
	fake.vcpu.reg[REG_RCX] = 1;
	assert_int_equal(io(INS8), VERDICT_END);
	assert_int_equal(fake.end_cause, VM_END_ERROR);
}

static void test_16_bit_addresses(void **state)
{
	(void)state;
	fake_set_mode(&fake, CR0_PE, 0, 0x9b, 0);
	fake.vcpu.reg[REG_RSI] = 0xabcd0000ffff;
	fake.vcpu.reg[REG_RCX] = 0xabcd00010001;
	fake.state.segment[SEG_DS].base = (u32)-0x8000; /* linear 0x7fff */
	assert_int_equal(
		io((struct exit_io){.size = 1, .string = true, .rep = true, .address_size = 2, .segment = SEG_DS}),
		VERDICT_ADVANCE);
	assert_int_equal(written[0], memory[0x7fff]);
	assert_int_equal(fake.vcpu.reg[REG_RSI], 0xabcd00000000); /* SI wrapped, the rest is kept */
	assert_int_equal(fake.vcpu.reg[REG_RCX], 0xabcd00010000);
}

static void test_single_step_stops_after_each(void **state)
{
	(void)state;
	fake.vcpu.reg[REG_RFLAGS] |= RFLAGS_TF;
	fake.vcpu.reg[REG_RSI] = 0x100;
	fake.vcpu.reg[REG_RCX] = 2;
	assert_int_equal(io(OUTS8), VERDICT_RETRY);
	assert_int_equal(writes, 1);
	assert_int_equal(fake.steps_set, 1);
	assert_int_equal(io(OUTS8), VERDICT_ADVANCE); /* the last one traps as any instruction */
	assert_int_equal(writes, 2);
}

static void test_alignment_check(void **state)
{
	struct exit_io outs2 = {.size = 2, .string = true, .address_size = 8, .segment = SEG_DS};

	(void)state;
	fake.vcpu.reg[REG_RSI] = 0x101;
	fake.vcpu.reg[REG_CR0] |= CR0_AM;
	fake.vcpu.reg[REG_RFLAGS] |= RFLAGS_AC;
	assert_int_equal(io(outs2), VERDICT_ADVANCE);
	fake_set_mode(&fake, fake.vcpu.reg[REG_CR0], EFER_LME | EFER_LMA, 0xa09b, 3);
	fake.vcpu.reg[REG_RSI] = 0x101;
	assert_int_equal(io(outs2), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_AC);
}

/* Breakpoint 1 watches four ports from 0x60 on; kind 2 is I/O. */
static void watch_ports(void)
{
	fake.vcpu.debug_live = true;
	fake.vcpu.reg[REG_CR4] |= CR4_DE;
	fake.dr[1] = 0x60;
	fake.dr[7] = DR7_RESERVED_ONES | BIT(2) | 0xe00000;
}

static void test_io_breakpoint_traps_after(void **state)
{
	(void)state;
	watch_ports();
	assert_int_equal(io((struct exit_io){.size = 1, .in = true}), VERDICT_INJECT);
	assert_int_equal(reads, 1);
	assert_int_equal(fake.vcpu.reg[REG_RIP], 0x1002);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_DB);
	assert_int_equal(fake.dr[6] & 0xf, 2);
	setup(state);
	watch_ports();
	fake.vcpu.reg[REG_CR4] &= ~CR4_DE;
	assert_int_equal(io((struct exit_io){.size = 1, .in = true}), VERDICT_ADVANCE);
	setup(state);
	watch_ports();
	fake.dr[1] = 0x64;
	assert_int_equal(io((struct exit_io){.size = 1, .in = true}), VERDICT_ADVANCE);
	fake.dr[1] = 0x5c;
	assert_int_equal(io((struct exit_io){.size = 1, .in = true}), VERDICT_ADVANCE);
	fake.dr[7] = DR7_RESERVED_ONES | BIT(2) | 0xd00000; /* watches writes to memory */
	fake.dr[1] = 0x60;
	assert_int_equal(io((struct exit_io){.size = 1, .in = true}), VERDICT_ADVANCE);
}

static void test_io_breakpoint_in_a_repetition(void **state)
{
	(void)state;
	watch_ports();
	fake.vcpu.reg[REG_RSI] = 0x100;
	fake.vcpu.reg[REG_RCX] = 2;
	assert_int_equal(io(OUTS8), VERDICT_INJECT);
	assert_int_equal(writes, 1);
	assert_int_equal(fake.vcpu.reg[REG_RIP], 0x1000);
	fake.vcpu.events.exception.type = EVENT_NONE;
	assert_int_equal(io(OUTS8), VERDICT_INJECT);
	assert_int_equal(writes, 2);
	assert_int_equal(fake.vcpu.reg[REG_RIP], 0x1002);
	fake.vcpu.events.exception.type = EVENT_NONE;
	assert_int_equal(io(OUTS8), VERDICT_ADVANCE); /* none left: no access, no trap */
}

static bool linear_of(enum segment_name name, u64 offset, u32 size, bool write, u8 *vector)
{
	gva_t linear;

	return segment_linear(&fake.vcpu, vcpu_long_mode(&fake.vcpu), name, offset, size, write, &linear, vector);
}

static void test_segment_types(void **state)
{
	u8 vector;

	(void)state;
	fake_set_mode(&fake, CR0_PE, 0, 0xc09b, 0);
	assert_true(linear_of(SEG_DS, 0, 4, true, &vector));
	fake.state.segment[SEG_DS].attributes = 0xc091; /* read-only */
	assert_true(linear_of(SEG_DS, 0, 4, false, &vector));
	assert_false(linear_of(SEG_DS, 0, 4, true, &vector));
	assert_int_equal(vector, VECTOR_GP);
	fake.state.segment[SEG_DS].attributes = 0xc099; /* execute-only */
	assert_false(linear_of(SEG_DS, 0, 4, false, &vector));
	fake.state.segment[SEG_DS].attributes = 0xc09b; /* execute and read */
	assert_true(linear_of(SEG_DS, 0, 4, false, &vector));
	assert_false(linear_of(SEG_DS, 0, 4, true, &vector));
	fake.state.segment[SEG_SS].attributes |= SEGMENT_UNUSABLE;
	assert_false(linear_of(SEG_SS, 0, 4, false, &vector));
	assert_int_equal(vector, VECTOR_SS);
}

static void test_segment_limits(void **state)
{
	u8 vector;

	(void)state;
	fake_set_mode(&fake, CR0_PE, 0, 0xc09b, 0);
	fake.state.segment[SEG_DS].limit = 0xfff;
	assert_true(linear_of(SEG_DS, 0xffc, 4, true, &vector));
	assert_false(linear_of(SEG_DS, 0xffd, 4, true, &vector));
	fake.state.segment[SEG_DS].limit = ~0u;
	assert_false(linear_of(SEG_DS, 0xfffffffe, 4, true, &vector));
	fake.state.segment[SEG_DS].attributes = 0xc097; /* expand down, 32 bits: above the limit is inside */
	fake.state.segment[SEG_DS].limit = 0xfff;
	assert_false(linear_of(SEG_DS, 0xfff, 1, true, &vector));
	assert_true(linear_of(SEG_DS, 0x1000, 4, true, &vector));
	fake.state.segment[SEG_DS].attributes = 0x97; /* 16 bits: ends at 64 KiB */
	assert_true(linear_of(SEG_DS, 0xfffc, 4, true, &vector));
	assert_false(linear_of(SEG_DS, 0xfffd, 4, true, &vector));
}

static void test_64_bit_segments(void **state)
{
	gva_t linear;
	u8 vector;

	(void)state;
	fake.state.segment[SEG_DS] = (struct segment){.attributes = SEGMENT_UNUSABLE, .base = 0x1000};
	fake.state.segment[SEG_FS].base = 0xffff800000000000;
	assert_true(segment_linear(&fake.vcpu, vcpu_long_mode(&fake.vcpu), SEG_DS, 0x10, 4, true, &linear, &vector));
	assert_int_equal(linear, 0x10);
	assert_true(segment_linear(&fake.vcpu, vcpu_long_mode(&fake.vcpu), SEG_FS, 0x10, 4, true, &linear, &vector));
	assert_int_equal(linear, 0xffff800000000010);
	assert_false(segment_linear(&fake.vcpu, vcpu_long_mode(&fake.vcpu), SEG_DS, 0x800000000000, 1, true, &linear,
				    &vector));
	assert_int_equal(vector, VECTOR_GP);
	assert_false(segment_linear(&fake.vcpu, vcpu_long_mode(&fake.vcpu), SEG_DS, 0x7fffffffffff, 2, true, &linear,
				    &vector));
	assert_false(segment_linear(&fake.vcpu, vcpu_long_mode(&fake.vcpu), SEG_SS, 0x800000000000, 1, true, &linear,
				    &vector));
	assert_int_equal(vector, VECTOR_SS);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_in_and_out),	 T(test_pending_device),	     T(test_rep_outs),
		T(test_rep_ins_downwards), T(test_bounded),		     T(test_page_fault_in_the_middle),
		T(test_not_ram_ends_the_vm), T(test_16_bit_addresses),	     T(test_single_step_stops_after_each),
		T(test_alignment_check), T(test_segment_types),		     T(test_segment_limits),
		T(test_64_bit_segments), T(test_io_breakpoint_traps_after), T(test_io_breakpoint_in_a_repetition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
