// sources: vmm/apic.c vmm/kvmclock.c vmm/devices/vlapic.c vmm/devices/vlapic_irq.c vmm/devices/vlapic_msr.c vmm/devices/vlapic_timer.c vmm/devices/apic_bus.c vmm/devices/pic8259.c vmm/devices/ioapic.c vmm/devices/bus.c tests/unit/fake_core.c tests/unit/fake_pool.c
/*
 * Between vCPUs and interrupt controllers: what the run loop is told, and what it takes, with controllers that are
 * real. The engine either does nothing of a local APIC's work or delivers its interrupts.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "arch/x86_64/cpu/regs.h"
#include "core/percpu.h"
#include "core/pool.h"
#include "tests/unit/device_bench.h"
#include "tests/unit/fake_core.h"
#include "vmm/apic.h"
#include "vmm/cpuid.h"
#include "vmm/machine.h"
#include "vmm/sched.h"
#include "vmm/vcpu.h"

#define PIC_BASE    0x60u /* vector of the master's input 0 */
#define IOAPIC_PIN  5u
#define LAPIC_TPR   0x80u
#define LAPIC_EOI   0xb0u
#define LAPIC_SVR   0xf0u
#define X2APIC_TPR  0x808u
#define X2APIC_EOI  0x80bu
#define X2APIC_SVR  0x80fu
#define X2APIC_LVT_LINT0 0x835u
#define X2APIC_SELF_IPI	 0x83fu
#define BASE_ENABLE BIT(11)

u64 wall_start_ns, wall_start_ticks;

static struct bench bench;
static struct vm vm;
static struct vm_config config;
static struct cpuid_policy policy;
static struct vcpu vcpu[2];
static struct vm_apic apic;
static struct pic8259 pic;
static struct ioapic ioapic;
static u32 kicks[2], wakes[2], shown;
static u32 assists; /* what the engine offers */
static struct apic_view view;
static u8 guest_ram[4096];
static u32 objects; /* of the pool, that somebody holds */

void *pool_new(size_t size)
{
	objects++;
	return calloc(1, size);
}

void pool_delete(void *object, size_t size)
{
	assert_int_equal(size, sizeof(struct vcpu_apic));
	objects--;
	free(object);
}

void sched_kick(struct vcpu *who, u64 attention)
{
	assert_int_equal(attention, ATTENTION_EVENT);
	kicks[who->id]++;
}

void sched_wake(struct vcpu *who)
{
	wakes[who->id]++;
}

int guest_write(struct vm *to, gpa_t gpa, const void *from, u64 size)
{
	assert_ptr_equal(to, &vm);
	if (gpa > sizeof(guest_ram) || size > sizeof(guest_ram) - gpa)
		return ERR_RANGE;
	memcpy(guest_ram + gpa, from, size);
	return OK;
}

static u32 assist_apic(struct vcpu *who, void *page)
{
	assert_non_null(page);
	(void)who;
	return assists;
}

static void show_apic(struct vcpu *who, const struct apic_view *what)
{
	assert_ptr_equal(who, &vcpu[0]);
	view = *what;
	shown++;
}

static const struct engine_ops engine = {.name = "test", .assist_apic = assist_apic, .show_apic = show_apic};

static void write_window(u32 offset, u32 value)
{
	assert_int_equal(bus_mmio_write(&vm.bus, LAPIC_ADDRESS + offset, 4, value), DEVICE_DONE);
}

static u32 read_window(u32 offset)
{
	u64 value = 0;

	assert_int_equal(bus_mmio_read(&vm.bus, LAPIC_ADDRESS + offset, 4, &value), DEVICE_DONE);
	return (u32)value;
}

/*
 * The PIC with vectors from PIC_BASE and all inputs open; the IOAPIC's pin gives a level-triggered vector to the first
 * vCPU.
 */
static void program_controllers(void)
{
	static const u8 words[][2] = {{0x20, 0x11}, {0x21, PIC_BASE}, {0x21, 4}, {0x21, 1}, {0x21, 0}};

	for (u32 i = 0; i < ARRAY_SIZE(words); i++)
		bench_out(&bench, words[i][0], words[i][1]);
}

static void program_pin(u32 low)
{
	assert_int_equal(bus_mmio_write(&bench.bus, 0xfec00000, 4, 0x10 + 2 * IOAPIC_PIN), DEVICE_DONE);
	assert_int_equal(bus_mmio_write(&bench.bus, 0xfec00010, 4, low), DEVICE_DONE);
}

static void make(u32 offered, enum config_toggle toggle)
{
	assists = offered;
	config.apic_virtualization = toggle;
	apic_init(&apic, &vm, &bench.services, &pic, &ioapic);
	pic_init(&pic, &bench.services, &apic.pic_wires);
	ioapic_init(&ioapic, &bench.services, &apic.ioapic_wires, 0);
	assert_int_equal(pic_attach(&pic, &bench.bus), OK);
	assert_int_equal(ioapic_attach(&ioapic, &bench.bus), OK);
	assert_int_equal(apic_create(&apic), OK);
	program_controllers();
	vcpu[0].attention = vcpu[1].attention = 0;
}

static int setup(void **state)
{
	(void)state;
	fake_cores_init();
	bench_init(&bench);
	memset(&vm, 0, sizeof(vm));
	memset(vcpu, 0, sizeof(vcpu));
	memset(kicks, 0, sizeof(kicks));
	memset(wakes, 0, sizeof(wakes));
	shown = 0;
	bus_init(&vm.bus);
	policy.physical_bits = 40;
	vm.config = &config;
	vm.cpuid = &policy;
	vm.vcpu_count = 2;
	for (u32 i = 0; i < 2; i++) {
		vcpu[i].id = i;
		vcpu[i].vm = &vm;
		vcpu[i].engine = &engine;
		vm.vcpu[i] = &vcpu[i];
	}
	this_core()->current = &vcpu[0];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	apic_destroy(&apic);
	assert_int_equal(apic.count, 0);
	assert_int_equal(objects, 0);
	return 0;
}

/* Look as the run loop does when attention is called for; whether an interrupt is to be injected. */
static bool asks(u32 i)
{
	vcpu[i].attention = 0;
	vcpu[i].machine->look(&vcpu[i]);
	return vcpu[i].events.irq;
}

static void post(u32 to, enum apic_delivery delivery, u8 vector)
{
	const struct apic_message message = {.destination = to, .delivery = delivery, .vector = vector};

	apic_send(&apic.bus, NULL, APIC_TO_DESTINATION, &message);
}

static void test_ioapic_to_vcpu(void **state)
{
	(void)state;
	make(0, TOGGLE_AUTO);
	program_pin(0x8071); /* level, vector 0x71 */
	assert_false(asks(0));
	ioapic_set_line(&ioapic, IOAPIC_PIN, true);
	assert_int_equal(kicks[0], 1);
	assert_int_equal(wakes[0], 1);
	assert_int_equal(kicks[1], 0);
	assert_true(asks(0));
	assert_false(asks(1));
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), 0x71);
	assert_int_equal(vcpu[0].attention, 0); /* nothing waits behind it */
	assert_false(asks(0));
	/* The line is still up: the end of the interrupt brings the next one. */
	write_window(LAPIC_EOI, 0);
	assert_true(asks(0));
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), 0x71);
	ioapic_set_line(&ioapic, IOAPIC_PIN, false);
	write_window(LAPIC_EOI, 0);
	assert_false(asks(0));
}

static void test_pic_comes_first(void **state)
{
	(void)state;
	make(0, TOGGLE_AUTO);
	pic_set_line(&pic, 3, true);
	assert_int_equal(kicks[0], 1);
	post(0, APIC_FIXED, 0x45);
	assert_true(asks(0));
	assert_false(asks(1)); /* wired to the boot processor */
	assert_int_equal(vcpu[0].events.irq, EVENT_IRQ_PIC);
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), PIC_BASE + 3);
	assert_int_equal(vcpu[0].attention, ATTENTION_EVENT); /* another waits behind it */
	assert_true(asks(0));
	assert_int_equal(vcpu[0].events.irq, 0x45);
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), 0x45);
	assert_false(asks(0));
}

/* Masked after the look: the PIC tells its own spurious vector, and what the local APIC has comes after it. */
static void test_pic_has_nothing_any_more(void **state)
{
	(void)state;
	make(0, TOGGLE_AUTO);
	pic_set_line(&pic, 3, true);
	post(0, APIC_FIXED, 0x45);
	assert_true(asks(0));
	bench_out(&bench, 0x21, 0xff);
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), PIC_BASE + 7);
	assert_true(asks(0));
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), 0x45);
}

/* Of several the highest is taken; the others need no look before its end. */
static void test_others_wait_for_the_eoi(void **state)
{
	const struct vcpu_machine *machine;

	(void)state;
	make(0, TOGGLE_AUTO);
	machine = vcpu[0].machine;
	assert_true(machine->write_apic(&vcpu[0], MSR_APIC_BASE, LAPIC_ADDRESS | BASE_ENABLE | BIT(8) | BIT(10)));
	post(0, APIC_FIXED, 0x45);
	assert_true(machine->write_apic(&vcpu[0], X2APIC_SELF_IPI, 0x61));
	assert_true(asks(0));
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), 0x61);
	assert_int_equal(vcpu[0].attention, 0);
	assert_false(asks(0));
	assert_true(machine->write_apic(&vcpu[0], X2APIC_SELF_IPI, 0x71));
	assert_int_equal(vcpu[0].attention, ATTENTION_EVENT);
	assert_true(asks(0));
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), 0x71);
	for (u32 left = 2; left; left--) {
		assert_true(machine->write_apic(&vcpu[0], X2APIC_EOI, 0));
		assert_int_equal(vcpu[0].attention, ATTENTION_EVENT);
		assert_int_equal(asks(0), left == 1);
	}
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), 0x45);
	assert_true(machine->write_apic(&vcpu[0], X2APIC_EOI, 0));
	assert_int_equal(vcpu[0].attention, 0); /* nothing waits */
}

/* An IOAPIC entry of delivery mode ExtINT asks once for an acknowledge cycle, LINT0 masked or not. */
static void test_extint(void **state)
{
	(void)state;
	make(0, TOGGLE_AUTO);
	write_window(0x350, 0x10700);
	pic_set_line(&pic, 1, true);
	assert_false(asks(0));
	post(0, APIC_EXTINT, 0);
	assert_true(asks(0));
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), PIC_BASE + 1);
	pic_set_line(&pic, 0, true); /* for this one nobody has asked */
	assert_false(asks(0));
}

static void test_nmi(void **state)
{
	(void)state;
	make(0, TOGGLE_AUTO);
	post(1, APIC_NMI, 0);
	assert_int_equal(kicks[1], 1);
	assert_false(asks(1));
	assert_true(vcpu[1].events.nmi_pending);
	assert_false(asks(0));
	assert_false(vcpu[0].events.nmi_pending);
}

static void test_cr8_holds_back(void **state)
{
	(void)state;
	make(0, TOGGLE_AUTO);
	vcpu[0].machine->set_cr8(&vcpu[0], 4);
	assert_int_equal(vcpu[0].attention, ATTENTION_EVENT);
	assert_int_equal(vcpu[0].machine->get_cr8(&vcpu[0]), 4);
	assert_int_equal(read_window(LAPIC_TPR), 0x40);
	post(0, APIC_FIXED, 0x45);
	assert_false(asks(0));
	vcpu[0].machine->set_cr8(&vcpu[0], 3);
	assert_true(asks(0));
}

static void test_msrs(void **state)
{
	const struct vcpu_machine *machine;
	u64 value;

	(void)state;
	make(0, TOGGLE_AUTO);
	machine = vcpu[0].machine;
	assert_true(machine->read_apic(&vcpu[0], MSR_APIC_BASE, &value));
	assert_int_equal(value, LAPIC_ADDRESS | BASE_ENABLE | BIT(8));
	assert_true(machine->write_apic(&vcpu[0], MSR_APIC_BASE, value | BIT(10)));
	assert_int_equal(vcpu[0].attention, ATTENTION_EVENT); /* the PIC may reach it now */
	vcpu[0].attention = 0;
	assert_true(machine->write_apic(&vcpu[0], X2APIC_TPR, 0x60));
	assert_int_equal(vcpu[0].attention, 0); /* nothing waits that it could let through */
	post(0, APIC_FIXED, 0x51);
	assert_false(asks(0));
	assert_true(machine->write_apic(&vcpu[0], X2APIC_TPR, 0x20));
	assert_int_equal(vcpu[0].attention, ATTENTION_EVENT);
	vcpu[0].attention = 0;
	for (u32 left = 2; left; left--) {
		assert_true(asks(0));
		vcpu[0].irq_take(&vcpu[0]);
		assert_true(machine->write_apic(&vcpu[0], X2APIC_EOI, 0));
		assert_true(machine->write_apic(&vcpu[0], X2APIC_SELF_IPI, 0x33));
		assert_int_equal(vcpu[0].attention, ATTENTION_EVENT);
	}
	assert_true(asks(0));
	vcpu[0].irq_take(&vcpu[0]);
	/* LINT0 and SVR let the PIC in or keep it out. */
	assert_true(machine->write_apic(&vcpu[0], X2APIC_LVT_LINT0, 0x10700));
	assert_int_equal(vcpu[0].attention, ATTENTION_EVENT);
	vcpu[0].attention = 0;
	assert_true(machine->write_apic(&vcpu[0], X2APIC_SVR, 0x1ff));
	assert_int_equal(vcpu[0].attention, ATTENTION_EVENT);
	assert_false(machine->write_apic(&vcpu[0], X2APIC_SELF_IPI, 0x133));
	vcpu[0].attention = 0;
	assert_int_equal(machine->get_cr8(&vcpu[0]), 2);
	assert_false(machine->write_apic(&vcpu[0], 0x8ff, 0));
	/* The most frequent of all changes nothing that waits now. */
	vcpu[0].attention = 0;
	assert_true(machine->write_apic(&vcpu[0], MSR_TSC_DEADLINE, 0));
	assert_int_equal(vcpu[0].attention, 0);
	/* KVM's clock is its own: the address comes back, the guest's memory is filled. */
	assert_true(machine->write_clock(&vcpu[0], MSR_KVM_SYSTEM_TIME, 0x100 | 1));
	assert_true(machine->read_clock(&vcpu[0], MSR_KVM_SYSTEM_TIME, &value));
	assert_int_equal(value, 0x101);
	assert_memory_not_equal(guest_ram + 0x100 + 24, "\0\0\0", 4);
	assert_int_equal(vcpu[0].attention, 0);
}

/* The window is the registers of whichever vCPU is current, where its base says so. */
static void test_window(void **state)
{
	(void)state;
	make(0, TOGGLE_AUTO);
	write_window(LAPIC_TPR, 0x30);
	assert_int_equal(vcpu[0].attention, ATTENTION_EVENT);
	this_core()->current = &vcpu[1];
	assert_int_equal(read_window(LAPIC_TPR), 0);
	assert_int_equal(read_window(0x20), 1u << 24);
	this_core()->current = &vcpu[0];
	assert_int_equal(read_window(LAPIC_TPR), 0x30);
	assert_true(vcpu[0].machine->write_apic(&vcpu[0], MSR_APIC_BASE, 0xfe000000 | BASE_ENABLE | BIT(8)));
	assert_int_equal(read_window(LAPIC_TPR), 0xffffffff);
	write_window(LAPIC_TPR, 0x70);
	assert_int_equal(vcpu[0].machine->get_cr8(&vcpu[0]), 3);
}

/* A processor that delivers by itself is shown what waits; the run loop has only the PIC's to inject. */
static void test_processor_delivers(void **state)
{
	(void)state;
	make(APIC_ASSIST_TPR | APIC_ASSIST_DELIVERY, TOGGLE_AUTO);
	post(0, APIC_FIXED, 0x45);
	assert_false(asks(0));
	assert_int_equal(shown, 1);
	assert_int_equal(view.requested, 0x45);
	assert_true(vcpu[0].events.irq_by_processor);
	pic_set_line(&pic, 6, true);
	assert_true(asks(0));
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), PIC_BASE + 6);
	assert_false(asks(0));
	assert_int_equal(view.requested, 0x45); /* still its own */
	/* The PIC's goes away between look and take: its own spurious vector, never the other's. */
	pic_set_line(&pic, 5, true);
	assert_true(asks(0));
	bench_out(&bench, 0x21, 0xff);
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), PIC_BASE + 7);
}

/* Where an EOI by MSR is an exit all the same, the processor is shown what is in service then. */
static void test_eoi_is_shown(void **state)
{
	const struct vcpu_machine *machine;

	(void)state;
	make(APIC_ASSIST_TPR | APIC_ASSIST_DELIVERY, TOGGLE_AUTO);
	machine = vcpu[0].machine;
	assert_true(machine->write_apic(&vcpu[0], MSR_APIC_BASE, LAPIC_ADDRESS | BASE_ENABLE | BIT(8) | BIT(10)));
	((u32 *)vcpu[0].apic->page)[(0x100 + 0x20) / 4] = 0x20; /* ISR: the processor has delivered 0x45 */
	assert_false(asks(0));
	assert_int_equal(view.in_service, 0x45);
	vcpu[0].attention = 0;
	assert_true(machine->write_apic(&vcpu[0], X2APIC_EOI, 0));
	assert_int_equal(vcpu[0].attention, ATTENTION_EVENT);
	assert_false(asks(0));
	assert_int_equal(view.in_service, 0);
}

static void test_processor_knows_the_tpr_only(void **state)
{
	(void)state;
	make(APIC_ASSIST_TPR, TOGGLE_AUTO);
	post(0, APIC_FIXED, 0x45);
	assert_true(asks(0));
	assert_false(vcpu[0].events.irq_by_processor);
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), 0x45);
}

/* The processor has ended a level-triggered interrupt: the IOAPIC hears of it, and asks again while its line is up. */
static void test_end_by_the_processor(void **state)
{
	const struct exit_apic ended = {.event = APIC_ENDED, .detail = 0x71};

	(void)state;
	make(APIC_ASSIST_TPR | APIC_ASSIST_DELIVERY, TOGGLE_AUTO);
	program_pin(0x8071);
	ioapic_set_line(&ioapic, IOAPIC_PIN, true);
	assert_false(asks(0));
	assert_int_equal(view.level[3 * APIC_WORD], BIT(0x71 % 32));
	assert_int_equal(kicks[0], 1);
	vcpu[0].attention = 0;
	vcpu[0].machine->apic_event(&vcpu[0], &ended);
	assert_int_equal(vcpu[0].attention, ATTENTION_EVENT);
	assert_int_equal(kicks[0], 2);
}

static void test_config_forbids_help(void **state)
{
	(void)state;
	make(APIC_ASSIST_TPR | APIC_ASSIST_DELIVERY, TOGGLE_OFF);
	post(0, APIC_FIXED, 0x45);
	assert_true(asks(0));
	assert_int_equal(shown, 0);
	assert_int_equal(vcpu[0].irq_take(&vcpu[0]), 0x45);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_ioapic_to_vcpu),
		TEST(test_pic_comes_first),
		TEST(test_pic_has_nothing_any_more),
		TEST(test_others_wait_for_the_eoi),
		TEST(test_extint),
		TEST(test_nmi),
		TEST(test_cr8_holds_back),
		TEST(test_msrs),
		TEST(test_window),
		TEST(test_processor_delivers),
		TEST(test_processor_knows_the_tpr_only),
		TEST(test_eoi_is_shown),
		TEST(test_end_by_the_processor),
		TEST(test_config_forbids_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
