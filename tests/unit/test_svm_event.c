// sources: arch/x86_64/svm/event.c vmm/event.c
/*
 * Events under AMD-V: injection, windows for interrupts and NMIs, what an exit interrupted. APM vol. 2 "Event
 * Injection", "Virtual Interrupts", "EXITINTINFO Pseudo-Code".
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/svm/svm.h"
#include "tests/unit/fake_panic.h"

#define IRET (1u << INTERCEPT_IRET)
#define VINTR (1u << INTERCEPT_VINTR)

static struct vmcb vmcb;
static struct svm_vcpu svm;
static struct vcpu vcpu;

static int setup(void **state UNUSED)
{
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&svm, 0, sizeof(svm));
	memset(&vcpu, 0, sizeof(vcpu));
	svm.vmcb = &vmcb;
	vcpu.engine_state = &svm;
	vmcb.clean = CLEAN_ALL;
	vmcb.rip = 0x1000;
	return 0;
}

static void inject(struct event event)
{
	svm_inject(&vcpu, &event);
}

static void exit_during(u64 info)
{
	vmcb.exit_int_info = info;
	svm_collect_events(&vcpu);
}

static void events_have_their_words(void **state UNUSED)
{
	inject((struct event){.type = EVENT_INTERRUPT, .vector = 0x41});
	assert_int_equal(vmcb.event_injection, EVENTINJ_VALID | 0x41);
	vmcb.event_injection = 0;
	inject((struct event){.type = EVENT_EXCEPTION, .vector = VECTOR_PF, .has_error = true, .error = 7});
	assert_int_equal(vmcb.event_injection, 7ull << 32 | EVENTINJ_VALID | EVENTINJ_ERROR_VALID | 3 << 8 | VECTOR_PF);
	vmcb.event_injection = 0;
	inject((struct event){.type = EVENT_SOFT_INTERRUPT, .vector = 0x80});
	assert_int_equal(vmcb.event_injection, EVENTINJ_VALID | 4 << 8 | 0x80);
	expect_panic(inject((struct event){.type = EVENT_INTERRUPT, .vector = 0x42})); /* one at a time */
}

static void an_interrupted_delivery_is_done_again(void **state UNUSED)
{
	const struct event *event = &vcpu.events.in_flight;

	exit_during(5ull << 32 | EVENTINJ_VALID | EVENTINJ_ERROR_VALID | 3 << 8 | VECTOR_GP);
	assert_int_equal(event->type, EVENT_EXCEPTION);
	assert_int_equal(event->vector, VECTOR_GP);
	assert_true(event->has_error && event->error == 5);
	assert_true(vcpu.attention & ATTENTION_EVENT);
	exit_during(EVENTINJ_VALID | 0x41);
	assert_int_equal(event->type, EVENT_INTERRUPT);
	assert_int_equal(event->vector, 0x41);
	assert_false(event->has_error);
}

/* RIP is still at the instruction: it comes again by itself. */
static void software_events_are_not(void **state UNUSED)
{
	exit_during(EVENTINJ_VALID | 4 << 8 | 0x80);
	assert_int_equal(vcpu.events.in_flight.type, EVENT_NONE);
	exit_during(EVENTINJ_VALID | 3 << 8 | VECTOR_BP);
	assert_int_equal(vcpu.events.in_flight.type, EVENT_NONE);
	assert_int_equal(vcpu.attention, 0);
	exit_during(3 << 8 | VECTOR_GP); /* not valid */
	assert_int_equal(vcpu.events.in_flight.type, EVENT_NONE);
}

static void the_place_of_a_shadow_is_remembered(void **state UNUSED)
{
	exit_during(0);
	assert_int_equal(svm.shadow_rip, 0);
	vmcb.interrupt_state = VMCB_SHADOW;
	exit_during(0);
	vmcb.interrupt_state = 0;
	vmcb.rip = 0x1001;
	exit_during(0);
	assert_int_equal(svm.shadow_rip, 0x1000);
}

static void the_interrupt_window_is_a_virtual_interrupt(void **state UNUSED)
{
	svm_request_window(&vcpu, true, false);
	assert_true(vmcb.intercept3 & VINTR);
	assert_true(vmcb.vintr & VINTR_IRQ && vmcb.vintr & VINTR_IGNORE_TPR);
	assert_int_equal(vmcb.clean, CLEAN_ALL & ~(CLEAN_INTERCEPTS | CLEAN_TPR));
	vmcb.clean = CLEAN_ALL;
	svm_request_window(&vcpu, true, false);
	assert_int_equal(vmcb.clean, CLEAN_ALL); /* nothing new */
	svm_request_window(&vcpu, false, false);
	assert_false(vmcb.intercept3 & VINTR);
	assert_int_equal(vmcb.vintr, 0);
}

/* Its IRET is intercepted; when that has been executed NMIs are open, and not before. */
static void an_nmi_blocks_until_its_iret_is_done(void **state UNUSED)
{
	inject((struct event){.type = EVENT_NMI, .vector = VECTOR_NMI});
	assert_true(vmcb.intercept3 & IRET);
	exit_during(0);
	assert_int_equal(svm_interruptibility(&vcpu), BLOCKED_BY_NMI);
	svm_request_window(&vcpu, false, true);
	assert_false(vmcb.rflags & RFLAGS_TF); /* the intercept comes first */
	svm.iret_seen = true; /* as decode_iret() does */
	svm.iret_rip = vmcb.rip;
	exit_during(0); /* something else came before the IRET was executed */
	assert_int_equal(svm_interruptibility(&vcpu), BLOCKED_BY_NMI);
	svm_request_window(&vcpu, false, true);
	assert_true(vmcb.rflags & RFLAGS_TF); /* one step, and it is over */
	vmcb.rip = 0x2000;
	exit_during(0);
	assert_int_equal(svm_interruptibility(&vcpu), 0);
	assert_true(svm_end_step(&vcpu));
	assert_false(vmcb.rflags & RFLAGS_TF);
	assert_false(svm_end_step(&vcpu)); /* the next #DB is the guest's */
}

static void an_nmi_that_did_not_get_through_blocks_nothing(void **state UNUSED)
{
	inject((struct event){.type = EVENT_NMI, .vector = VECTOR_NMI});
	exit_during(EVENTINJ_VALID | 2 << 8 | VECTOR_NMI);
	assert_int_equal(vcpu.events.in_flight.type, EVENT_NMI);
	assert_int_equal(svm_interruptibility(&vcpu), 0);
}

static void the_shadow_ends(void **state UNUSED)
{
	vmcb.interrupt_state = VMCB_SHADOW;
	assert_int_equal(svm_interruptibility(&vcpu), BLOCKED_BY_STI);
	svm_end_shadow(&vcpu);
	assert_int_equal(svm_interruptibility(&vcpu), 0);
}

static void a_single_step_is_an_exception_of_its_own(void **state UNUSED)
{
	svm_set_single_step(&vcpu);
	assert_int_equal(vcpu.events.exception.type, EVENT_EXCEPTION);
	assert_int_equal(vcpu.events.exception.vector, VECTOR_DB);
	assert_true(vmcb.dr6 & DR6_BS);
	assert_false(vmcb.clean & CLEAN_DR);
	assert_true(vcpu.attention & ATTENTION_EVENT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(events_have_their_words),
		TEST(an_interrupted_delivery_is_done_again),
		TEST(software_events_are_not),
		TEST(the_place_of_a_shadow_is_remembered),
		TEST(the_interrupt_window_is_a_virtual_interrupt),
		TEST(an_nmi_blocks_until_its_iret_is_done),
		TEST(an_nmi_that_did_not_get_through_blocks_nothing),
		TEST(the_shadow_ends),
		TEST(a_single_step_is_an_exception_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
