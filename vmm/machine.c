/* The guest's machine. */
#include "vmm/machine.h"
#include "core/log.h"
#include "core/pool.h"
#include "lib/error.h"
#include "vmm/devices/debugcon.h"
#include "vmm/devices/debugexit.h"
#include "vmm/devices/uart16550.h"
#include "vmm/services.h"
#include "vmm/vm.h"

struct machine {
	struct vm_services services;
	struct debugcon debugcon;
	struct debugexit debugexit;
	struct uart16550 com1;
};

#define MACHINE_PAGES ((u32)((sizeof(struct machine) + PAGE_SIZE - 1) / PAGE_SIZE))

/* By vm->id. Set before the VM runs and cleared after it. */
static struct machine *machines[MAX_VMS];

static int attach_devices(struct machine *machine, struct bus *bus)
{
	const struct device_services *services = &machine->services.services;
	int error;

	debugcon_init(&machine->debugcon, services);
	debugexit_init(&machine->debugexit, services);
	uart_init(&machine->com1, services, UART_COM1_LINE, BACKEND_CONSOLE);
	error = debugcon_attach(&machine->debugcon, bus);
	if (!error)
		error = debugexit_attach(&machine->debugexit, bus);
	if (!error)
		error = uart_attach(&machine->com1, bus, UART_COM1_PORT);
	return error;
}

int machine_create(struct vm *vm)
{
	struct machine *machine = pool_alloc(MACHINE_PAGES);
	int error = machine ? OK : ERR_MEMORY;

	if (machine) {
		vm_services_init(&machine->services, vm);
		machines[vm->id] = machine;
		error = attach_devices(machine, &vm->bus);
	}
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
	machines[vm->id] = NULL;
	vm_services_destroy(&machine->services);
	pool_free(machine, MACHINE_PAGES);
}

u32 machine_console_input(struct vm *vm, const void *bytes, u32 n)
{
	struct machine *machine = machines[vm->id];

	return machine ? uart_receive(&machine->com1, bytes, n) : 0;
}
