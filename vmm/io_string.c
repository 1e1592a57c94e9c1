/*
 * INS and OUTS (SDM "INS/INSB/INSW/INSD", "OUTS/OUTSB/OUTSW/OUTSD", "REP Prefixes"). One element at a time, registers
 * up to date after each, so that a fault or an interrupt finds what the processor would show. The processor has checked
 * the port's permission.
 */
#include "vmm/io.h"

#include "vmm/breakpoint.h"
#include "vmm/linear.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#define BYTES_PER_EXIT 4096u

static u64 size_mask(u32 bytes)
{
	return bytes == 8 ? ~0ull : BIT(bytes * 8) - 1;
}

static bool misaligned(struct vcpu *vcpu, gva_t linear, u32 size)
{
	u64 on = vcpu_get(vcpu, REG_CR0) & CR0_AM;

	return on && vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_AC && linear & (size - 1) && vcpu_cpl(vcpu) == 3;
}

/* How one element went. */
enum element { ELEMENT_DONE, ELEMENT_PENDING, ELEMENT_FAULTED };

struct string_io {
	struct vcpu *vcpu;
	const struct exit_io *io;
	struct linear_view view;
	enum verdict verdict; /* when faulted */
	u32 hit; /* breakpoints on the port, and on the memory so far */
};

static enum element fault(struct string_io *s, enum linear_result result, const struct linear_fault *f)
{
	if (result == LINEAR_FAULT) {
		s->verdict = vcpu_raise_page_fault(s->vcpu, f->address, f->error);
		return ELEMENT_FAULTED;
	}
	if (result == LINEAR_RETRY) {
		s->verdict = VERDICT_RETRY;
		return ELEMENT_FAULTED;
	}
	vm_end(s->vcpu->vm, VM_END_ERROR, f->gpa,
	       "string I/O with memory that is not RAM: gpa 0x%llx, linear 0x%llx, rip 0x%llx",
	       (unsigned long long)f->gpa, (unsigned long long)f->address,
	       (unsigned long long)vcpu_get(s->vcpu, REG_RIP));
	s->verdict = VERDICT_END;
	return ELEMENT_FAULTED;
}

/* The memory is checked before the port is read: a read that nobody gets is lost to the device. */
static enum element in_element(struct string_io *s, gva_t linear)
{
	struct vm *vm = s->vcpu->vm;
	struct linear_fault f;
	enum linear_result result = linear_probe_write(vm, &s->view, linear, s->io->size, &f);
	u32 value;

	if (result != LINEAR_OK)
		return fault(s, result, &f);
	if (bus_port_read(&vm->bus, s->io->port, s->io->size, &value) != DEVICE_DONE)
		return ELEMENT_PENDING;
	result = linear_write(vm, &s->view, linear, &value, s->io->size, &f);
	return result == LINEAR_OK ? ELEMENT_DONE : fault(s, result, &f);
}

static enum element out_element(struct string_io *s, gva_t linear)
{
	struct vm *vm = s->vcpu->vm;
	struct linear_fault f;
	u32 value = 0;
	enum linear_result result = linear_read(vm, &s->view, linear, &value, s->io->size, &f);

	if (result != LINEAR_OK)
		return fault(s, result, &f);
	if (bus_port_write(&vm->bus, s->io->port, s->io->size, value) != DEVICE_DONE)
		return ELEMENT_PENDING;
	return ELEMENT_DONE;
}

/* One element, and the index moved past it. */
static enum element element(struct string_io *s)
{
	struct vcpu *vcpu = s->vcpu;
	const struct exit_io *io = s->io;
	enum reg index = io->in ? REG_RDI : REG_RSI;
	enum segment_name segment = io->in ? SEG_ES : (enum segment_name)io->segment;
	u64 offset = vcpu_get(vcpu, index) & size_mask(io->address_size);
	bool down = vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_DF;
	enum element outcome;
	gva_t linear;
	u8 vector;

	if (!segment_linear(vcpu, vcpu_long_mode(vcpu), segment, offset, io->size, io->in, &linear, &vector)) {
		s->verdict = vcpu_raise_error(vcpu, vector, 0);
		return ELEMENT_FAULTED;
	}
	if (misaligned(vcpu, linear, io->size)) {
		s->verdict = vcpu_raise_error(vcpu, VECTOR_AC, 0);
		return ELEMENT_FAULTED;
	}
	outcome = io->in ? in_element(s, linear) : out_element(s, linear);
	if (outcome != ELEMENT_DONE)
		return outcome;
	s->hit |= breakpoint_hits(vcpu, io->in ? BREAKPOINT_WRITE : BREAKPOINT_READ, linear, io->size);
	vcpu_set_sized(vcpu, index, io->address_size, down ? offset - io->size : offset + io->size);
	return ELEMENT_DONE;
}

/*
 * With TF set, or a breakpoint on the port or the memory, the trap comes after each repetition, RIP still at the
 * instruction (SDM "Single-Step Exception Condition", "I/O Breakpoint Exception Conditions").
 */
static enum verdict pause_repeat(struct vcpu *vcpu, bool single_step, u32 hit)
{
	if (hit)
		return breakpoint_trap(vcpu, hit);
	if (single_step)
		vcpu->engine->set_single_step(vcpu);
	return VERDICT_RETRY;
}

static enum verdict repeat(struct string_io *s)
{
	struct vcpu *vcpu = s->vcpu;
	u32 address_size = s->io->address_size;
	u64 count = vcpu_get(vcpu, REG_RCX) & size_mask(address_size);
	bool single_step = vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_TF;

	if (!count)
		return VERDICT_ADVANCE;
	for (u32 bytes = 0; count; bytes += s->io->size) {
		enum element outcome;

		if (bytes >= BYTES_PER_EXIT || ((single_step || s->hit) && bytes))
			return pause_repeat(vcpu, single_step, s->hit);
		outcome = element(s);
		if (outcome != ELEMENT_DONE)
			return outcome == ELEMENT_PENDING ? VERDICT_WAIT : s->verdict;
		vcpu_set_sized(vcpu, REG_RCX, address_size, --count);
	}
	return breakpoint_end(vcpu, s->hit);
}

enum verdict io_string(struct vcpu *vcpu, const struct exit_io *io)
{
	struct string_io s = {
		.vcpu = vcpu,
		.io = io,
		.view = linear_view(vcpu),
		.verdict = VERDICT_RETRY,
		.hit = breakpoint_hits(vcpu, BREAKPOINT_PORT, io->port, io->size),
	};
	enum element outcome;

	if (io->rep)
		return repeat(&s);
	outcome = element(&s);
	if (outcome == ELEMENT_DONE)
		return breakpoint_end(vcpu, s.hit);
	return outcome == ELEMENT_PENDING ? VERDICT_WAIT : s.verdict;
}
