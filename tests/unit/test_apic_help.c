// sources: vmm/apic.c vmm/devices/vlapic.c vmm/devices/vlapic_irq.c vmm/devices/vlapic_timer.c vmm/devices/vlapic_msr.c vmm/devices/apic_bus.c vmm/devices/bus.c vmm/devices/ioapic.c vmm/devices/pic8259.c vmm/vcpu_regs.c vmm/event.c vmm/msr.c vmm/mtrr.c vmm/efer.c vmm/cpuid.c vmm/cpuid_table.c vmm/cpuid_account.c vmm/account.c core/time.c tests/unit/fake_engine.c tests/unit/fake_core.c tests/unit/fake_policy.c tests/unit/fake_end.c
/*
 * A vCPU and its interrupt controllers when a processor helps with the local APIC: what is shown to it, what it leaves
 * to us; test_apic.c has the rest.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "core/percpu.h"
#include "core/pool.h"
#include "device_bench.h"
#include "tests/unit/fake_core.h"
#include "tests/unit/fake_engine.h"
#include "vmm/apic.h"
#include "vmm/devices/vlapic_page.h"
#include "vmm/sched.h"

#define INPUT  9u
#define LEVEL  BIT(15)
#define VECTOR 0x59u
#define IOREGSEL IOAPIC_ADDRESS
#define IOWIN	 (IOAPIC_ADDRESS + 0x10)
#define PIC	 0x20

static struct bench bench;
static struct fake fake;
static struct vm_apic apic;
static struct pic8259 pic;
static struct ioapic ioapic;
static struct engine_ops engine;
static struct apic_view shown;
static u32 shows, assists, kicks, wakes, offered;
static void *given;

void *pool_new(size_t size)
{
	return calloc(1, size);
}

void pool_delete(void *object, size_t size)
{
	(void)size;
	free(object);
}

void sched_kick(struct vcpu *vcpu, u64 attention)
{
	assert_ptr_equal(vcpu, &fake.vcpu);
	vcpu->attention |= attention;
	kicks++;
}

void sched_wake(struct vcpu *vcpu)
{
	assert_ptr_equal(vcpu, &fake.vcpu);
	wakes++;
}

bool kvmclock_read(const struct kvmclock *clock UNUSED, u32 msr UNUSED, u64 *value UNUSED)
{
	return false;
}

bool kvmclock_write(struct kvmclock *clock UNUSED, struct vm *vm UNUSED, u32 msr UNUSED, u64 value UNUSED,
		    u64 tsc UNUSED, u64 now_ns UNUSED, u64 boot_ns UNUSED)
{
	return false;
}

void kvmclock_refresh(const struct kvmclock *clock UNUSED, struct vm *vm UNUSED, u64 tsc UNUSED, u64 now_ns UNUSED)
{
}

static u32 assist_apic(struct vcpu *vcpu, void *page)
{
	assert_ptr_equal(vcpu, &fake.vcpu);
	given = page;
	assists++;
	return offered;
}

static void show_apic(struct vcpu *vcpu, const struct apic_view *view)
{
	assert_ptr_equal(vcpu, &fake.vcpu);
	shown = *view;
	shows++;
}

static u32 *page(void)
{
	return apic.lapic[0]->page;
}

static void set(u32 offset, u32 value)
{
	assert_int_equal(bus_mmio_write(&fake.vm.bus, LAPIC_ADDRESS + offset, 4, value), DEVICE_DONE);
}

static u32 get(u32 offset)
{
	u64 value;

	assert_int_equal(bus_mmio_read(&fake.vm.bus, LAPIC_ADDRESS + offset, 4, &value), DEVICE_DONE);
	return (u32)value;
}

static void post(u8 vector)
{
	vlapic_post(apic.lapic[0], &(struct apic_message){.delivery = APIC_FIXED, .vector = vector});
}

static void look(void)
{
	fake.vcpu.attention = 0;
	fake.vcpu.machine->look(&fake.vcpu);
}

/* A machine whose processor offers `help`. */
static void make(u32 help, enum config_toggle wanted)
{
	fake_cores_init();
	bench_init(&bench);
	fake_init(&fake);
	bus_init(&fake.vm.bus);
	engine = fake_engine;
	engine.assist_apic = assist_apic;
	engine.show_apic = show_apic;
	fake.vm.engine = fake.vcpu.engine = &engine;
	fake.config.apic_virtualization = wanted;
	this_core()->current = &fake.vcpu;
	shows = assists = kicks = wakes = 0;
	offered = help;
	apic_init(&apic, &fake.vm, &bench.services, &pic, &ioapic);
	assert_int_equal(apic_create(&apic), OK);
	pic_init(&pic, &bench.services, &apic.pic_wires);
	ioapic_init(&ioapic, &bench.services, &apic.ioapic_wires, 15);
	assert_int_equal(pic_attach(&pic, &fake.vm.bus), OK);
	assert_int_equal(ioapic_attach(&ioapic, &fake.vm.bus), OK);
}

static int end(void **state)
{
	(void)state;
	apic_destroy(&apic);
	return 0;
}

static void pic_raises(void)
{
	static const u8 setup[] = {0x11, 0x30, 0x04, 0x01};

	for (u32 i = 0; i < ARRAY_SIZE(setup); i++)
		assert_int_equal(bus_port_write(&fake.vm.bus, i ? PIC + 1 : PIC, 1, setup[i]), DEVICE_DONE);
	assert_int_equal(bus_port_write(&fake.vm.bus, PIC + 1, 1, 0), DEVICE_DONE);
	pic_set_line(&pic, 3, true);
}

static void without_help(void **state)
{
	(void)state;
	make(APIC_ASSIST_TPR | APIC_ASSIST_DELIVERY, TOGGLE_OFF);
	assert_int_equal(assists, 0);
	look();
	assert_false(fake.vcpu.events.irq);
	post(0x51);
	assert_int_equal(kicks, 1);
	assert_int_equal(wakes, 1);
	assert_true(fake.vcpu.attention & ATTENTION_EVENT);
	look();
	assert_true(fake.vcpu.events.irq);
	assert_false(fake.vcpu.events.irq_by_processor);
	assert_int_equal(fake.vcpu.irq_take(&fake.vcpu), 0x51);
	look();
	assert_false(fake.vcpu.events.irq);
	assert_int_equal(shows, 0);
}

/* CR8 alone: the priority is the processor's, delivery is ours. */
static void with_the_priority(void **state)
{
	(void)state;
	make(APIC_ASSIST_TPR, TOGGLE_AUTO);
	assert_ptr_equal(given, page());
	assert_true(fake.vcpu.attention & ATTENTION_EVENT); /* it is shown before the first entry */
	page()[LAPIC_TPR / 4] = 0x60;
	post(0x51);
	look();
	assert_false(fake.vcpu.events.irq);
	assert_int_equal(shown.threshold, 5);
	page()[LAPIC_TPR / 4] = 0x40;
	fake.vcpu.attention = 0;
	fake.vcpu.machine->apic_event(&fake.vcpu, &(struct exit_apic){.event = APIC_TPR_FELL});
	assert_true(fake.vcpu.attention & ATTENTION_EVENT);
	look();
	assert_true(fake.vcpu.events.irq);
	assert_int_equal(shown.threshold, 0);
	assert_int_equal(fake.vcpu.irq_take(&fake.vcpu), 0x51);
	assert_int_equal(fake.vcpu.machine->get_cr8(&fake.vcpu), 4);
}

static void with_delivery(void **state)
{
	(void)state;
	make(APIC_ASSIST_TPR | APIC_ASSIST_DELIVERY, TOGGLE_AUTO);
	fake.vcpu.halted = true;
	post(0x51);
	look();
	assert_int_equal(shown.requested, 0x51);
	assert_int_equal(shown.access, APIC_ACCESS_MMIO);
	assert_false(fake.vcpu.events.irq); /* nobody else may inject it */
	assert_true(fake.vcpu.events.irq_by_processor);
	fake.vcpu.reg[REG_RFLAGS] &= ~RFLAGS_IF;
	assert_false(vcpu_deliver_events(&fake.vcpu));
	assert_true(fake.vcpu.halted);
	fake.vcpu.reg[REG_RFLAGS] |= RFLAGS_IF;
	assert_true(vcpu_deliver_events(&fake.vcpu));
	assert_false(fake.vcpu.halted);
	assert_int_equal(fake.injected.type, EVENT_NONE); /* the processor does it */
	fake.vcpu.halted = true;
	set(LAPIC_SVR, 0xff); /* disabled: it waits */
	assert_true(fake.vcpu.attention & ATTENTION_EVENT);
	look();
	assert_int_equal(shown.requested, 0);
	assert_false(fake.vcpu.events.irq_by_processor);
}

/* What the processor did by itself need not be shown to it; what we did must be. */
static void shown_what_we_changed(void **state)
{
	(void)state;
	make(APIC_ASSIST_TPR | APIC_ASSIST_DELIVERY, TOGGLE_AUTO);
	look();
	assert_int_equal(shows, 1);
	page()[LAPIC_TPR / 4] = 0x50;
	page()[(LAPIC_IRR + 0x20) / 4] = 0x20000; /* a self-IPI */
	look();
	assert_int_equal(shows, 1);
	assert_false(fake.vcpu.events.irq_by_processor);
	fake.vcpu.halted = true;
	look();
	assert_false(fake.vcpu.events.irq_by_processor); /* 0x51 is not above the priority */
	page()[LAPIC_TPR / 4] = 0x4f;
	look();
	assert_true(fake.vcpu.events.irq_by_processor);
	assert_int_equal(shows, 1);
	for (u32 i = 0; i < 3; i++) {
		set(i ? LAPIC_EOI : LAPIC_SVR, 0x1ff);
		if (i == 2)
			post(0x31);
		look();
		assert_int_equal(shows, 2 + i);
	}
}

/* The PIC's interrupts are injected all the same, and the local APIC's are not taken for them. */
static void pic_beside_delivery(void **state)
{
	(void)state;
	make(APIC_ASSIST_TPR | APIC_ASSIST_DELIVERY, TOGGLE_AUTO);
	post(0xa1);
	pic_raises();
	look();
	assert_true(fake.vcpu.events.irq);
	assert_int_equal(fake.vcpu.irq_take(&fake.vcpu), 0x33);
	look();
	assert_int_equal(shown.requested, 0xa1);
	assert_int_equal(shown.in_service, 0);
	/* Gone before it is taken: spurious, not the local APIC's. */
	pic_set_line(&pic, 1, true);
	look();
	assert_int_equal(bus_port_write(&fake.vm.bus, PIC + 1, 1, 0xff), DEVICE_DONE);
	assert_int_equal(fake.vcpu.irq_take(&fake.vcpu), 0x37);
	assert_int_equal(shown.requested, 0xa1);
}

static void lint0_masks_the_pic(void **state)
{
	(void)state;
	make(0, TOGGLE_AUTO);
	pic_raises();
	look();
	assert_true(fake.vcpu.events.irq);
	set(LAPIC_LVT_LINT0, 0x10700);
	look();
	assert_false(fake.vcpu.events.irq);
}

static void nmi_is_pending(void **state)
{
	(void)state;
	make(0, TOGGLE_AUTO);
	set(LAPIC_ICR, 0x4400);
	look();
	assert_true(fake.vcpu.events.nmi_pending);
}

static void write_entry(u32 value)
{
	assert_int_equal(bus_mmio_write(&fake.vm.bus, IOREGSEL, 4, 0x10 + 2 * INPUT), DEVICE_DONE);
	assert_int_equal(bus_mmio_write(&fake.vm.bus, IOWIN, 4, value), DEVICE_DONE);
}

/* The processor has ended it and tells: the line is still up, so that it comes again. */
static void ends_reach_the_ioapic(void **state)
{
	(void)state;
	make(APIC_ASSIST_TPR | APIC_ASSIST_DELIVERY, TOGGLE_AUTO);
	write_entry(LEVEL | VECTOR);
	ioapic_set_line(&ioapic, INPUT, true);
	look();
	assert_int_equal(shown.requested, VECTOR);
	assert_int_equal(shown.level[VECTOR / 32 * APIC_WORD], 1u << VECTOR % 32);
	page()[(LAPIC_IRR + VECTOR / 32 * 16) / 4] = 0; /* delivered, and ended */
	shown.requested = 0;
	fake.vcpu.machine->apic_event(&fake.vcpu, &(struct exit_apic){.event = APIC_ENDED, .detail = VECTOR});
	look();
	assert_int_equal(shown.requested, VECTOR);
	page()[(LAPIC_IRR + VECTOR / 32 * 16) / 4] = 0;
	shown.requested = 0;
	ioapic_set_line(&ioapic, INPUT, false);
	fake.vcpu.machine->apic_event(&fake.vcpu, &(struct exit_apic){.event = APIC_ENDED, .detail = VECTOR});
	look();
	assert_int_equal(shown.requested, 0);
}

static void writes_by_the_processor_count(void **state)
{
	(void)state;
	make(APIC_ASSIST_TPR | APIC_ASSIST_DELIVERY, TOGGLE_AUTO);
	page()[LAPIC_ICR / 4] = 0x44000 | 0x77;
	fake.vcpu.attention = 0;
	fake.vcpu.machine->apic_event(&fake.vcpu, &(struct exit_apic){.event = APIC_WRITTEN, .detail = LAPIC_ICR});
	assert_true(fake.vcpu.attention & ATTENTION_EVENT);
	look();
	assert_int_equal(shown.requested, 0x77);
}

static void cr8_is_the_priority(void **state)
{
	(void)state;
	make(0, TOGGLE_AUTO);
	fake.vcpu.attention = 0;
	fake.vcpu.machine->set_cr8(&fake.vcpu, 9);
	assert_true(fake.vcpu.attention & ATTENTION_EVENT);
	assert_int_equal(get(LAPIC_TPR), 0x90);
	set(LAPIC_TPR, 0x3f);
	assert_int_equal(fake.vcpu.machine->get_cr8(&fake.vcpu), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(without_help, end),
		cmocka_unit_test_teardown(with_the_priority, end),
		cmocka_unit_test_teardown(with_delivery, end),
		cmocka_unit_test_teardown(shown_what_we_changed, end),
		cmocka_unit_test_teardown(pic_beside_delivery, end),
		cmocka_unit_test_teardown(lint0_masks_the_pic, end),
		cmocka_unit_test_teardown(nmi_is_pending, end),
		cmocka_unit_test_teardown(ends_reach_the_ioapic, end),
		cmocka_unit_test_teardown(writes_by_the_processor_count, end),
		cmocka_unit_test_teardown(cr8_is_the_priority, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
