#include "vmm/mmio.h"

#include "arch/x86_64/insn/emulate.h"
#include "arch/x86_64/insn/name.h"
#include "lib/fmt.h"
#include "vmm/breakpoint.h"
#include "vmm/fetch.h"
#include "vmm/linear.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

_Static_assert((int)EMULATE_RIP == (int)REG_RIP && (int)EMULATE_RFLAGS == (int)REG_RFLAGS,
	       "one numbering of registers");

/*
 * The window of a VGA card, which this machine has not; vmm/vm.c leaves it out of RAM. Systems write there before they
 * know: as on a PC without a card the bus answers with all ones.
 */
#define VGA_WINDOW_START 0xa0000ull
#define VGA_WINDOW_END	 0xc0000ull

/* One emulated instruction. `verdict`: why access() said no. */
struct mmio {
	struct vcpu *vcpu;
	const struct insn *insn;
	struct linear_view view;
	enum verdict verdict;
	u32 hit; /* breakpoints */
};

bool mmio_answers(const struct vm *vm, gpa_t gpa)
{
	return (gpa >= VGA_WINDOW_START && gpa < VGA_WINDOW_END) || bus_has_mmio(&vm->bus, gpa);
}

static u64 get_register(void *context, u32 number)
{
	struct mmio *mmio = context;

	return vcpu_get(mmio->vcpu, (enum reg)number);
}

static void set_register(void *context, u32 number, u64 value)
{
	struct mmio *mmio = context;

	vcpu_set(mmio->vcpu, (enum reg)number, value);
}

static u32 stack_size(void *context)
{
	struct mmio *mmio = context;
	struct segment ss;

	if (mmio->insn->mode == INSN_MODE_64)
		return 8;
	mmio->vcpu->engine->get_segment(mmio->vcpu, SEG_SS, &ss);
	return ss.attributes & SEGMENT_DB ? 4 : 2;
}

static bool stop(struct mmio *mmio, enum verdict verdict)
{
	mmio->verdict = verdict;
	return false;
}

static bool end(struct mmio *mmio, gpa_t gpa, const char *what)
{
	vm_end(mmio->vcpu->vm, VM_END_ERROR, gpa, "%s: gpa 0x%llx, rip 0x%llx", what, (unsigned long long)gpa,
	       (unsigned long long)vcpu_get(mmio->vcpu, REG_RIP));
	return stop(mmio, VERDICT_END);
}

static bool refuse_translation(struct mmio *mmio, enum linear_result result, const struct linear_fault *fault)
{
	switch (result) {
	case LINEAR_FAULT:
		return stop(mmio, vcpu_raise_page_fault(mmio->vcpu, fault->address, fault->error));
	case LINEAR_RETRY:
		return stop(mmio, VERDICT_RETRY);
	default:
		return end(mmio, fault->gpa, "page tables outside its memory");
	}
}

static bool misaligned(struct vcpu *vcpu, gva_t linear, u32 size)
{
	return linear & (size - 1) && vcpu_get(vcpu, REG_CR0) & CR0_AM && vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_AC &&
	       vcpu_cpl(vcpu) == 3;
}

/* Segmentation and paging of one access, faults raised. */
static bool locate(struct mmio *mmio, const struct emulate_operand *operand, bool write, gva_t *at, struct linear_span *span)
{
	struct vcpu *vcpu = mmio->vcpu;
	struct linear_fault fault;
	enum linear_result result;
	gva_t linear;
	u8 vector;

	if (!segment_linear(vcpu, (enum segment_name)operand->segment, operand->offset, operand->size, write, &linear,
			    &vector))
		return stop(mmio, vcpu_raise_error(vcpu, vector, 0));
	result = linear_translate(vcpu->vm, &mmio->view, linear, operand->size, write, span, &fault);
	if (result != LINEAR_OK)
		return refuse_translation(mmio, result, &fault);
	if (misaligned(vcpu, linear, operand->size))
		return stop(mmio, vcpu_raise_error(vcpu, VECTOR_AC, 0));
	*at = linear;
	return true;
}

/* What lies at one page's part of an access. */
enum place { PLACE_RAM, PLACE_BUS, PLACE_NOTHING };

static enum place place_of(const struct vm *vm, gpa_t gpa, u32 size, bool write)
{
	if (guest_memory_contains(&vm->memory, gpa, size, write))
		return PLACE_RAM;
	return mmio_answers(vm, gpa) ? PLACE_BUS : PLACE_NOTHING;
}

/* A part of an operand that a page's end cut may have any size; the bus knows powers of two. */
static u8 bus_size(u32 left)
{
	return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

static bool access_bus(struct mmio *mmio, gpa_t gpa, u8 *bytes, u32 size, bool write)
{
	struct bus *bus = &mmio->vcpu->vm->bus;

	for (u32 at = 0; at < size;) {
		u8 n = bus_size(size - at);
		enum device_answer answer;
		u64 value = 0;

		if (write)
			for (u32 i = n; i--;)
				value = value << 8 | bytes[at + i];
		answer = write ? bus_mmio_write(bus, gpa + at, n, value) : bus_mmio_read(bus, gpa + at, n, &value);
		if (answer != DEVICE_DONE)
			return stop(mmio, VERDICT_WAIT);
		for (u32 i = 0; !write && i < n; i++)
			bytes[at + i] = (u8)(value >> (8 * i));
		at += n;
	}
	return true;
}

static bool access_part(struct mmio *mmio, enum place place, gpa_t gpa, u8 *bytes, u32 size, bool write)
{
	struct vm *vm = mmio->vcpu->vm;

	if (place == PLACE_BUS)
		return access_bus(mmio, gpa, bytes, size, write);
	if (write ? guest_write(vm, gpa, bytes, size) : guest_read(vm, gpa, bytes, size))
		return end(mmio, gpa, "memory that cannot be reached");
	return true;
}

/* All parts are known to be there before the first is touched. */
static bool access_operand(void *context, const struct emulate_operand *operand, enum emulate_access how, u64 *value)
{
	struct mmio *mmio = context;
	struct vm *vm = mmio->vcpu->vm;
	struct linear_span span;
	enum place place[2] = {PLACE_BUS, PLACE_BUS};
	bool all_ram = true;
	u8 bytes[8];
	gva_t linear = 0;

	if (!locate(mmio, operand, how != EMULATE_READ, &linear, &span))
		return false;
	for (u32 i = 0; i < 2 && span.size[i]; i++) {
		place[i] = place_of(vm, span.gpa[i], span.size[i], how != EMULATE_READ);
		if (place[i] == PLACE_NOTHING)
			return end(mmio, span.gpa[i], "access outside its memory and devices");
		all_ram &= place[i] == PLACE_RAM;
	}
	/* Another vCPU has mapped RAM there meanwhile: only the processor can change it in one go, and it can now. */
	if (all_ram && how == EMULATE_MODIFY)
		return stop(mmio, VERDICT_RETRY);
	if (how == EMULATE_CHECK)
		return true;
	for (u32 i = 0; i < operand->size; i++)
		bytes[i] = (u8)(*value >> (8 * i));
	if (!access_part(mmio, place[0], span.gpa[0], bytes, span.size[0], how == EMULATE_WRITE) ||
	    (span.size[1] &&
	     !access_part(mmio, place[1], span.gpa[1], bytes + span.size[0], span.size[1], how == EMULATE_WRITE)))
		return false;
	mmio->hit |= breakpoint_hits(mmio->vcpu, how == EMULATE_WRITE ? BREAKPOINT_WRITE : BREAKPOINT_READ, linear, (u8)operand->size);
	if (how == EMULATE_WRITE)
		return true;
	*value = 0;
	for (u32 i = operand->size; i--;)
		*value = *value << 8 | bytes[i];
	return true;
}

/* What is not in docs/instructions.md ends the VM: by name, and with its bytes. */
static enum verdict refuse_instruction(struct vcpu *vcpu, const struct exit_memory *memory)
{
	u8 bytes[INSN_MAX_LENGTH];
	char hex[3 * INSN_MAX_LENGTH + 1] = "";
	enum insn_mode mode;
	u32 count = fetch_bytes(vcpu, bytes, &mode);

	for (u32 i = 0; i < count; i++)
		fmt_print(hex + 3 * i, sizeof(hex) - 3 * i, " %02x", bytes[i]);
	vm_end(vcpu->vm, VM_END_ERROR, memory->gpa, "%s is not emulated for a device: gpa 0x%llx, rip 0x%llx, bytes%s",
	       insn_name(bytes, count, mode), (unsigned long long)memory->gpa,
	       (unsigned long long)vcpu_get(vcpu, REG_RIP), hex);
	return VERDICT_END;
}

static enum verdict run(struct vcpu *vcpu, const struct insn *insn, const struct exit_memory *memory)
{
	struct mmio mmio = {.vcpu = vcpu, .insn = insn, .view = linear_view(vcpu)};
	const struct emulate_machine machine = {
		.context = &mmio,
		.get = get_register,
		.set = set_register,
		.access = access_operand,
		.stack_size = stack_size,
	};

	switch (emulate(insn, &machine)) {
	case EMULATE_DONE:
		vcpu_advance_by(vcpu, insn->length);
		return mmio.hit ? breakpoint_trap(vcpu, mmio.hit) : VERDICT_ADVANCED;
	case EMULATE_REPEAT:
		if (mmio.hit)
			return breakpoint_trap(vcpu, mmio.hit);
		/* With TF set the trap comes after each repetition (SDM "Single-Step Exception Condition"). */
		if (vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_TF)
			vcpu->engine->set_single_step(vcpu);
		return VERDICT_RETRY;
	case EMULATE_STOPPED:
		return mmio.verdict;
	default:
		return refuse_instruction(vcpu, memory);
	}
}

enum verdict mmio_emulate(struct vcpu *vcpu, const struct exit_memory *memory)
{
	struct insn insn;

	switch (fetch_instruction(vcpu, &insn)) {
	case OK:
		return run(vcpu, &insn, memory);
	case ERR_RANGE:
		/* Unmapped by another vCPU meanwhile: this one meets the page fault itself. */
		return VERDICT_RETRY;
	case ERR_INVALID:
		return vcpu_raise(vcpu, VECTOR_UD);
	default:
		return refuse_instruction(vcpu, memory);
	}
}
