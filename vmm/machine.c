/* The guest's machine: a small PC (ARCHITECTURE.md "Devices"). */
#include "vmm/machine.h"
#include "core/log.h"
#include "core/pool.h"
#include "lib/error.h"
#include "vmm/acpi_tables.h"
#include "vmm/apic.h"
#include "vmm/devices/acpi_pm.h"
#include "vmm/devices/debugcon.h"
#include "vmm/devices/debugexit.h"
#include "vmm/devices/i8042.h"
#include "vmm/devices/pci_host.h"
#include "vmm/devices/pit8254.h"
#include "vmm/devices/pvpanic.h"
#include "vmm/devices/rtc146818.h"
#include "vmm/devices/uart16550.h"
#include "vmm/services.h"
#include "vmm/vm.h"

#define PIT_LINE 0
/*
 * A PC's PIT comes to the IOAPIC's input 2, as the MADT tells; input 0 is for the PIC's output, which is not wired
 * here.
 */
#define PIT_INPUT 2
#define IOAPIC_ID 15u /* four bits */

struct machine {
	struct vm_services services;
	struct vm_apic apic;
	struct debugcon debugcon;
	struct debugexit debugexit;
	struct uart16550 com1;
	struct pic8259 pic;
	struct ioapic ioapic;
	struct pit8254 pit;
	struct rtc146818 rtc;
	struct i8042 i8042;
	struct reset_ports reset_ports;
	struct pci_host pci_host;
	struct acpi_pm acpi_pm;
	struct pvpanic pvpanic;
};

#define MACHINE_PAGES ((u32)((sizeof(struct machine) + PAGE_SIZE - 1) / PAGE_SIZE))

/* By vm->id. Set before the VM runs and cleared after it, under the lock: input may come at any time. */
static struct machine *machines[MAX_VMS];
static struct spinlock input_lock;

/* Both controllers see every line; the guest masks those of the one that it does not use. */
static void line_changed(void *context, u32 line, bool level)
{
	struct machine *machine = context;

	if (line < PIC_LINES)
		pic_set_line(&machine->pic, line, level);
	ioapic_set_line(&machine->ioapic, line == PIT_LINE ? PIT_INPUT : line, level);
}

static void init_devices(struct machine *machine)
{
	const struct device_services *services = &machine->services.services;

	debugcon_init(&machine->debugcon, services);
	debugexit_init(&machine->debugexit, services);
	uart_init(&machine->com1, services, UART_COM1_LINE, BACKEND_CONSOLE);
	pic_init(&machine->pic, services, &machine->apic.pic_wires);
	ioapic_init(&machine->ioapic, services, &machine->apic.ioapic_wires, IOAPIC_ID);
	pit_init(&machine->pit, services, PIT_LINE);
	rtc_init(&machine->rtc, services, RTC_LINE);
	rtc_set_time(&machine->rtc, machine->apic.boot_ns / 1000000000);
	i8042_init(&machine->i8042, services);
	reset_ports_init(&machine->reset_ports, services);
	pci_host_init(&machine->pci_host, services, &machine->reset_ports);
	acpi_pm_init(&machine->acpi_pm, services, ACPI_PM_LINE);
	pvpanic_init(&machine->pvpanic, services);
}

/* The first error stands. */
static int attach_devices(struct machine *machine, struct bus *bus)
{
	int errors[] = {
		debugcon_attach(&machine->debugcon, bus),
		debugexit_attach(&machine->debugexit, bus),
		uart_attach(&machine->com1, bus, UART_COM1_PORT),
		pic_attach(&machine->pic, bus),
		ioapic_attach(&machine->ioapic, bus),
		pit_attach(&machine->pit, bus),
		rtc_attach(&machine->rtc, bus),
		i8042_attach(&machine->i8042, bus),
		reset_ports_attach(&machine->reset_ports, bus),
		pci_host_attach(&machine->pci_host, bus),
		acpi_pm_attach(&machine->acpi_pm, bus),
		pvpanic_attach(&machine->pvpanic, bus),
	};

	for (u32 i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i])
			return errors[i];
	return OK;
}

static int build(struct machine *machine, struct vm *vm)
{
	int error;

	vm_services_init(&machine->services, vm);
	machine->services.line_sink = line_changed;
	machine->services.line_context = machine;
	apic_init(&machine->apic, vm, &machine->services.services, &machine->pic, &machine->ioapic);
	machines[vm->id] = machine;
	error = apic_create(&machine->apic);
	if (error)
		return error;
	init_devices(machine);
	return attach_devices(machine, &vm->bus);
}

int machine_create(struct vm *vm)
{
	struct machine *machine = pool_alloc(MACHINE_PAGES);
	int error = machine ? build(machine, vm) : ERR_MEMORY;

	if (error) {
		log_line("%s: its machine could not be built: %s", vm->config->name, error_name(error));
		machine_destroy(vm);
	}
	return error;
}

void machine_destroy(struct vm *vm)
{
	struct machine *machine = machines[vm->id];

	if (!machine)
		return;
	lock_acquire(&input_lock);
	machines[vm->id] = NULL;
	lock_release(&input_lock);
	vm_services_destroy(&machine->services);
	apic_destroy(&machine->apic);
	pool_free(machine, MACHINE_PAGES);
}

gpa_t machine_put_tables(struct vm *vm)
{
	struct acpi_machine description = {
		.vcpus = 1, .ioapic_id = IOAPIC_ID, .dsdt = dsdt_aml, .dsdt_size = dsdt_aml_size};
	u32 pages = ACPI_TABLES_SIZE / PAGE_SIZE;
	u8 *buffer = pool_alloc(pages);
	gpa_t at = 0;
	int size;

	if (!buffer)
		return 0;
	size = acpi_tables_build(&description, buffer, ACPI_TABLES_SIZE, ACPI_TABLES_ADDRESS);
	if (size > 0 && guest_write(vm, ACPI_TABLES_ADDRESS, buffer, (u32)size) == OK)
		at = ACPI_TABLES_ADDRESS;
	pool_free(buffer, pages);
	return at;
}

u32 machine_console_input(struct vm *vm, const void *bytes, u32 n)
{
	u32 taken = 0;

	lock_acquire(&input_lock);
	if (machines[vm->id])
		taken = uart_receive(&machines[vm->id]->com1, bytes, n);
	lock_release(&input_lock);
	return taken;
}
