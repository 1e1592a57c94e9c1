// sources: vmm/event.c
/*
 * Oracle: SDM vol. 3 "Conditions for Generating a Double Fault", "Priority Among Concurrent Events", "Interruptibility
 * State".
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/cpu/regs.h"
#include "vmm/event.h"

static const struct event none = {.type = EVENT_NONE};

/* 'b' benign, 'c' contributory, 'p' page fault, 'd' double fault; by vector. */
static const char classes[] = "cbbbbbbbdbccccpbbbbbpcbbbbbbbbbb";

/* What the SDM's table says of first (row) and second (column): 's' serial, 'd' double fault, 't' triple fault. */
static char expected(char first, char second)
{
	if (first == 'c')
		return second == 'c' ? 'd' : 's';
	if (first == 'p')
		return second == 'c' || second == 'p' ? 'd' : 's';
	if (first == 'd')
		return second == 'b' ? 's' : 't';
	return 's';
}

static void check_pair(u8 first, u8 second, bool in_flight)
{
	struct event_state state = {.in_flight = none, .exception = none};
	struct event *slot = in_flight ? &state.in_flight : &state.exception;
	char want = expected(classes[first], classes[second]);
	bool alive;

	*slot = (struct event){.type = EVENT_EXCEPTION, .vector = first};
	alive = event_queue_exception(&state, second, true, 0x1234);
	assert_int_equal(alive, want != 't');
	if (!alive)
		return;
	assert_int_equal(state.in_flight.type, EVENT_NONE);
	assert_int_equal(state.exception.type, EVENT_EXCEPTION);
	assert_true(state.exception.has_error);
	assert_int_equal(state.exception.vector, want == 'd' ? VECTOR_DF : second);
	assert_int_equal(state.exception.error, want == 'd' ? 0 : 0x1234);
}

static void test_double_faults(void **state)
{
	(void)state;
	for (u8 first = 0; first < 32; first++)
		for (u8 second = 0; second < 32; second++) {
			check_pair(first, second, false);
			check_pair(first, second, true);
		}
}

/* An interrupt, NMI or INT n whose delivery faulted is benign: the fault alone is delivered. */
static void test_fault_while_delivering_other_events(void **state)
{
	static const enum event_type types[] = {EVENT_INTERRUPT, EVENT_NMI, EVENT_SOFT_INTERRUPT, EVENT_SOFT_EXCEPTION,
						EVENT_PRIV_SOFT_EXCEPTION};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		struct event_state s = {.in_flight = {.type = types[i], .vector = VECTOR_GP}, .exception = none};

		assert_true(event_queue_exception(&s, VECTOR_PF, true, 2));
		assert_int_equal(s.exception.vector, VECTOR_PF);
		assert_int_equal(s.in_flight.type, EVENT_NONE);
	}
}

/* Every combination of what is pending and what is blocked, against a second statement of the rules. */
static void check_decision(u32 pending, u32 blocked, bool rflags_if)
{
	struct event_state state = {.in_flight = none, .exception = none};
	struct event event;
	enum event_source source = EVENT_FROM_NOBODY;
	bool nmi_open = (blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS | BLOCKED_BY_SMI | BLOCKED_BY_NMI)) == 0;
	bool irq_open = rflags_if && (blocked & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS | BLOCKED_BY_SMI)) == 0;
	enum event_type want = EVENT_NONE;
	u8 vector = 0;

	if (pending & 1)
		state.in_flight = (struct event){.type = EVENT_INTERRUPT, .vector = 77};
	if (pending & 2)
		state.exception = (struct event){.type = EVENT_EXCEPTION, .vector = 13};
	state.nmi_pending = pending & 4;
	state.irq = pending & 8 ? 0x51 : 0;
	if (pending & 1)
		want = EVENT_INTERRUPT, vector = 77, source = EVENT_FROM_EXIT;
	else if (pending & 2)
		want = EVENT_EXCEPTION, vector = 13, source = EVENT_FROM_HANDLER;
	else if (pending & 4 && nmi_open)
		want = EVENT_NMI, vector = 2, source = EVENT_FROM_OUTSIDE;
	else if (pending & 8 && irq_open)
		source = EVENT_FROM_CONTROLLER;
	assert_int_equal(event_may_wait(&state), (pending & 12) != 0);
	assert_int_equal(event_decide(&state, blocked | (rflags_if ? 0 : (u32)BLOCKED_BY_IF)), source);
	if (source == EVENT_FROM_CONTROLLER)
		return;
	event = event_take(&state, source);
	assert_int_equal(event.type, want);
	assert_int_equal(event.vector, vector);
	/* What is pending and not delivered now wants a window. */
	assert_int_equal(state.nmi_pending, pending & 4 && want != EVENT_NMI);
	assert_int_equal(state.irq, pending & 8 ? 0x51 : 0);
	assert_int_equal(event_may_wait(&state), state.nmi_pending || state.irq);
	assert_int_equal(state.in_flight.type, EVENT_NONE);
	assert_int_equal(state.exception.type, (pending & 3) == 3 ? EVENT_EXCEPTION : EVENT_NONE);
}

static void test_every_decision(void **state)
{
	(void)state;
	for (u32 pending = 0; pending < 16; pending++)
		for (u32 blocked = 0; blocked < 16; blocked++)
			for (u32 flag = 0; flag < 2; flag++)
				check_decision(pending, blocked, flag);
}

/* The event re-injected is the one that was in flight, in every field. */
static void test_in_flight_is_kept_whole(void **state)
{
	const struct event whole = {EVENT_SOFT_INTERRUPT, 0x80, true, 2, 0x12345678};
	struct event_state s = {.in_flight = whole, .exception = none, .nmi_pending = true};
	struct event event = event_take(&s, event_decide(&s, 0));

	(void)state;
	assert_memory_equal(&event, &whole, sizeof(whole));
	assert_true(event_may_wait(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_double_faults),
		cmocka_unit_test(test_fault_while_delivering_other_events),
		cmocka_unit_test(test_every_decision),
		cmocka_unit_test(test_in_flight_is_kept_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
