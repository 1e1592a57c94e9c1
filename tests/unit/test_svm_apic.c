// sources: arch/x86_64/svm/apic.c
/* V_TPR and the local APIC's page: who has the task priority when, and when CR8 exits. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/svm/svm.h"
#include "vmm/devices/apic_view.h"

#define CR8 BIT(8)
#define TPR (0x80 / 4)

static struct vmcb vmcb;
static struct svm_vcpu svm;
static struct vcpu vcpu;
static u32 page[1024];

static int setup(void **state UNUSED)
{
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&svm, 0, sizeof(svm));
	memset(page, 0, sizeof(page));
	vmcb.cr_read = CR8;
	vmcb.cr_write = BIT(4) | CR8;
	vmcb.vintr = VINTR_MASKING;
	svm.vmcb = &vmcb;
	vcpu.engine_state = &svm;
	return 0;
}

static void show(u8 tpr, u8 threshold)
{
	const struct apic_view view = {.enabled = true, .tpr = tpr, .threshold = threshold};

	vmcb.clean = CLEAN_ALL;
	svm_show_apic(&vcpu, &view);
}

static void cr8_needs_no_exit(void **state UNUSED)
{
	assert_int_equal(svm_assist_apic(&vcpu, page), APIC_ASSIST_TPR);
	assert_int_equal(vmcb.cr_read, 0);
	assert_int_equal(vmcb.cr_write, BIT(4));
	show(0x5a, 0);
	assert_int_equal(vmcb.vintr, VINTR_MASKING | 5);
	assert_int_equal(vmcb.clean, CLEAN_ALL & ~CLEAN_TPR);
	show(0x5a, 0);
	assert_int_equal(vmcb.clean, CLEAN_ALL);
}

/* Nothing else tells when the priority falls. */
static void writes_exit_while_an_interrupt_waits_for_it(void **state UNUSED)
{
	svm_assist_apic(&vcpu, page);
	show(0x50, 4);
	assert_int_equal(vmcb.cr_write, BIT(4) | CR8);
	assert_int_equal(vmcb.cr_read, 0);
	assert_false(vmcb.clean & CLEAN_INTERCEPTS);
	show(0x30, 0);
	assert_int_equal(vmcb.cr_write, BIT(4));
	assert_false(vmcb.clean & CLEAN_INTERCEPTS);
}

static void the_page_follows_the_guest(void **state UNUSED)
{
	svm_collect_tpr(&svm); /* without a local APIC there is no page */
	svm_assist_apic(&vcpu, page);
	page[TPR] = 0x5a;
	show(0x5a, 0);
	svm_collect_tpr(&svm);
	assert_int_equal(page[TPR], 0x5a); /* what CR8 does not have is kept */
	vmcb.vintr = (vmcb.vintr & ~VINTR_TPR_MASK) | 9;
	svm_collect_tpr(&svm);
	assert_int_equal(page[TPR], 0x90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(cr8_needs_no_exit, setup),
		cmocka_unit_test_setup(writes_exit_while_an_interrupt_waits_for_it, setup),
		cmocka_unit_test_setup(the_page_follows_the_guest, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
