/* Port I/O of one value: to the bus. String instructions are in io_string.c. */
#include "vmm/io.h"

#include "vmm/handlers.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

/*
 * The processor has checked IOPL and the I/O permission bitmap before the exit (SDM "Relative Priority of Faults and VM
 * Exits").
 */
enum verdict handle_io(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct exit_io *io = &exit->io;
	struct bus *bus = &vcpu->vm->bus;
	u32 value;

	if (io->string)
		return io_string(vcpu, io);
	if (!io->in) {
		u32 mask = io->size == 4 ? ~0u : (1u << (8 * io->size)) - 1;

		value = (u32)vcpu_get(vcpu, REG_RAX) & mask;
		return bus_port_write(bus, io->port, io->size, value) == DEVICE_DONE ? io_done(vcpu, io) : VERDICT_WAIT;
	}
	if (bus_port_read(bus, io->port, io->size, &value) != DEVICE_DONE)
		return VERDICT_WAIT;
	vcpu_set_sized(vcpu, REG_RAX, io->size, value);
	return io_done(vcpu, io);
}
