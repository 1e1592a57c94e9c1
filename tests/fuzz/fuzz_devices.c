// sources: vmm/devices/bus.c vmm/devices/debugcon.c vmm/devices/debugexit.c vmm/devices/uart16550.c vmm/devices/pic8259.c vmm/devices/pit8254.c vmm/devices/pit_channel.c vmm/devices/rtc146818.c lib/calendar.c vmm/devices/ioapic.c vmm/devices/vlapic.c vmm/devices/vlapic_irq.c vmm/devices/vlapic_timer.c vmm/devices/vlapic_msr.c vmm/devices/apic_bus.c vmm/devices/reset_ports.c vmm/devices/pci_host.c vmm/devices/i8042.c vmm/devices/acpi_pm.c vmm/devices/pvpanic.c lib/ring.c
/*
 * A whole PC's devices, driven by any sequence of accesses, interrupts and time. Nothing may crash, overrun, lock up or
 * flood the host with timers; what each device promises between steps is checked after every one.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/device_bench.h"
#include "vmm/devices/acpi_pm.h"
#include "vmm/devices/apic_bus.h"
#include "vmm/devices/debugcon.h"
#include "vmm/devices/debugexit.h"
#include "vmm/devices/i8042.h"
#include "vmm/devices/ioapic.h"
#include "vmm/devices/vlapic_page.h"
#include "vmm/devices/pci_host.h"
#include "vmm/devices/pic8259.h"
#include "vmm/devices/pit8254.h"
#include "vmm/devices/pvpanic.h"
#include "vmm/devices/reset_ports.h"
#include "vmm/devices/rtc146818.h"
#include "vmm/devices/uart16550.h"

#define VCPUS	  3
#define MAX_STEPS 400
#define MAX_PASS  20000000u /* ns */

static struct pc {
	struct bench bench;
	struct debugcon debugcon;
	struct debugexit debugexit;
	struct uart16550 uart;
	struct pic8259 pic;
	struct pit8254 pit;
	struct rtc146818 rtc;
	struct ioapic ioapic;
	struct vlapic lapic[VCPUS];
	struct reset_ports reset;
	struct pci_host pci;
	struct i8042 i8042;
	struct acpi_pm pm;
	struct pvpanic pvpanic;
	u32 page[VCPUS][1024];
	bool intr;
} pc;

static struct vlapic *const lapics[VCPUS] = {&pc.lapic[0], &pc.lapic[1], &pc.lapic[2]};
static const struct apic_bus apics = {VCPUS, lapics};

static void set_intr(void *context, bool level)
{
	(void)context;
	REQUIRE(level != pc.intr);
	pc.intr = level;
}

static void ioapic_send(void *context, const struct apic_message *message)
{
	(void)context;
	apic_send(&apics, NULL, APIC_TO_DESTINATION, message);
}

static void vlapic_ipi(void *context, struct vlapic *from, enum apic_shorthand to, const struct apic_message *message)
{
	(void)context;
	apic_send(&apics, from, to, message);
}

static void vlapic_eoi(void *context, u8 vector)
{
	(void)context;
	ioapic_eoi(&pc.ioapic, vector);
}

static void vlapic_attention(void *context, struct vlapic *lapic)
{
	(void)context;
	REQUIRE(lapic >= pc.lapic && lapic < pc.lapic + VCPUS);
}

/* As in tests/unit/vlapic_bench.h, and the guest's TSC is the host's. */
static u64 vlapic_tsc(void *context, struct vlapic *lapic, u64 tsc)
{
	(void)context;
	(void)lapic;
	return MAX(tsc, pc.bench.now * 3);
}

/* Lines go to both controllers, as in the machine. */
static void set_line(void *context, u32 line, bool level)
{
	bench_set_line(context, line, level);
	pic_set_line(&pc.pic, line, level);
	ioapic_set_line(&pc.ioapic, line == 0 ? 2 : line, level);
}

static const struct pic_wires pic_wires = {&pc, set_intr};
static const struct ioapic_wires ioapic_wires = {&pc, ioapic_send};
static const struct vlapic_wires vlapic_wires = {&pc, vlapic_ipi, vlapic_eoi, vlapic_attention, vlapic_tsc};

static void build(void)
{
	const struct device_services *services = &pc.bench.services;
	struct bus *bus = &pc.bench.bus;

	memset(&pc, 0, sizeof(pc));
	bench_init(&pc.bench);
	pc.bench.services.set_line = set_line;
	debugcon_init(&pc.debugcon, services);
	debugexit_init(&pc.debugexit, services);
	uart_init(&pc.uart, services, UART_COM1_LINE, BACKEND_CONSOLE);
	pic_init(&pc.pic, services, &pic_wires);
	pit_init(&pc.pit, services, 0);
	rtc_init(&pc.rtc, services, RTC_LINE);
	ioapic_init(&pc.ioapic, services, &ioapic_wires, 0);
	for (u32 i = 0; i < VCPUS; i++)
		vlapic_init(&pc.lapic[i], services, &vlapic_wires, pc.page[i], i, i == 0, 39, 2000000000);
	reset_ports_init(&pc.reset, services);
	pci_host_init(&pc.pci, services, &pc.reset);
	i8042_init(&pc.i8042, services);
	acpi_pm_init(&pc.pm, services, ACPI_PM_LINE);
	pvpanic_init(&pc.pvpanic, services);
	REQUIRE(!debugcon_attach(&pc.debugcon, bus) && !debugexit_attach(&pc.debugexit, bus));
	REQUIRE(!uart_attach(&pc.uart, bus, UART_COM1_PORT) && !pic_attach(&pc.pic, bus) && !pit_attach(&pc.pit, bus));
	REQUIRE(!rtc_attach(&pc.rtc, bus) && !ioapic_attach(&pc.ioapic, bus) && !reset_ports_attach(&pc.reset, bus));
	REQUIRE(!pci_host_attach(&pc.pci, bus) && !i8042_attach(&pc.i8042, bus) && !acpi_pm_attach(&pc.pm, bus));
	REQUIRE(!pvpanic_attach(&pc.pvpanic, bus));
}

struct input {
	const u8 *at, *end;
};

static u64 take(struct input *input, u32 bytes)
{
	u64 value = 0;

	for (u32 i = 0; i < bytes && input->at < input->end; i++)
		value |= (u64)*input->at++ << (8 * i);
	return value;
}

/* A port near one that is decoded: most of the 65536 are not. */
static u16 take_port(struct input *input)
{
	const struct bus *bus = &pc.bench.bus;
	u8 which = (u8)take(input, 1), offset = (u8)take(input, 1);
	const struct bus_port_range *range = &bus->port[which % bus->port_count];

	return (u16)(range->first + offset % (range->last - range->first + 2u));
}

static void access_port(struct input *input)
{
	u16 port = take_port(input);
	u8 how = (u8)take(input, 1), size = (u8)(1u << how % 3);

	if (how & 0x80)
		bench_in_sized(&pc.bench, port, size);
	else
		bench_out_sized(&pc.bench, port, size, (u32)take(input, size));
}

static void access_ioapic(struct input *input)
{
	gpa_t gpa = IOAPIC_ADDRESS + (take(input, 1) & 0x5f);
	u8 how = (u8)take(input, 1), size = (u8)(1u << how % 4);
	u64 value = 0;

	if (how & 0x80)
		bus_mmio_read(&pc.bench.bus, gpa, size, &value);
	else
		bus_mmio_write(&pc.bench.bus, gpa, size, take(input, size));
}

static void access_lapic(struct input *input, struct vlapic *lapic)
{
	u64 offset = take(input, 1) << 4 | (take(input, 1) & 1 ? 4 : 0);
	u8 how = (u8)take(input, 1), size = (u8)(1u << how % 4);

	if (how & 0x80)
		vlapic_read(lapic, offset & 0xfff & ~(size - 1ull), size);
	else
		vlapic_write(lapic, offset, 4, take(input, 4));
}

static void access_lapic_msr(struct input *input, struct vlapic *lapic)
{
	u8 which = (u8)take(input, 1), how = (u8)take(input, 1);
	u32 msr = which < 0x40 ? 0x800u + which : which < 0x80 ? 0x1b : 0x6e0;
	u64 value = 0;

	if (how & 0x80)
		vlapic_read_msr(lapic, msr, &value);
	else
		vlapic_write_msr(lapic, msr, take(input, 8));
}

static void take_interrupts(struct vlapic *lapic)
{
	u32 before = vlapic_ppr(lapic) & 0xf0;
	u32 vector;
	u8 startup;

	vlapic_collect(lapic);
	vector = vlapic_pending(lapic);
	if (vector) {
		REQUIRE(vector >= 16 && vector < 256 && (vector & 0xf0) > before);
		REQUIRE(vlapic_take(lapic, vector) == vector);
		REQUIRE((vlapic_ppr(lapic) & 0xf0) == (vector & 0xf0));
		/* What is left needs no look before the EOI or another priority. */
		REQUIRE(!vlapic_pending(lapic));
	}
	if (vlapic_take_signals(lapic, &startup) & LAPIC_SIGNAL_INIT)
		vlapic_init_reset(lapic);
	if (lapic == &pc.lapic[0] && pc.intr && vlapic_accepts_pic(lapic))
		pic_acknowledge(&pc.pic);
}

static void step(struct input *input)
{
	u8 what = (u8)take(input, 1);
	struct vlapic *lapic = &pc.lapic[what >> 4 & 3 ? (what >> 4 & 3) - 1 : 0];
	u8 bytes[32];

	switch (what & 15) {
	case 0:
		bench_pass(&pc.bench, take(input, 4) % MAX_PASS);
		break;
	case 1:
		memset(bytes, 'x', sizeof(bytes));
		uart_receive(&pc.uart, bytes, (u32)take(input, 1) % sizeof(bytes));
		break;
	case 2:
		set_line(&pc.bench, (u32)take(input, 1) % 24, what & 0x80);
		break;
	case 3:
		pc.bench.room = take(input, 1);
		break;
	case 4:
		take_interrupts(lapic);
		break;
	case 5:
		access_ioapic(input);
		break;
	case 6:
	case 7:
		access_lapic(input, lapic);
		break;
	case 8:
		access_lapic_msr(input, lapic);
		break;
	case 9:
		acpi_pm_power_button(&pc.pm);
		break;
	default:
		access_port(input);
		break;
	}
}

/* What holds between any two steps. */
static void check(void)
{
	REQUIRE(pc.intr == pic_output(&pc.pic));
	REQUIRE(pc.uart.receive.count <= UART_FIFO_SIZE && pc.uart.send.count <= UART_FIFO_SIZE);
	for (u32 i = 0; i < IOAPIC_INPUTS; i++)
		REQUIRE(!(pc.ioapic.entry[i] & BIT(12)) &&
			(pc.ioapic.entry[i] & BIT(15) || !(pc.ioapic.entry[i] & BIT(14))));
	for (u32 i = 0; i < VCPUS; i++) {
		/* The first sixteen vectors never get in. */
		REQUIRE(!(vlapic_get(&pc.lapic[i], LAPIC_IRR) & 0xffff) &&
			!(vlapic_get(&pc.lapic[i], LAPIC_ISR) & 0xffff));
		REQUIRE(lock_try(&pc.lapic[i].device.lock));
		lock_release(&pc.lapic[i].device.lock);
	}
	pc.bench.output_length = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, data + size};

	build();
	for (u32 i = 0; i < MAX_STEPS && input.at < input.end; i++) {
		step(&input);
		check();
	}
	return 0;
}
