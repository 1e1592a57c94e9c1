// sources: arch/x86_64/svm/asid.c arch/x86_64/svm/maps.c arch/x86_64/svm/feature.c arch/x86_64/svm/exit.c lib/fmt.c
/* AMD-V's pure parts: ASIDs across cores and generations, permission maps, feature words, exit codes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/cpu/irq.h"
#include "arch/x86_64/svm/maps.h"
#include "arch/x86_64/svm/svm.h"
#include "vmm/fetch.h"

/* What exit.c calls: the test says what the guest's instruction is. */
struct svm_features svm_features;
static struct insn next_insn;
static int next_insn_error;
static u32 gates_opened, debug_loads, xcr0_syncs;
static bool step_is_ours;

int fetch_instruction(struct vcpu *vcpu UNUSED, const struct insn **insn)
{
	*insn = &next_insn;
	return next_insn_error;
}

void svm_open_gate(void)
{
	gates_opened++;
}

void mce_handle_exit(void)
{
}

void svm_sync_xcr0(struct vcpu *vcpu UNUSED)
{
	xcr0_syncs++;
}

void svm_load_debug(struct vcpu *vcpu UNUSED)
{
	debug_loads++;
}

bool svm_end_step(struct vcpu *vcpu UNUSED)
{
	return step_is_ours;
}

void svm_request_window(struct vcpu *vcpu UNUSED, bool irq UNUSED, bool nmi UNUSED)
{
}

static void asids_are_fresh_until_they_run_out(void **state UNUSED)
{
	struct asid_pool pool;
	struct asid_tag a = {0}, b = {0}, c = {0};

	asid_init(&pool, 3, false); /* 1 and 2 can be handed out */
	/* Nobody knows what is left from before. */
	assert_int_equal(asid_assign(&pool, &a, 0, false), ASID_FLUSH_ALL);
	assert_int_equal(a.asid, 1);
	assert_int_equal(asid_assign(&pool, &a, 0, false), ASID_KEEP);
	assert_int_equal(asid_assign(&pool, &b, 0, false), ASID_FRESH);
	assert_int_equal(b.asid, 2);
	assert_int_equal(asid_assign(&pool, &c, 0, false), ASID_FLUSH_ALL);
	assert_int_equal(c.asid, 1);
	/* The old generation's tags are void, even the one that has the same number. */
	assert_int_equal(asid_assign(&pool, &a, 0, false), ASID_FRESH);
	assert_int_equal(a.asid, 2);
}

static void an_asid_is_of_one_core(void **state UNUSED)
{
	struct asid_pool pool[2];
	struct asid_tag tag = {0};

	asid_init(&pool[0], 8, true);
	asid_init(&pool[1], 8, true);
	assert_int_equal(asid_assign(&pool[0], &tag, 0, false), ASID_FLUSH_ALL);
	assert_int_equal(asid_assign(&pool[1], &tag, 1, false), ASID_FLUSH_ALL);
	/* Back again: what it left on core 0 may be stale, so the number it had there is not good any more. */
	assert_int_equal(asid_assign(&pool[0], &tag, 0, false), ASID_FRESH);
	assert_int_equal(tag.asid, 2);
}

static void renewing_leaves_old_translations_behind(void **state UNUSED)
{
	struct asid_pool pool;
	struct asid_tag tag = {0};

	asid_init(&pool, 8, false);
	asid_assign(&pool, &tag, 0, false);
	assert_int_equal(asid_assign(&pool, &tag, 0, true), ASID_FRESH);
	assert_int_equal(tag.asid, 2);
}

static void a_processor_that_can_flushes_one(void **state UNUSED)
{
	struct asid_pool pool;
	struct asid_tag tag = {0};

	asid_init(&pool, 8, true);
	asid_assign(&pool, &tag, 0, false);
	assert_int_equal(asid_assign(&pool, &tag, 0, true), ASID_FLUSH_ONE);
	assert_int_equal(tag.asid, 1);
	/* One that is not its own here any more is no use flushing. */
	tag.generation--;
	assert_int_equal(asid_assign(&pool, &tag, 0, true), ASID_FRESH);
	assert_int_equal(tag.asid, 2);
}

static void msr_map_has_three_ranges(void **state UNUSED)
{
	static u8 map[MSR_MAP_SIZE];

	memset(map, 0xff, sizeof(map));
	assert_true(msr_map_set(map, MSR_STAR, false, true));
	assert_int_equal(map[0x800 + 0x81 / 4], 0xff & ~(1u << (0x81 % 4 * 2)));
	assert_false(msr_map_test(map, MSR_STAR, false));
	assert_true(msr_map_test(map, MSR_STAR, true));
	assert_true(msr_map_set(map, 0x1fff, false, false));
	assert_int_equal(map[0x7ff], 0x3f);
	assert_true(msr_map_set(map, 0xc0011fff, false, false));
	assert_int_equal(map[0x17ff], 0x3f);
	assert_false(msr_map_set(map, 0x2000, false, false));
	assert_false(msr_map_set(map, 0xc0002000, false, false));
	assert_false(msr_map_set(map, 0x40000000, false, false));
	assert_true(msr_map_test(map, 0x40000000, false));
}

static void features_by_their_bits(void **state UNUSED)
{
	struct svm_features a = svm_read_features(16, BIT(0) | BIT(3) | BIT(6));
	struct svm_features b = svm_read_features(8, BIT(0) | BIT(6) | BIT(7));
	struct svm_features both = svm_common_features(&a, &b);
	char text[128];

	assert_true(a.nested_paging && a.nrips && a.flush_by_asid && !a.decode_assists && !a.vgif);
	assert_true(both.nested_paging && both.flush_by_asid && !both.nrips && !both.decode_assists);
	assert_int_equal(both.asids, 8);
	svm_name_features(&both, text, sizeof(text));
	assert_string_equal(text, "8 ASIDs, nested paging, flush by ASID");
	svm_name_features(&both, text, 10);
	assert_string_equal(text, "8 ASIDs, ");
	both = svm_read_features(16, BIT(0) | BIT(4) | BIT(13));
	svm_name_features(&both, text, sizeof(text));
	assert_string_equal(text, "16 ASIDs, nested paging; found, not used yet: TSC rate, AVIC");
}

static struct vmcb vmcb;
static struct svm_vcpu svm;

static struct vm_exit decode(u64 code, u64 info1, u64 info2)
{
	static struct vcpu vcpu;
	struct vm_exit exit;

	memset(&exit, 0, sizeof(exit));
	svm.vmcb = &vmcb;
	vcpu.engine_state = &svm;
	vmcb.exit_code = code;
	vmcb.exit_info1 = info1;
	vmcb.exit_info2 = info2;
	svm_decode_exit(&vcpu, &exit);
	return exit;
}

static void every_intercept_has_its_kind(void **state UNUSED)
{
	static const struct {
		u64 code, info1;
		enum exit_kind kind;
	} rows[] = {
		{SVM_EXIT_CR_WRITE(4), 0, EXIT_CR},	     {SVM_EXIT_EXCEPTION(VECTOR_AC), 0, EXIT_EXCEPTION},
		{SVM_EXIT_INTR, 0, EXIT_INTERRUPT},	     {SVM_EXIT_NMI, 0, EXIT_NMI},
		{SVM_EXIT_INIT, 0, EXIT_INIT},		     {SVM_EXIT_VINTR, 0, EXIT_INTERRUPT_WINDOW},
		{SVM_EXIT_RDPMC, 0, EXIT_DENIED},	     {SVM_EXIT_CPUID, 0, EXIT_CPUID},
		{SVM_EXIT_INVD, 0, EXIT_CACHE},		     {SVM_EXIT_WBINVD, 0, EXIT_CACHE},
		{SVM_EXIT_HLT, 0, EXIT_HLT},		     {SVM_EXIT_INVLPGA, 0, EXIT_UNDEFINED},
		{SVM_EXIT_IOIO, 0, EXIT_IO},		     {SVM_EXIT_MSR, 0, EXIT_MSR_READ},
		{SVM_EXIT_MSR, 1, EXIT_MSR_WRITE},	     {SVM_EXIT_TASK_SWITCH, 0, EXIT_TASK_SWITCH},
		{SVM_EXIT_SHUTDOWN, 0, EXIT_TRIPLE_FAULT},   {SVM_EXIT_VMRUN, 0, EXIT_UNDEFINED},
		{SVM_EXIT_VMMCALL, 0, EXIT_HYPERCALL},	     {SVM_EXIT_STGI, 0, EXIT_UNDEFINED},
		{SVM_EXIT_SKINIT, 0, EXIT_UNDEFINED},	     {SVM_EXIT_MONITOR, 0, EXIT_MONITOR},
		{SVM_EXIT_MWAIT, 0, EXIT_MONITOR},	     {SVM_EXIT_XSETBV, 0, EXIT_XSETBV},
		{SVM_EXIT_NPF, 0, EXIT_MEMORY},		     {SVM_EXIT_INVALID, 0, EXIT_ENTRY_FAILED},
		{0x8f, 0, EXIT_UNKNOWN},		     {0x401, 0, EXIT_UNKNOWN},
		{0xffffffff, 0, EXIT_ENTRY_FAILED},		     {SVM_EXIT_RSM, 0, EXIT_UNKNOWN},
	};

	next_insn_error = ERR_UNSUPPORTED;
	svm_features.decode_assists = true;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(decode(rows[i].code, rows[i].info1, 0).kind, rows[i].kind);
	assert_int_equal(svm_raw_index(0x12345), ACCOUNT_REASONS);
}

/* What the counters stand under says what the exit was: kind and code, and what shares a code is counted apart. */
static void reasons_tell_kind_and_code(void **state UNUSED)
{
	static const u64 codes[] = {SVM_EXIT_CPUID, SVM_EXIT_MSR, SVM_EXIT_NPF, SVM_EXIT_EXCEPTION(VECTOR_DB),
				    SVM_EXIT_INVALID};
	struct engine_reason reason;
	u32 read = decode(SVM_EXIT_MSR, 0, 0).raw, write = decode(SVM_EXIT_MSR, 1, 0).raw;

	step_is_ours = true;
	for (u32 i = 0; i < ARRAY_SIZE(codes); i++) {
		struct vm_exit exit = decode(codes[i], 0, 0);

		assert_true(svm_reason(exit.raw, &reason));
		assert_int_equal(reason.code, (u32)codes[i]);
		assert_int_equal(reason.kind, exit.kind);
	}
	step_is_ours = false;
	assert_int_not_equal(read, write);
	assert_false(svm_reason(ACCOUNT_REASONS, &reason));
}

/* APM appendix "SVM Intercept Exit Codes"; which are on: control.c. */
static void reasons_are_on_off_or_undefined(void **state UNUSED)
{
	assert_int_equal(svm_reason_state(SVM_EXIT_CPUID), REASON_ON);
	assert_int_equal(svm_reason_state(SVM_EXIT_NPF), REASON_ON);
	assert_int_equal(svm_reason_state(SVM_EXIT_CR_WRITE(4)), REASON_ON);
	assert_int_equal(svm_reason_state(SVM_EXIT_CR_WRITE(3)), REASON_OFF);
	assert_int_equal(svm_reason_state(SVM_EXIT_EXCEPTION(VECTOR_PF)), REASON_OFF);
	assert_int_equal(svm_reason_state(0x6e), REASON_OFF); /* RDTSC */
	assert_int_equal(svm_reason_state(0x90), REASON_OFF); /* not the row of the nested page fault */
	assert_int_equal(svm_reason_state(0xa7), REASON_UNDEFINED);
	assert_int_equal(svm_reason_state(0x3ff), REASON_UNDEFINED);
}

static void physical_interrupts_go_through_the_gate(void **state UNUSED)
{
	gates_opened = 0;
	decode(SVM_EXIT_INTR, 0, 0);
	decode(SVM_EXIT_NMI, 0, 0);
	decode(SVM_EXIT_CPUID, 0, 0);
	assert_int_equal(gates_opened, 2);
}

/*
 * QEMU's TCG enters without the shadow of STI: at a HLT the window has come too early, and the HLT is carried out
 * instead.
 */
static void a_lost_shadow_ends_behind_the_hlt(void **state UNUSED)
{
	next_insn_error = OK;
	next_insn = (struct insn){.map = INSN_MAP_ONE, .opcode = 0xf4};
	vmcb.rip = svm.shadow_rip = 0x1000;
	vmcb.interrupt_state = 0;
	assert_int_equal(decode(SVM_EXIT_VINTR, 0, 0).kind, EXIT_HLT);
	decode(SVM_EXIT_INTR, 0, 0);
	assert_true(vmcb.interrupt_state & VMCB_SHADOW); /* nothing is to be injected before it */
	vmcb.interrupt_state = 0;
	vmcb.rip = 0x1001;
	assert_int_equal(decode(SVM_EXIT_VINTR, 0, 0).kind, EXIT_INTERRUPT_WINDOW);
	decode(SVM_EXIT_INTR, 0, 0);
	assert_int_equal(vmcb.interrupt_state, 0);
	vmcb.rip = 0x1000;
	vmcb.cpl = 3; /* there it would be #GP */
	assert_int_equal(decode(SVM_EXIT_VINTR, 0, 0).kind, EXIT_INTERRUPT_WINDOW);
	vmcb.cpl = 0;
	next_insn.opcode = 0x90;
	assert_int_equal(decode(SVM_EXIT_VINTR, 0, 0).kind, EXIT_INTERRUPT_WINDOW);
}

static void cpuid_finds_the_xcr0_of_now(void **state UNUSED)
{
	xcr0_syncs = 0;
	decode(SVM_EXIT_HLT, 0, 0);
	assert_int_equal(xcr0_syncs, 0);
	decode(SVM_EXIT_CPUID, 0, 0);
	assert_int_equal(xcr0_syncs, 1);
}

static void io_facts(void **state UNUSED)
{
	/* REP OUTSW of FS to port 3f8h: bits TYPE 0, STR, REP, SZ16, A32, SEG. */
	struct vm_exit exit;

	svm_features.decode_assists = true;
	exit = decode(SVM_EXIT_IOIO, 0x3f8ull << 16 | SEG_FS << 10 | BIT(8) | BIT(5) | BIT(3) | BIT(2), 0);
	assert_int_equal(exit.io.port, 0x3f8);
	assert_int_equal(exit.io.size, 2);
	assert_true(exit.io.string && exit.io.rep && !exit.io.in);
	assert_int_equal(exit.io.address_size, 4);
	assert_int_equal(exit.io.segment, SEG_FS);
	exit = decode(SVM_EXIT_IOIO, 0x21ull << 16 | BIT(4) | BIT(0), 0);
	assert_int_equal(exit.io.size, 1);
	assert_true(exit.io.in && !exit.io.string);
}

/* EXITINFO1 has no address size and no segment: the instruction is asked. */
static void string_io_without_assists(void **state UNUSED)
{
	struct vm_exit exit;

	svm_features.decode_assists = false;
	next_insn_error = OK;
	next_insn = (struct insn){.address_size = 8, .segment = SEG_GS};
	exit = decode(SVM_EXIT_IOIO, 0x80ull << 16 | BIT(4) | BIT(3) | BIT(2), 0);
	assert_int_equal(exit.kind, EXIT_IO);
	assert_int_equal(exit.io.address_size, 8);
	assert_int_equal(exit.io.segment, SEG_GS);
	/* INS has no override. */
	next_insn = (struct insn){.address_size = 2, .segment = SEG_GS};
	exit = decode(SVM_EXIT_IOIO, 0x80ull << 16 | BIT(4) | BIT(2) | BIT(0), 0);
	assert_int_equal(exit.io.address_size, 2);
	assert_int_equal(exit.io.segment, SEG_ES);
	/* The code is gone meanwhile: the guest is to meet that itself. Port I/O without memory asks nobody. */
	next_insn_error = ERR_RANGE;
	assert_int_equal(decode(SVM_EXIT_IOIO, 0x80ull << 16 | BIT(4) | BIT(2) | BIT(0), 0).kind, EXIT_INTERRUPT);
	assert_int_equal(decode(SVM_EXIT_IOIO, 0x80ull << 16 | BIT(4) | BIT(0), 0).kind, EXIT_IO);
}

static void memory_facts(void **state UNUSED)
{
	struct vm_exit exit = decode(SVM_EXIT_NPF, BIT(1) | BIT(33), 0xfee00000);

	assert_int_equal(exit.memory.gpa, 0xfee00000);
	assert_int_equal(exit.memory.access, MEMORY_WRITE);
	assert_true(exit.memory.page_walk && !exit.memory.present);
	exit = decode(SVM_EXIT_NPF, BIT(0) | BIT(4) | BIT(32), 0x1000);
	assert_int_equal(exit.memory.access, MEMORY_EXECUTE);
	assert_true(exit.memory.present && !exit.memory.page_walk);
}

static void operands_come_from_assists_or_the_instruction(void **state UNUSED)
{
	struct vm_exit exit;

	svm_features.decode_assists = true;
	exit = decode(SVM_EXIT_CR_WRITE(4), BIT(63) | 9, 0);
	assert_int_equal(exit.cr.cr, 4);
	assert_int_equal(exit.cr.gpr, 9);
	assert_int_equal(exit.cr.access, CR_WRITE);
	svm_features.decode_assists = false;
	next_insn = (struct insn){.rm = 3};
	next_insn_error = OK;
	exit = decode(SVM_EXIT_CR_WRITE(4), 0, 0);
	assert_int_equal(exit.cr.gpr, 3);
	/* The code is gone meanwhile: the guest is to meet that itself. */
	next_insn_error = ERR_RANGE;
	assert_int_equal(decode(SVM_EXIT_CR_WRITE(4), 0, 0).kind, EXIT_INTERRUPT);
}

static void vmcall_is_a_hypercall_too(void **state UNUSED)
{
	next_insn_error = OK;
	next_insn = (struct insn){.map = INSN_MAP_0F, .opcode = 0x01, .modrm = 0xc1};
	assert_int_equal(decode(SVM_EXIT_EXCEPTION(VECTOR_UD), 0, 0).kind, EXIT_HYPERCALL);
	next_insn = (struct insn){.map = INSN_MAP_0F, .opcode = 0x0b};
	assert_int_equal(decode(SVM_EXIT_EXCEPTION(VECTOR_UD), 0, 0).kind, EXIT_EXCEPTION);
	next_insn = (struct insn){.map = INSN_MAP_ONE, .opcode = 0x01, .modrm = 0xc1};
	assert_int_equal(decode(SVM_EXIT_EXCEPTION(VECTOR_UD), 0, 0).kind, EXIT_EXCEPTION);
}

static void debug_exits(void **state UNUSED)
{
	step_is_ours = true;
	assert_int_equal(decode(SVM_EXIT_EXCEPTION(VECTOR_DB), 0, 0).kind, EXIT_NMI_WINDOW);
	step_is_ours = false;
	assert_int_equal(decode(SVM_EXIT_EXCEPTION(VECTOR_DB), 0, 0).kind, EXIT_EXCEPTION);
	debug_loads = 0;
	assert_int_equal(decode(SVM_EXIT_DR_WRITE(7), 0, 0).kind, EXIT_INTERRUPT);
	assert_int_equal(debug_loads, 1);
}

static void task_switch_sources(void **state UNUSED)
{
	assert_int_equal(decode(SVM_EXIT_TASK_SWITCH, 0x28, BIT(36)).task.source, TASK_IRET);
	assert_int_equal(decode(SVM_EXIT_TASK_SWITCH, 0x28, BIT(38)).task.source, TASK_JMP);
	assert_int_equal(decode(SVM_EXIT_TASK_SWITCH, 0x28, 0).task.source, TASK_CALL);
	assert_int_equal(decode(SVM_EXIT_TASK_SWITCH, 0x28, BIT(44) | 0x55).task.error, 0x55);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asids_are_fresh_until_they_run_out),
		cmocka_unit_test(an_asid_is_of_one_core),
		cmocka_unit_test(renewing_leaves_old_translations_behind),
		cmocka_unit_test(a_processor_that_can_flushes_one),
		cmocka_unit_test(msr_map_has_three_ranges),
		cmocka_unit_test(features_by_their_bits),
		cmocka_unit_test(every_intercept_has_its_kind),
		cmocka_unit_test(reasons_tell_kind_and_code),
		cmocka_unit_test(reasons_are_on_off_or_undefined),
		cmocka_unit_test(physical_interrupts_go_through_the_gate),
		cmocka_unit_test(a_lost_shadow_ends_behind_the_hlt),
		cmocka_unit_test(cpuid_finds_the_xcr0_of_now),
		cmocka_unit_test(io_facts),
		cmocka_unit_test(string_io_without_assists),
		cmocka_unit_test(memory_facts),
		cmocka_unit_test(operands_come_from_assists_or_the_instruction),
		cmocka_unit_test(vmcall_is_a_hypercall_too),
		cmocka_unit_test(debug_exits),
		cmocka_unit_test(task_switch_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
