// sources: vmm/task.c vmm/task_tss.c vmm/task_segments.c vmm/task_switch.c vmm/segment.c vmm/cr.c vmm/cr_check.c vmm/vcpu_regs.c vmm/event.c tests/unit/fake_engine.c tests/unit/fake_linear.c tests/unit/fake_policy.c vmm/cpuid.c vmm/cpuid_table.c vmm/cpuid_account.c vmm/account.c vmm/msr.c vmm/mtrr.c vmm/efer.c tests/unit/fake_core.c tests/unit/fake_end.c
/* Hardware task switches over a flat fake memory. Oracle: SDM vol. 3 "Task Switching" and its tables. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/percpu.h"
#include "tests/unit/fake_core.h"
#include "tests/unit/fake_engine.h"
#include "tests/unit/fake_linear.h"
#include "vmm/core.h"
#include "vmm/handlers.h"
#include "vmm/task.h"

#define GDT	 0x1000u
#define OLD_TSS	 0x2000u
#define NEW_TSS	 0x3000u
#define LDT	 0x4000u

/* Selectors. */
enum { CODE0 = 0x08, DATA0 = 0x10, CODE3 = 0x1b, DATA3 = 0x23, OLD = 0x28, NEW = 0x30, LDT_SELECTOR = 0x38,
      SPARE = 0x40, LIMIT = 0x47 };

static struct fake fake;
static struct vcpu_state scratch;

int guest_read(struct vm *vm, gpa_t gpa, void *to, u64 size)
{
	(void)vm;
	if (gpa + size > FAKE_LINEAR_SIZE)
		return ERR_RANGE;
	memcpy(to, memory + gpa, size);
	return OK;
}

static u32 peek(u32 at, u32 width)
{
	u32 value = 0;

	memcpy(&value, memory + at, width);
	return value;
}

static void poke(u32 at, u32 width, u32 value)
{
	memcpy(memory + at, &value, width);
}

/* access: byte 5; flags: the upper half of byte 6. */
static void descriptor(u32 selector, u32 base, u32 limit, u8 access, u8 flags)
{
	u32 at = GDT + (selector & ~7u);

	poke(at, 4, (limit & 0xffff) | base << 16);
	poke(at + 4, 4,
	     (base >> 16 & 0xff) | (u32)access << 8 | (limit & 0xf0000) | (u32)flags << 20 | (base & 0xff000000));
}

static u8 access_of(u32 selector)
{
	return memory[GDT + (selector & ~7u) + 5];
}

/* A ring-0 task at 0x5000, as a 32-bit TSS. */
static void new_task(void)
{
	static const u32 registers[8] = {0xa0, 0xc0, 0xd0, 0xb0, 0x8000, 0xeb, 0x51, 0xd1};
	static const u16 segments[6] = {DATA0, CODE0, DATA0, DATA0, DATA0, 0};

	poke(NEW_TSS + 0x1c, 4, 0x7000);
	poke(NEW_TSS + 0x20, 4, 0x5000);
	poke(NEW_TSS + 0x24, 4, RFLAGS_ONE | RFLAGS_CF);
	for (u32 i = 0; i < 8; i++)
		poke(NEW_TSS + 0x28 + 4 * i, 4, registers[i]);
	for (u32 i = 0; i < 6; i++)
		poke(NEW_TSS + 0x48 + 4 * i, 4, segments[i]);
}

static int setup(void **state)
{
	(void)state;
	fake_cores_init();
	this_core()->vmm->scratch = &scratch;
	fake_init(&fake);
	memset(memory, 0, sizeof(memory));
	bad_page = NO_BAD_PAGE;
	descriptor(CODE0, 0, 0xfffff, 0x9a, 0xc);
	descriptor(DATA0, 0, 0xfffff, 0x92, 0xc);
	descriptor(CODE3, 0, 0xfffff, 0xfa, 0xc);
	descriptor(DATA3, 0, 0xfffff, 0xf2, 0xc);
	descriptor(OLD, OLD_TSS, 103, 0x8b, 0);
	descriptor(NEW, NEW_TSS, 103, 0x89, 0);
	descriptor(LDT_SELECTOR, LDT, 0xf, 0x82, 0);
	new_task();
	fake_set_mode(&fake, CR0_PE | CR0_PG | CR0_ET, 0, 0xc09b, 0);
	fake.vcpu.reg[REG_CR4] = 0;
	fake.vcpu.reg[REG_CR3] = 0x6000;
	fake.vcpu.reg[REG_RFLAGS] = RFLAGS_ONE | RFLAGS_IF | RFLAGS_ZF;
	for (u32 i = REG_RAX; i <= REG_RDI; i++)
		fake.vcpu.reg[i] = 0x11110000 + i;
	fake.state.gdtr = (struct descriptor_table){GDT, LIMIT};
	fake.state.segment[SEG_TR] = (struct segment){OLD, 0x8b, 103, OLD_TSS};
	fake.state.segment[SEG_CS].selector = CODE0;
	fake.state.segment[SEG_ES].selector = DATA0;
	fake.state.dr7 = DR7_RESERVED_ONES | 0x3ff;
	return 0;
}

static struct vm_exit exit_of(enum task_switch_source source)
{
	return (struct vm_exit){.kind = EXIT_TASK_SWITCH,
				.task = {.selector = NEW, .source = source, .by_instruction = source != TASK_GATE}};
}

static enum verdict switch_by(enum task_switch_source source)
{
	struct vm_exit exit = exit_of(source);

	return handle_task_switch(&fake.vcpu, &exit);
}

static void check_new_registers(void)
{
	assert_int_equal(fake.vcpu.reg[REG_RIP], 0x5000);
	assert_int_equal(fake.vcpu.reg[REG_RAX], 0xa0);
	assert_int_equal(fake.vcpu.reg[REG_RSP], 0x8000);
	assert_int_equal(fake.vcpu.reg[REG_RDI], 0xd1);
	assert_int_equal(fake.vcpu.reg[REG_CR3], 0x7000);
	assert_true(fake.vcpu.reg[REG_CR0] & CR0_TS);
	assert_int_equal(fake.state.segment[SEG_CS].selector, CODE0);
	assert_int_equal(fake.state.segment[SEG_CS].limit, 0xffffffff);
	assert_int_equal(fake.state.segment[SEG_TR].selector, NEW);
	assert_int_equal(fake.state.segment[SEG_TR].attributes, 0x8b);
	assert_int_equal(fake.state.segment[SEG_TR].base, NEW_TSS);
	assert_true(fake.state.segment[SEG_GS].attributes & SEGMENT_UNUSABLE);
	assert_int_equal(fake.state.dr7, DR7_RESERVED_ONES | 0x2aa);
	assert_true(fake.flushes > 0);
}

static void test_jmp(void **state)
{
	(void)state;
	assert_int_equal(switch_by(TASK_JMP), VERDICT_RETRY);
	check_new_registers();
	assert_int_equal(fake.vcpu.reg[REG_RFLAGS], RFLAGS_ONE | RFLAGS_CF);
	assert_int_equal(access_of(OLD), 0x89); /* no longer busy */
	/*
	 * A JMP sets the new task's busy flag (SDM "Effect of a Task Switch on Busy Flag, NT Flag, Previous Task Link
	 * Field, and TS Flag").
	 */
	assert_int_equal(access_of(NEW), 0x8b);
	assert_int_equal(peek(NEW_TSS, 2), 0);
	assert_int_equal(peek(OLD_TSS + 0x20, 4), 0x1002);
	assert_int_equal(peek(OLD_TSS + 0x24, 4), RFLAGS_ONE | RFLAGS_IF | RFLAGS_ZF);
	for (u32 i = 0; i < 8; i++)
		assert_int_equal(peek(OLD_TSS + 0x28 + 4 * i, 4), 0x11110000 + i);
	assert_int_equal(peek(OLD_TSS + 0x48, 2), DATA0);
	assert_int_equal(peek(OLD_TSS + 0x4c, 2), CODE0);
	assert_int_equal(peek(OLD_TSS + 0x1c, 4), 0); /* CR3 is not saved */
	assert_true(access_of(CODE0) & 1);	      /* accessed */
	assert_false(access_of(CODE3) & 1);
}

static void test_call_nests(void **state)
{
	(void)state;
	assert_int_equal(switch_by(TASK_CALL), VERDICT_RETRY);
	check_new_registers();
	assert_int_equal(fake.vcpu.reg[REG_RFLAGS], RFLAGS_ONE | RFLAGS_CF | RFLAGS_NT);
	assert_int_equal(access_of(OLD), 0x8b);
	assert_int_equal(access_of(NEW), 0x8b);
	assert_int_equal(peek(NEW_TSS, 2), OLD);
}

static void test_iret(void **state)
{
	(void)state;
	descriptor(NEW, NEW_TSS, 103, 0x8b, 0); /* the task returned to is busy */
	fake.vcpu.reg[REG_RFLAGS] |= RFLAGS_NT;
	fake.state.interruptibility = BLOCKED_BY_NMI;
	assert_int_equal(switch_by(TASK_IRET), VERDICT_RETRY);
	check_new_registers();
	assert_int_equal(access_of(OLD), 0x89);
	assert_int_equal(access_of(NEW), 0x8b);
	assert_false(peek(OLD_TSS + 0x24, 4) & RFLAGS_NT);
	assert_false(fake.vcpu.reg[REG_RFLAGS] & RFLAGS_NT);
	assert_int_equal(fake.state.interruptibility, 0);
}

static void test_exception_through_a_gate(void **state)
{
	struct vm_exit exit = exit_of(TASK_GATE);

	(void)state;
	exit.task.has_error = true;
	exit.task.error = 0x123;
	assert_int_equal(handle_task_switch(&fake.vcpu, &exit), VERDICT_RETRY);
	assert_int_equal(peek(OLD_TSS + 0x20, 4), 0x1000); /* the faulting instruction itself */
	assert_int_equal(fake.vcpu.reg[REG_RSP], 0x7ffc);
	assert_int_equal(peek(0x7ffc, 4), 0x123);
	assert_int_equal(peek(NEW_TSS, 2), OLD);
}

static void test_int_n_through_a_gate(void **state)
{
	struct vm_exit exit = exit_of(TASK_GATE);

	(void)state;
	exit.task.by_instruction = true;
	assert_int_equal(handle_task_switch(&fake.vcpu, &exit), VERDICT_RETRY);
	assert_int_equal(peek(OLD_TSS + 0x20, 4), 0x1002);
	assert_int_equal(fake.vcpu.reg[REG_RSP], 0x8000);
}

static void test_to_16_bit(void **state)
{
	(void)state;
	descriptor(NEW, NEW_TSS, 43, 0x81, 0);
	memset(memory + NEW_TSS, 0, 104);
	poke(NEW_TSS + 14, 2, 0x5000);
	poke(NEW_TSS + 18, 2, 0x00a0);
	poke(NEW_TSS + 26, 2, 0x8000);
	poke(NEW_TSS + 34, 2, DATA0);
	poke(NEW_TSS + 36, 2, CODE0);
	poke(NEW_TSS + 38, 2, DATA0);
	fake.state.segment[SEG_FS].selector = DATA0;
	assert_int_equal(switch_by(TASK_CALL), VERDICT_RETRY);
	assert_int_equal(fake.vcpu.reg[REG_RIP], 0x5000);
	assert_int_equal(fake.vcpu.reg[REG_RAX], 0xffff00a0);
	assert_int_equal(fake.vcpu.reg[REG_CR3], 0x6000); /* has none */
	assert_true(fake.state.segment[SEG_FS].attributes & SEGMENT_UNUSABLE);
	assert_int_equal(fake.state.segment[SEG_TR].attributes, 0x83);
	assert_int_equal(access_of(NEW), 0x83);
}

static void test_from_16_bit(void **state)
{
	(void)state;
	fake.state.segment[SEG_TR].attributes = 0x83;
	fake.state.segment[SEG_TR].limit = 43;
	descriptor(OLD, OLD_TSS, 43, 0x83, 0);
	assert_int_equal(switch_by(TASK_JMP), VERDICT_RETRY);
	assert_int_equal(peek(OLD_TSS + 14, 2), 0x1002);
	assert_int_equal(peek(OLD_TSS + 18 + 2 * 3, 2), 3);
	assert_int_equal(peek(OLD_TSS + 36, 2), CODE0);
	assert_int_equal(peek(OLD_TSS + 42, 2), 0); /* the LDT's selector is not saved */
	assert_int_equal(access_of(OLD), 0x81);
}

static void test_to_v8086(void **state)
{
	(void)state;
	poke(NEW_TSS + 0x24, 4, RFLAGS_ONE | RFLAGS_VM);
	poke(NEW_TSS + 0x20, 4, 0x500);
	poke(NEW_TSS + 0x4c, 4, 0x1234);
	assert_int_equal(switch_by(TASK_JMP), VERDICT_RETRY);
	assert_int_equal(fake.state.segment[SEG_CS].base, 0x12340);
	assert_int_equal(fake.state.segment[SEG_CS].attributes, 0xf3);
	assert_int_equal(fake.state.segment[SEG_SS].limit, 0xffff);
}

static void test_ldt_is_loaded_first(void **state)
{
	(void)state;
	poke(NEW_TSS + 0x60, 4, LDT_SELECTOR);
	poke(NEW_TSS + 0x54, 4, 0x0c); /* DS: second entry of the LDT */
	poke(LDT + 8, 4, 0x0000ffff);
	poke(LDT + 12, 4, 0x00cf9200);
	assert_int_equal(switch_by(TASK_JMP), VERDICT_RETRY);
	assert_int_equal(fake.state.segment[SEG_LDTR].base, LDT);
	assert_int_equal(fake.state.segment[SEG_DS].selector, 0x0c);
	assert_int_equal(memory[LDT + 13], 0x93);
}

/* A fault before the switch: nothing has changed, and it is the old task's. */
static void old_context_fault(enum task_switch_source source, u8 vector, u32 error)
{
	u64 rip = fake.vcpu.reg[REG_RIP];
	u8 before[FAKE_LINEAR_SIZE];

	memcpy(before, memory, sizeof(before));
	fake.vcpu.events.exception.type = EVENT_NONE;
	assert_int_equal(switch_by(source), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, vector);
	assert_int_equal(fake.vcpu.events.exception.error, error);
	assert_int_equal(fake.vcpu.reg[REG_RIP], rip);
	assert_int_equal(fake.imports, 0);
	assert_memory_equal(before, memory, sizeof(before));
}

static void test_faults_of_the_old_task(void **state)
{
	(void)state;
	old_context_fault(TASK_IRET, VECTOR_TS, NEW); /* not busy */
	descriptor(NEW, NEW_TSS, 103, 0x8b, 0);
	old_context_fault(TASK_JMP, VECTOR_GP, NEW); /* busy */
	descriptor(NEW, NEW_TSS, 103, 0x92, 0);
	old_context_fault(TASK_JMP, VECTOR_GP, NEW); /* no TSS */
	descriptor(NEW, NEW_TSS, 103, 0x09, 0);
	old_context_fault(TASK_CALL, VECTOR_NP, NEW);
	descriptor(NEW, NEW_TSS, 102, 0x89, 0);
	old_context_fault(TASK_CALL, VECTOR_TS, NEW);
	old_context_fault(TASK_GATE, VECTOR_TS, NEW | 1); /* an external event: EXT */
	fake.state.gdtr.limit = NEW + 6;
	old_context_fault(TASK_JMP, VECTOR_GP, NEW);
}

static void test_page_faults_of_the_old_task(void **state)
{
	(void)state;
	bad_page = NEW_TSS;
	old_context_fault(TASK_JMP, VECTOR_PF, 0);
	assert_int_equal(fake.vcpu.reg[REG_CR2], NEW_TSS);
	bad_page = OLD_TSS;
	old_context_fault(TASK_JMP, VECTOR_PF, PF_WRITE);
}

/* A fault after it: the new task is running, at its first instruction, and gets it. */
static void new_context_fault(u8 vector, u32 error)
{
	assert_int_equal(switch_by(TASK_CALL), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, vector);
	assert_int_equal(fake.vcpu.events.exception.error, error);
	assert_int_equal(fake.vcpu.reg[REG_RIP], peek(NEW_TSS + 0x20, 4));
	assert_int_equal(fake.state.segment[SEG_TR].selector, NEW);
	assert_int_equal(peek(NEW_TSS, 2), OLD);
}

/*
 * SDM "Exception Conditions Checked During a Task Switch": a selector (or descriptor) of the new task and what it
 * earns.
 */
static void test_faults_of_the_new_task(void **state)
{
	static const struct {
		u32 offset, value; /* in the TSS */
		u8 access;	   /* of SPARE; 0: leave it empty */
		u8 vector;
		u32 error;
	} rows[] = {
		{0x60, DATA0, 0, VECTOR_TS, DATA0},		/* LDT: wrong type */
		{0x60, LDT_SELECTOR | 4, 0, VECTOR_TS, LDT_SELECTOR | 4}, /* in an LDT */
		{0x60, SPARE, 0x02, VECTOR_TS, SPARE},		/* not present */
		{0x4c, 0, 0, VECTOR_TS, 0},			/* CS null */
		{0x4c, DATA0, 0, VECTOR_TS, DATA0},		/* CS: data */
		{0x4c, SPARE, 0x1a, VECTOR_NP, SPARE},		/* CS not present */
		{0x4c, CODE0 | 3, 0, VECTOR_TS, CODE0},		/* DPL 0, RPL 3 */
		{0x4c, SPARE, 0xfe, VECTOR_TS, SPARE},		/* conforming, DPL above CPL */
		{0x50, 0, 0, VECTOR_TS, 0},			/* SS null */
		{0x50, SPARE, 0x90, VECTOR_TS, SPARE},		/* SS read-only */
		{0x50, SPARE, 0x12, VECTOR_SS, SPARE},		/* SS not present */
		{0x50, DATA3, 0, VECTOR_TS, DATA3 & ~3u},	/* SS: RPL 3, CPL 0 */
		{0x54, SPARE, 0x98, VECTOR_TS, SPARE},		/* DS execute-only */
		{0x54, SPARE, 0x12, VECTOR_NP, SPARE},		/* DS not present */
		{0x54, DATA0 | 3, 0, VECTOR_TS, DATA0},		/* DS: RPL beyond DPL */
		{0x48, 0x50, 0, VECTOR_TS, 0x50},		/* ES beyond the GDT */
		{0x5c, SPARE | 4, 0, VECTOR_TS, SPARE | 4},	/* GS in an LDT that is not there */
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(state);
		poke(NEW_TSS + rows[i].offset, 4, rows[i].value);
		if (rows[i].access)
			descriptor(SPARE, 0, 0xfffff, rows[i].access, 0xc);
		new_context_fault(rows[i].vector, rows[i].error);
	}
}

static void test_eip_beyond_the_limit(void **state)
{
	(void)state;
	descriptor(CODE0, 0, 0xfff, 0x9a, 4);
	new_context_fault(VECTOR_GP, 0);
}

static void test_error_code_without_room(void **state)
{
	struct vm_exit exit = exit_of(TASK_GATE);

	(void)state;
	exit.task.has_error = true;
	descriptor(DATA0, 0, 0xfff, 0x92, 4); /* ESP 0x8000 is beyond */
	assert_int_equal(handle_task_switch(&fake.vcpu, &exit), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_SS);
	assert_int_equal(fake.vcpu.events.exception.error, 1);
}

static void test_t_flag(void **state)
{
	(void)state;
	poke(NEW_TSS + 0x64, 2, 1);
	assert_int_equal(switch_by(TASK_JMP), VERDICT_INJECT);
	assert_int_equal(fake.vcpu.events.exception.vector, VECTOR_DB);
	assert_false(fake.vcpu.events.exception.has_error);
	assert_true(fake.state.dr6 & DR6_BT);
	assert_int_equal(fake.vcpu.reg[REG_RIP], 0x5000);
}

static void test_pae_loads_pdptes(void **state)
{
	(void)state;
	fake.vcpu.reg[REG_CR4] = CR4_PAE;
	poke(0x7000, 4, 0x9001);
	assert_int_equal(switch_by(TASK_JMP), VERDICT_RETRY);
	assert_int_equal(fake.state.pdpte[0], 0x9001);
	setup(state);
	fake.vcpu.reg[REG_CR4] = CR4_PAE;
	poke(0x7000, 4, 0x9003);
	new_context_fault(VECTOR_GP, 0);
}

static void test_refused_state_ends_the_vm(void **state)
{
	(void)state;
	fake.refuse_import = true;
	assert_int_equal(switch_by(TASK_JMP), VERDICT_END);
	assert_int_equal(fake.end_cause, VM_END_ERROR);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(test_jmp),
		T(test_call_nests),
		T(test_iret),
		T(test_exception_through_a_gate),
		T(test_int_n_through_a_gate),
		T(test_to_16_bit),
		T(test_from_16_bit),
		T(test_to_v8086),
		T(test_ldt_is_loaded_first),
		T(test_faults_of_the_old_task),
		T(test_page_faults_of_the_old_task),
		T(test_faults_of_the_new_task),
		T(test_eip_beyond_the_limit),
		T(test_error_code_without_room),
		T(test_t_flag),
		T(test_pae_loads_pdptes),
		T(test_refused_state_ends_the_vm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
