// sources: arch/x86_64/vmx/reason.c arch/x86_64/vmx/reason_state.c arch/x86_64/vmx/capability.c lib/fmt.c arch/x86_64/vmx/qualification.c arch/x86_64/vmx/fields.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/vmx/capability.h"
#include "arch/x86_64/vmx/controls.h"
#include "arch/x86_64/vmx/fields.h"
#include "arch/x86_64/vmx/qualification.h"
#include "arch/x86_64/vmx/reason.h"
#include "vmm/account.h"
#include "vmm/vcpu_state.h"

/* SDM appendix "VMX Basic Exit Reasons": the numbers that are not defined. */
static bool undefined(u32 reason)
{
	return reason == 35 || reason == 38 || reason == 42 || reason == 71;
}

static void every_reason_has_a_row(void **state)
{
	struct engine_reason reason;

	(void)state;
	for (u32 i = 0; i < EXIT_REASONS; i++) {
		assert_int_equal(!vmx_reason(i, &reason), undefined(i));
		if (undefined(i))
			continue;
		assert_true(reason_table[i].kind < EXIT_KINDS);
		assert_true(reason_table[i].decode < EXIT_DECODES);
		assert_true(reason.name[0]);
		assert_int_equal(reason.code, i);
		assert_int_equal(reason.kind, reason_table[i].kind);
	}
	assert_false(vmx_reason(35, &reason));
	assert_false(vmx_reason(ACCOUNT_REASONS, &reason));
	assert_false(vmx_reason(0xffffffffu, &reason));
	assert_true(vmx_reason(RAW_ENTRY_REFUSED + 7, &reason));
	assert_string_equal(reason.name, "VM entry with invalid control fields");
	assert_true(vmx_reason(RAW_NMI, &reason));
	assert_int_equal(reason.code, REASON_EXCEPTION_NMI);
	assert_int_equal(reason.kind, EXIT_NMI);
	assert_true(RAW_ENTRY_REFUSED + INSTRUCTION_ERRORS <= ACCOUNT_REASONS);
}

/* SDM "VMX Non-Root Operation". */
static void reasons_are_on_off_or_undefined(void **state)
{
	struct vmx_setup setup = {.control = {[CONTROL_PRIMARY] = PRIMARY_HLT}};

	(void)state;
	assert_int_equal(vmx_reason_state_under(&setup, REASON_CPUID), REASON_ON);
	assert_int_equal(vmx_reason_state_under(&setup, REASON_HLT), REASON_ON);
	assert_int_equal(vmx_reason_state_under(&setup, REASON_RDTSC), REASON_OFF);
	assert_int_equal(vmx_reason_state_under(&setup, REASON_PAUSE), REASON_OFF);
	setup.control[CONTROL_SECONDARY] = SECONDARY_PAUSE_LOOP;
	assert_int_equal(vmx_reason_state_under(&setup, REASON_PAUSE), REASON_ON);
	for (u32 i = 0; i < EXIT_REASONS + 2; i++)
		assert_int_equal(vmx_reason_state_under(&setup, i) == REASON_UNDEFINED,
				 undefined(i) || i >= EXIT_REASONS);
	assert_int_equal(vmx_reason_state_under(&setup, 0xffffffffu), REASON_UNDEFINED);
}

static void kinds_are_right(void **state)
{
	static const struct {
		u32 reason;
		enum exit_kind kind;
	} expected[] = {
		{1, EXIT_INTERRUPT}, {2, EXIT_TRIPLE_FAULT}, {3, EXIT_INIT}, {7, EXIT_INTERRUPT_WINDOW},
		{8, EXIT_NMI_WINDOW}, {9, EXIT_TASK_SWITCH}, {10, EXIT_CPUID}, {12, EXIT_HLT}, {13, EXIT_CACHE},
		{15, EXIT_DENIED}, {18, EXIT_HYPERCALL}, {27, EXIT_UNDEFINED}, {28, EXIT_CR}, {29, EXIT_DR},
		{30, EXIT_IO}, {31, EXIT_MSR_READ}, {32, EXIT_MSR_WRITE}, {33, EXIT_ENTRY_FAILED},
		{34, EXIT_ENTRY_FAILED}, {36, EXIT_MONITOR}, {39, EXIT_MONITOR}, {40, EXIT_PAUSE},
		{41, EXIT_MACHINE_CHECK}, {48, EXIT_MEMORY}, {49, EXIT_UNKNOWN}, {52, EXIT_SLICE}, {54, EXIT_CACHE},
		{55, EXIT_XSETBV},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(expected); i++)
		assert_int_equal(reason_table[expected[i].reason].kind, expected[i].kind);
	/* VMX instructions, all of them (SDM "Instructions That Cause VM Exits Unconditionally"). */
	for (u32 i = 19; i <= 27; i++)
		assert_int_equal(reason_table[i].kind, EXIT_UNDEFINED);
}

/* An exit that is not said to interrupt deliveries loses the event whose delivery it interrupted. */
static void deliveries_are_looked_at(void **state)
{
	static const u8 can[] = {0, 44, 48, 49, 62, 66};

	(void)state;
	for (u32 i = 0; i < EXIT_REASONS; i++)
		assert_int_equal(reason_table[i].in_delivery, memchr(can, (int)i, sizeof(can)) != NULL);
}

static void every_exit_whose_union_is_used_is_decoded(void **state)
{
	(void)state;
	for (u32 i = 0; i < EXIT_REASONS; i++) {
		const struct reason_row *row = &reason_table[i];

		switch (undefined(i) ? EXIT_KINDS : row->kind) {
		case EXIT_IO:
			assert_int_equal(row->decode, DECODE_IO);
			break;
		case EXIT_CR:
			assert_int_equal(row->decode, DECODE_CR);
			break;
		case EXIT_DR:
			assert_int_equal(row->decode, DECODE_DR);
			break;
		case EXIT_MEMORY:
			assert_int_equal(row->decode, i == REASON_APIC_ACCESS ? DECODE_APIC_ACCESS : DECODE_MEMORY);
			break;
		case EXIT_APIC:
			assert_int_equal(row->decode, DECODE_APIC);
			break;
		case EXIT_TASK_SWITCH:
			assert_int_equal(row->decode, DECODE_TASK_SWITCH);
			break;
		case EXIT_UNKNOWN:
		case EXIT_UNDEFINED:
		case EXIT_ENTRY_FAILED:
			assert_int_equal(row->decode, DECODE_QUALIFICATION);
			break;
		default:
			break;
		}
	}
}

static void decode_string(u64 qualification, u32 information, struct exit_io *io)
{
	vmx_decode_io(qualification, io);
	vmx_decode_string_io(qualification, information, io);
}

static void io(void **state)
{
	struct exit_io out, ins, outs;

	(void)state;
	vmx_decode_io(0xf4ull << 16 | 3, &out);
	decode_string(0x1f0ull << 16 | BIT(3) | BIT(4) | BIT(5) | 1, 2u << 7 | 3u << 15, &ins);
	decode_string(0x3f8ull << 16 | BIT(4), 1u << 7 | 4u << 15, &outs);
	assert_int_equal(out.port, 0xf4);
	assert_int_equal(out.size, 4);
	assert_false(out.in || out.string);
	assert_int_equal(ins.port, 0x1f0);
	assert_int_equal(ins.size, 2);
	assert_true(ins.in && ins.string && ins.rep);
	assert_int_equal(ins.address_size, 8);
	assert_int_equal(ins.segment, SEG_ES);
	assert_int_equal(outs.size, 1);
	assert_int_equal(outs.address_size, 4);
	assert_int_equal(outs.segment, SEG_FS);
	assert_true(outs.string && !outs.in && !outs.rep);
}

static void control_registers(void **state)
{
	struct exit_cr write = vmx_decode_cr(0 | 0 << 4 | 9 << 8), read = vmx_decode_cr(8 | 1 << 4 | 15 << 8);
	struct exit_cr clts = vmx_decode_cr(2 << 4), lmsw = vmx_decode_cr(3 << 4 | 0xfff1ull << 16);

	(void)state;
	assert_int_equal(write.cr, 0);
	assert_int_equal(write.access, CR_WRITE);
	assert_int_equal(write.gpr, REG_R9);
	assert_int_equal(read.cr, 8);
	assert_int_equal(read.access, CR_READ);
	assert_int_equal(read.gpr, REG_R15);
	assert_int_equal(clts.access, CR_CLTS);
	assert_int_equal(lmsw.access, CR_LMSW);
	assert_int_equal(lmsw.source, 0xfff1);
}

static void debug_registers(void **state)
{
	struct exit_dr dr = vmx_decode_dr(7 | BIT(4) | 3 << 8);

	(void)state;
	assert_int_equal(dr.dr, 7);
	assert_true(dr.read);
	assert_int_equal(dr.gpr, REG_RBX);
	assert_false(vmx_decode_dr(6).read);
	assert_int_equal(vmx_decode_debug(BIT(14) | BIT(13) | 5 | BIT(16) | BIT(12)), BIT(14) | BIT(13) | 5);
}

static void memory(void **state)
{
	struct exit_memory plain, walk, no_address;

	(void)state;
	vmx_decode_memory(BIT(1) | BIT(3) | BIT(7) | BIT(8), &plain);
	vmx_decode_memory(BIT(0) | BIT(7), &walk);
	vmx_decode_memory(BIT(2), &no_address);
	assert_int_equal(plain.access, MEMORY_WRITE);
	assert_true(plain.present && plain.gva_valid && !plain.page_walk);
	assert_int_equal(walk.access, MEMORY_READ);
	assert_true(walk.page_walk && !walk.present);
	assert_int_equal(no_address.access, MEMORY_EXECUTE);
	assert_false(no_address.gva_valid || no_address.page_walk);
}

static void task_switches(void **state)
{
	u32 fault = (u32)INTERRUPTION_VALID | (u32)INTERRUPTION_ERROR_VALID | TYPE_HARDWARE_EXCEPTION << 8 | 10;
	u32 soft = (u32)INTERRUPTION_VALID | TYPE_SOFTWARE_INTERRUPT << 8 | 0x80;
	u32 hard = (u32)INTERRUPTION_VALID | TYPE_EXTERNAL << 8 | 0x20;
	struct exit_task_switch t;

	(void)state;
	t = vmx_decode_task_switch(0x28, fault, 9);
	assert_int_equal(t.selector, 0x28);
	assert_int_equal(t.source, TASK_CALL);
	assert_true(t.by_instruction && !t.has_error);
	assert_int_equal(vmx_decode_task_switch(1ull << 30, 0, 0).source, TASK_IRET);
	assert_int_equal(vmx_decode_task_switch(2ull << 30, 0, 0).source, TASK_JMP);
	t = vmx_decode_task_switch(3ull << 30 | 0x30, fault, 9);
	assert_int_equal(t.source, TASK_GATE);
	assert_true(t.has_error && !t.by_instruction);
	assert_int_equal(t.error, 9);
	assert_true(vmx_decode_task_switch(3ull << 30, soft, 0).by_instruction);
	assert_false(vmx_decode_task_switch(3ull << 30, hard, 0).by_instruction);
}

/* SDM "Exit Qualification": a vector for an EOI, an offset into the page for a write. */
static void apic_events(void **state)
{
	struct exit_apic tpr = vmx_decode_apic(REASON_TPR, 0), eoi = vmx_decode_apic(REASON_VIRTUAL_EOI, 0xc1);
	struct exit_apic write = vmx_decode_apic(REASON_APIC_WRITE, 0x3f0);

	(void)state;
	assert_int_equal(tpr.event, APIC_TPR_FELL);
	assert_int_equal(eoi.event, APIC_ENDED);
	assert_int_equal(eoi.detail, 0xc1);
	assert_int_equal(write.event, APIC_WRITTEN);
	assert_int_equal(write.detail, 0x3f0);
}

static void apic_accesses(void **state)
{
	static const struct {
		u32 type, access;
		bool physical;
	} cases[] = {{0, MEMORY_READ, false}, {1, MEMORY_WRITE, false}, {2, MEMORY_EXECUTE, false},
		     {3, MEMORY_READ, false}, {10, MEMORY_READ, true},	{15, MEMORY_READ, true}};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exit_memory memory = vmx_decode_apic_access(cases[i].type << 12 | 0x390);

		assert_int_equal(memory.gpa, 0xfee00390);
		assert_int_equal(memory.access, cases[i].access);
		assert_int_equal(memory.page_walk, cases[i].physical);
		assert_false(memory.gva_valid);
	}
}

/*
 * SDM "Field Encoding in VMCS": the area's and the width's bits must say what the name and the type say; no encoding
 * comes twice.
 */
static void fields_are_what_their_names_say(void **state)
{
	(void)state;
	for (u32 i = 0; i < VMCS_FIELDS; i++) {
		u32 encoding = vmcs_fields[i].encoding;
		bool guest = strncmp(vmcs_fields[i].words, "guest ", 6) == 0,
		     host = strncmp(vmcs_fields[i].words, "host ", 5) == 0;

		assert_int_equal(encoding & ~(BITS(14, 13) | BITS(11, 10) | BITS(9, 1)), 0);
		if (host)
			assert_int_equal(vmcs_area(encoding), AREA_HOST);
		else if (guest && encoding != ENCODING_GUEST_PHYSICAL_ADDRESS)
			assert_int_equal(vmcs_area(encoding), AREA_GUEST);
		for (u32 j = 0; j < i; j++)
			assert_int_not_equal(vmcs_fields[j].encoding, encoding);
	}
#define WIDTH_IS(width, name, code, words) assert_int_equal(vmcs_width(code), EXPECT_##width);
#define EXPECT_16      WIDTH_16
#define EXPECT_32      WIDTH_32
#define EXPECT_64      WIDTH_64
#define EXPECT_natural WIDTH_NATURAL
	VMCS_FIELD_LIST(WIDTH_IS)
	/* Those that registers.c reaches by arithmetic. */
	assert_int_equal(ENCODING_GUEST_ES_SELECTOR + 2 * SEG_TR, ENCODING_GUEST_TR_SELECTOR);
	assert_int_equal(ENCODING_GUEST_ES_RIGHTS + 2 * SEG_TR, ENCODING_GUEST_TR_RIGHTS);
	assert_int_equal(ENCODING_GUEST_ES_LIMIT + 2 * SEG_LDTR, ENCODING_GUEST_LDTR_LIMIT);
	assert_int_equal(ENCODING_GUEST_ES_BASE + 2 * SEG_FS, ENCODING_GUEST_FS_BASE);
	assert_int_equal(ENCODING_GUEST_PDPTE0 + 6, ENCODING_GUEST_PDPTE3);
}

static void instruction_errors_have_words(void **state)
{
	(void)state;
	assert_string_equal(vmx_instruction_error(8), "VM entry with invalid host-state fields");
	assert_non_null(vmx_instruction_error(14));
	assert_non_null(vmx_instruction_error(0xffffffffu));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_a_row),
		cmocka_unit_test(reasons_are_on_off_or_undefined),
		cmocka_unit_test(kinds_are_right),
		cmocka_unit_test(deliveries_are_looked_at),
		cmocka_unit_test(every_exit_whose_union_is_used_is_decoded),
		cmocka_unit_test(io),
		cmocka_unit_test(control_registers),
		cmocka_unit_test(debug_registers),
		cmocka_unit_test(memory),
		cmocka_unit_test(task_switches),
		cmocka_unit_test(apic_events),
		cmocka_unit_test(apic_accesses),
		cmocka_unit_test(fields_are_what_their_names_say),
		cmocka_unit_test(instruction_errors_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
