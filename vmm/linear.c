#include "vmm/linear.h"

#include "vmm/cpuid.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

/*
 * PDPTEs are read at the walk, as AMD's processors do with nested paging: a guest that changed them without a MOV to
 * CR3 may on Intel's still run on the old ones, and has to expect either. Protection keys do not hold here: PKRU is the
 * guest's extended state.
 */
static struct linear_view view_of(struct vcpu *vcpu)
{
	const struct cpuid_policy *cpuid = vcpu->vm->cpuid;

	return (struct linear_view){
		.mode = {
			.cr0 = vcpu_get(vcpu, REG_CR0),
			.cr3 = vcpu_get(vcpu, REG_CR3),
			.cr4 = vcpu_get(vcpu, REG_CR4),
			.efer = vcpu_get(vcpu, REG_EFER),
			.rflags = vcpu_get(vcpu, REG_RFLAGS),
			.physical_bits = cpuid->physical_bits,
			.gib_pages = cpuid->has_gib_pages,
		},
	};
}

struct linear_view linear_view(struct vcpu *vcpu)
{
	struct linear_view view = view_of(vcpu);

	view.user = vcpu_cpl(vcpu) == 3;
	return view;
}

struct linear_view linear_view_system(struct vcpu *vcpu)
{
	struct linear_view view = view_of(vcpu);

	view.implicit = true;
	return view;
}

static bool read_entry(void *context, gpa_t gpa, u32 size, u64 *entry)
{
	*entry = 0;
	return guest_read(context, gpa, entry, size) == OK;
}

static bool exchange_entry(void *context, gpa_t gpa, u32 size, u64 *expected, u64 desired)
{
	return guest_compare_exchange(context, gpa, size, expected, desired) == OK;
}

enum linear_result linear_walk(struct vm *vm, const struct linear_view *view, gva_t gva, bool write, struct gwalk *walk)
{
	const struct gwalk_memory memory = {.read = read_entry, .exchange = exchange_entry, .context = vm};
	const struct gwalk_access access = {
		.write = write, .fetch = view->fetch, .user = view->user, .implicit = view->implicit,
	};

	switch (gwalk(&view->mode, &memory, gva, access, walk)) {
	case GWALK_OK:
		return LINEAR_OK;
	case GWALK_NO_MEMORY:
		return LINEAR_NO_RAM;
	case GWALK_RETRY:
		return LINEAR_RETRY;
	default:
		return LINEAR_FAULT;
	}
}

static enum linear_result translate(struct vm *vm, const struct linear_view *view, gva_t gva, bool write, gpa_t *gpa,
				    struct linear_fault *fault)
{
	struct gwalk walk;
	enum linear_result result = linear_walk(vm, view, gva, write, &walk);

	*fault = (struct linear_fault){.address = gva, .error = walk.error, .gpa = walk.gpa};
	*gpa = walk.gpa;
	return result;
}

enum linear_result linear_translate(struct vm *vm, const struct linear_view *view, gva_t gva, u32 size, bool write,
				    struct linear_span *span, struct linear_fault *fault)
{
	u32 to_end = (u32)(PAGE_SIZE - (gva & (PAGE_SIZE - 1)));
	enum linear_result result;

	span->size[0] = MIN(size, to_end);
	span->size[1] = size - span->size[0];
	result = translate(vm, view, gva, write, &span->gpa[0], fault);
	if (result != LINEAR_OK || !span->size[1])
		return result;
	return translate(vm, view, gva + to_end, write, &span->gpa[1], fault);
}

/* The same, and RAM is there for sure. */
static enum linear_result translate_ram(struct vm *vm, const struct linear_view *view, gva_t gva, u32 size, bool write,
					struct linear_span *span, struct linear_fault *fault)
{
	enum linear_result result = linear_translate(vm, view, gva, size, write, span, fault);

	for (u32 i = 0; i < 2 && result == LINEAR_OK && span->size[i]; i++)
		if (!guest_memory_contains(&vm->memory, span->gpa[i], span->size[i], write)) {
			fault->gpa = span->gpa[i];
			result = LINEAR_NO_RAM;
		}
	return result;
}

enum linear_result linear_read(struct vm *vm, const struct linear_view *view, gva_t gva, void *to, u32 size,
			       struct linear_fault *fault)
{
	struct linear_span span;
	enum linear_result result = translate_ram(vm, view, gva, size, false, &span, fault);

	if (result != LINEAR_OK)
		return result;
	if (guest_read(vm, span.gpa[0], to, span.size[0]) ||
	    (span.size[1] && guest_read(vm, span.gpa[1], (u8 *)to + span.size[0], span.size[1])))
		return LINEAR_NO_RAM;
	return LINEAR_OK;
}

enum linear_result linear_write(struct vm *vm, const struct linear_view *view, gva_t gva, const void *from, u32 size,
				struct linear_fault *fault)
{
	struct linear_span span;
	enum linear_result result = translate_ram(vm, view, gva, size, true, &span, fault);

	if (result != LINEAR_OK)
		return result;
	if (guest_write(vm, span.gpa[0], from, span.size[0]) ||
	    (span.size[1] && guest_write(vm, span.gpa[1], (const u8 *)from + span.size[0], span.size[1])))
		return LINEAR_NO_RAM;
	return LINEAR_OK;
}

enum linear_result linear_probe_write(struct vm *vm, const struct linear_view *view, gva_t gva, u32 size,
				      struct linear_fault *fault)
{
	struct linear_span span;

	return translate_ram(vm, view, gva, size, true, &span, fault);
}
