/* Port I/O of one value: to the bus. String instructions are in io_string.c. */
#include "vmm/io.h"

#include "vmm/breakpoint.h"
#include "vmm/handlers.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

static enum verdict __attribute__((noinline)) end_watched(struct vcpu *vcpu, const struct exit_io *io)
{
	return breakpoint_end(vcpu, breakpoint_hits(vcpu, BREAKPOINT_PORT, io->port, io->size));
}

static inline enum verdict done(struct vcpu *vcpu, const struct exit_io *io)
{
	return UNLIKELY(vcpu->debug_live) ? end_watched(vcpu, io) : VERDICT_ADVANCE;
}

/* Apart, so that neither saves registers for the other. */
static enum verdict __attribute__((noinline)) in(struct vcpu *vcpu, const struct exit_io *io)
{
	u32 value;

	if (bus_port_read(&vcpu->vm->bus, io->port, io->size, &value) != DEVICE_DONE)
		return VERDICT_WAIT;
	vcpu_set_sized(vcpu, REG_RAX, io->size, value);
	return done(vcpu, io);
}

/* The bus takes as much of the register as the access is wide. */
static enum verdict __attribute__((noinline)) out(struct vcpu *vcpu, const struct exit_io *io)
{
	if (bus_port_write(&vcpu->vm->bus, io->port, io->size, (u32)vcpu->reg[REG_RAX]) != DEVICE_DONE)
		return VERDICT_WAIT;
	return done(vcpu, io);
}

/*
 * The processor has checked IOPL and the I/O permission bitmap before the exit (SDM "Relative Priority of Faults and VM
 * Exits").
 */
enum verdict handle_io(struct vcpu *vcpu, const struct vm_exit *exit)
{
	const struct exit_io *io = &exit->io;

	if (UNLIKELY(io->string))
		return io_string(vcpu, io);
	return io->in ? in(vcpu, io) : out(vcpu, io);
}
