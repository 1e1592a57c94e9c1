// sources: arch/x86_64/mmu/inval.c
/*
 * Every invalidation list, written out once more: no emulator here would notice a missing step, so the change of one
 * must be seen.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/mmu/inval.h"

/*
 * v VMCLEAR, 3 load CR3, i INVLPG, e/E INVEPT single/all, p/P INVVPID single/all, n new ASID, a flush ASID, A flush
 * all, k kick, f free.
 */
static const char letters[INVAL_STEPS + 1] = {
	[INVAL_END] = '.',
	[INVAL_VMCLEAR_OLD_CORE] = 'v',
	[INVAL_LOAD_CR3] = '3',
	[INVAL_INVLPG_RANGE] = 'i',
	[INVAL_EPT_SINGLE] = 'e',
	[INVAL_EPT_ALL] = 'E',
	[INVAL_VPID_SINGLE] = 'p',
	[INVAL_VPID_ALL] = 'P',
	[INVAL_ASID_NEW] = 'n',
	[INVAL_ASID_FLUSH] = 'a',
	[INVAL_KICK_HOLDERS] = 'k',
	[INVAL_FREE_FRAMES] = 'f',
	[INVAL_ASID_FLUSH_ALL] = 'A',
};

/* Without tags (single-context flushes without and with), with tags (without and with). */
struct expectation {
	enum inval_event event;
	const char *vmx[4], *svm[4];
};

static const struct expectation expected[] = {
	{INVAL_GUEST_MAPPED, {"", "", "", ""}, {"", "", "", ""}},
	{INVAL_GUEST_UNMAPPED, {"kEf", "kef", "kEf", "kef"}, {"kaf", "kaf", "knf", "kaf"}},
	{INVAL_GUEST_PROTECTED, {"kE", "ke", "kE", "ke"}, {"ka", "ka", "kn", "ka"}},
	{INVAL_GUEST_RELAXED, {"", "", "", ""}, {"a", "a", "n", "a"}},
	{INVAL_HOST_MAPPED, {"", "", "", ""}, {"", "", "", ""}},
	{INVAL_HOST_UNMAPPED, {"k3f", "k3f", "k3f", "k3f"}, {"k3f", "k3f", "k3f", "k3f"}},
	{INVAL_VCPU_MIGRATED, {"v", "v", "vP", "vp"}, {"a", "a", "n", "n"}},
	{INVAL_TAG_REUSED, {"", "", "P", "p"}, {"a", "a", "a", "a"}},
	{INVAL_VM_SWITCHED, {"3", "3", "3", "3"}, {"3a", "3a", "3", "3"}},
	{INVAL_ROOT_REUSED, {"kEf", "kef", "kEf", "kef"}, {"kaf", "kaf", "knf", "kaf"}},
	{INVAL_CORE_STARTED, {"E", "E", "EP", "EP"}, {"A", "A", "A", "A"}},
	{INVAL_GUEST_PAGING, {"", "", "P", "p"}, {"a", "a", "n", "a"}},
};

static const char *text_of(enum inval_event event, enum inval_engine engine, u32 variant)
{
	const struct inval_machine machine = {engine, variant & 2, variant & 1};
	static char text[INVAL_STEPS + 1];
	u32 n = 0;

	for (const enum inval_step *step = inval_steps(event, &machine); *step != INVAL_END; step++) {
		assert_true(n < INVAL_STEPS && (u32)*step < INVAL_STEPS);
		text[n++] = letters[*step];
	}
	text[n] = 0;
	return text;
}

static void test_lists(void **state)
{
	(void)state;
	assert_int_equal(ARRAY_SIZE(expected), INVAL_EVENTS);
	for (u32 i = 0; i < INVAL_EVENTS; i++) {
		assert_int_equal(expected[i].event, i);
		for (u32 variant = 0; variant < 4; variant++) {
			assert_string_equal(text_of(i, INVAL_VMX, variant), expected[i].vmx[variant]);
			assert_string_equal(text_of(i, INVAL_SVM, variant), expected[i].svm[variant]);
		}
	}
}

/* What must hold of any list, also one that is added later. */
static void test_rules(void **state)
{
	(void)state;
	for (u32 i = 0; i < INVAL_EVENTS; i++) {
		for (u32 variant = 0; variant < 8; variant++) {
			enum inval_engine engine = variant & 4 ? INVAL_SVM : INVAL_VMX;
			const char *text = text_of(i, engine, variant & 3);
			const char *free = strchr(text, 'f');

			/* Frames go last, and only after every holder was made to flush. */
			if (free) {
				assert_int_equal(free[1], 0);
				assert_int_equal(text[0], 'k');
				assert_true(free - text >= 2);
			}
			/* An engine has its own instructions only, and those the CPU has. */
			assert_null(strpbrk(text, engine == INVAL_VMX ? "anA" : "veEpP"));
			if (!(variant & 2))
				assert_null(strpbrk(text, "pPn"));
			if (!(variant & 1))
				assert_null(strpbrk(text, "ep"));
		}
	}
}

static void test_names(void **state)
{
	(void)state;
	for (u32 i = 0; i < INVAL_STEPS; i++) {
		assert_non_null(inval_step_name(i));
		for (u32 j = 0; j < i; j++)
			assert_string_not_equal(inval_step_name(i), inval_step_name(j));
	}
	assert_string_equal(inval_step_name(INVAL_STEPS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
