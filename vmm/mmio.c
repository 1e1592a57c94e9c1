#include "vmm/mmio.h"

#include "arch/x86_64/insn/emulate.h"
#include "arch/x86_64/insn/name.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "vmm/breakpoint.h"
#include "vmm/fetch.h"
#include "vmm/linear.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

_Static_assert((int)EMULATE_RSP == (int)REG_RSP && (int)EMULATE_RIP == (int)REG_RIP &&
		       (int)EMULATE_RFLAGS == (int)REG_RFLAGS,
	       "one numbering of registers");

/* One emulated instruction. `verdict`: why access() said no. */
struct mmio {
	struct vcpu *vcpu;
	const struct insn *insn;
	const struct exit_memory *memory;
	const struct bus_mmio_range *range; /* of memory->gpa */
	enum verdict verdict;
	u32 hit; /* breakpoints */
};

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

static bool __attribute__((noinline)) wants_alignment(struct vcpu *vcpu)
{
	return vcpu_get(vcpu, REG_CR0) & CR0_AM && vcpu_get(vcpu, REG_RFLAGS) & RFLAGS_AC && vcpu_cpl(vcpu) == 3;
}

static inline bool misaligned(struct vcpu *vcpu, gva_t linear, u32 size)
{
	return UNLIKELY(linear & (size - 1)) && wants_alignment(vcpu);
}

/* What lies at one page's part of an access: a device's range, or NULL: RAM that allows it. */
static bool find_place(struct mmio *mmio, gpa_t gpa, u32 size, bool write, const struct bus_mmio_range **range)
{
	struct vm *vm = mmio->vcpu->vm;

	*range = bus_find_mmio(&vm->bus, gpa);
	if (*range || guest_memory_contains(&vm->memory, gpa, size, write))
		return true;
	return end(mmio, gpa, "access outside its memory and devices");
}

static inline bool access_device(struct mmio *mmio, const struct bus_mmio_range *range, gpa_t gpa, u8 size, bool write,
				 u64 *value)
{
	struct bus *bus = &mmio->vcpu->vm->bus;

	if ((write ? bus_range_write(bus, range, gpa, size, *value) : bus_range_read(bus, range, gpa, size, value)) ==
	    DEVICE_DONE)
		return true;
	return stop(mmio, VERDICT_WAIT);
}

static bool access_ram(struct mmio *mmio, gpa_t gpa, u8 size, bool write, u64 *value)
{
	struct vm *vm = mmio->vcpu->vm;

	if (!write)
		*value = 0;
	if (write ? guest_write(vm, gpa, value, size) : guest_read(vm, gpa, value, size))
		return end(mmio, gpa, "memory that cannot be reached");
	return true;
}

/* A part of an operand that a page's end cut may have any size; the bus knows powers of two. */
static u8 piece_size(u32 left)
{
	return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/* One page's part: of `value` the bytes from *at on. */
static bool access_part(struct mmio *mmio, const struct bus_mmio_range *range, gpa_t gpa, u32 size, bool write,
			u8 *value)
{
	u8 n;

	for (u32 at = 0; at < size; at += n) {
		u64 piece = 0;

		n = piece_size(size - at);
		if (write)
			memcpy(&piece, value + at, n);
		if (!(range ? access_device(mmio, range, gpa + at, n, write, &piece)
			    : access_ram(mmio, gpa + at, n, write, &piece)))
			return false;
		if (!write)
			memcpy(value + at, &piece, n);
	}
	return true;
}

/* All parts are known to be there before the first is touched. */
static bool access_span(struct mmio *mmio, const struct linear_span *span, enum emulate_access how, u64 *value)
{
	const struct bus_mmio_range *range[2] = {NULL, NULL};
	bool write = how == EMULATE_WRITE;
	u64 read = 0;

	for (u32 i = 0; i < 2 && span->size[i]; i++)
		if (!find_place(mmio, span->gpa[i], span->size[i], how != EMULATE_READ, &range[i]))
			return false;
	/* Another vCPU has mapped RAM there meanwhile: only the processor can change it in one go, and it can now. */
	if (how == EMULATE_MODIFY && !range[0] && !range[1])
		return stop(mmio, VERDICT_RETRY);
	if (how == EMULATE_CHECK)
		return true;
	for (u32 i = 0, at = 0; i < 2; at += span->size[i++])
		if (!access_part(mmio, range[i], span->gpa[i], span->size[i], write,
				 (u8 *)(write ? value : &read) + at))
			return false;
	if (!write)
		*value = read;
	return true;
}

/* Paging of an operand, faults raised, and the access. */
static bool __attribute__((noinline)) access_anywhere(struct mmio *mmio, gva_t linear, u8 size,
						      enum emulate_access how, u64 *value)
{
	struct vcpu *vcpu = mmio->vcpu;
	struct linear_view view = linear_view(vcpu);
	struct linear_fault fault;
	struct linear_span span;
	enum linear_result result = linear_translate(vcpu->vm, &view, linear, size, how != EMULATE_READ, &span, &fault);

	if (result != LINEAR_OK)
		return refuse_translation(mmio, result, &fault);
	if (misaligned(vcpu, linear, size))
		return stop(mmio, vcpu_raise_error(vcpu, VECTOR_AC, 0));
	return access_span(mmio, &span, how, value);
}

/* Whether the processor has translated and allowed this access: the one that made the exit. Who may write may read. */
static inline bool told_by_exit(const struct exit_memory *memory, gva_t linear, u32 size, bool write)
{
	u32 enough = write ? (u32)MEMORY_WRITE : (u32)(MEMORY_READ | MEMORY_WRITE);

	return memory->gva_valid && memory->gva == linear && !((memory->gpa ^ linear) & (PAGE_SIZE - 1)) &&
	       (linear & (PAGE_SIZE - 1)) + size <= PAGE_SIZE && memory->access & enough;
}

static inline bool access_told(struct mmio *mmio, gva_t linear, u8 size, enum emulate_access how, u64 *value)
{
	if (misaligned(mmio->vcpu, linear, size))
		return stop(mmio, vcpu_raise_error(mmio->vcpu, VECTOR_AC, 0));
	return how == EMULATE_CHECK ||
	       access_device(mmio, mmio->range, mmio->memory->gpa, size, how == EMULATE_WRITE, value);
}

static bool access_operand(void *context, const struct emulate_operand *operand, enum emulate_access how, u64 *value)
{
	struct mmio *mmio = context;
	struct vcpu *vcpu = mmio->vcpu;
	u8 size = operand->size, vector;
	gva_t linear;

	if (!segment_linear(vcpu, mmio->insn->mode == INSN_MODE_64, (enum segment_name)operand->segment,
			    operand->offset, size, how != EMULATE_READ, &linear, &vector))
		return stop(mmio, vcpu_raise_error(vcpu, vector, 0));
	if (!(LIKELY(told_by_exit(mmio->memory, linear, size, how != EMULATE_READ)) ?
		      access_told(mmio, linear, size, how, value) :
		      access_anywhere(mmio, linear, size, how, value)))
		return false;
	if (how != EMULATE_CHECK)
		mmio->hit |=
			breakpoint_hits(vcpu, how == EMULATE_WRITE ? BREAKPOINT_WRITE : BREAKPOINT_READ, linear, size);
	return true;
}

static const struct emulate_machine machine = {
	.get = get_register,
	.set = set_register,
	.access = access_operand,
	.stack_size = stack_size,
};

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

static enum verdict run(struct vcpu *vcpu, const struct insn *insn, const struct exit_memory *memory,
			const struct bus_mmio_range *range)
{
	struct mmio mmio = {.vcpu = vcpu, .insn = insn, .memory = memory, .range = range};

	switch (emulate(insn, &machine, &mmio, vcpu->reg)) {
	case EMULATE_DONE:
		vcpu_end_is(vcpu, insn->length);
		return breakpoint_end(vcpu, mmio.hit);
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

enum verdict mmio_emulate(struct vcpu *vcpu, const struct exit_memory *memory, const struct bus_mmio_range *range)
{
	const struct insn *insn;

	switch (fetch_instruction(vcpu, &insn)) {
	case OK:
		return run(vcpu, insn, memory, range);
	case ERR_RANGE:
		/* Unmapped by another vCPU meanwhile: this one meets the page fault itself. */
		return VERDICT_RETRY;
	case ERR_INVALID:
		return vcpu_raise(vcpu, VECTOR_UD);
	default:
		return refuse_instruction(vcpu, memory);
	}
}
