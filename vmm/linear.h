/*
 * Guest-linear memory as the processor would access it for an instruction we emulate: segment checks, then the guest's
 * page tables (arch/x86_64/mmu/gwalk.h), then RAM through guest_memory.
 */
#ifndef VMM_LINEAR_H
#define VMM_LINEAR_H

#include "arch/x86_64/mmu/gwalk.h"
#include "lib/types.h"
#include "vmm/vcpu_state.h"

struct vcpu;
struct vm;

struct linear_view {
	struct gwalk_mode mode;
	bool user;     /* at CPL 3, and not implicit */
	bool fetch;    /* reads are of code */
	bool implicit; /* to GDT, LDT, IDT, TSS: supervisor whatever the CPL */
};

/* The vCPU's own view, at its CPL; or as it accesses its descriptor tables and TSSs. */
struct linear_view linear_view(struct vcpu *vcpu);
struct linear_view linear_view_system(struct vcpu *vcpu);

enum linear_result {
	LINEAR_OK,
	LINEAR_FAULT,  /* #PF as in the fault record */
	LINEAR_NO_RAM, /* a physical address that is not the VM's RAM */
	LINEAR_RETRY,  /* another vCPU kept changing the page tables: let the guest do the instruction again */
};

struct linear_fault {
	gva_t address;
	u32 error; /* #PF error code */
	gpa_t gpa; /* LINEAR_NO_RAM */
};

/* Where an access of up to a page lies: in at most two pages, the second with size 0 when it is in one. */
struct linear_span {
	gpa_t gpa[2];
	u32 size[2];
};
/*
 * One byte's translation as the processor would do it for this access. *walk tells what it was concluded from, and
 * where page tables lie that are not in RAM.
 */
enum linear_result linear_walk(struct vm *vm, const struct linear_view *view, gva_t gva, bool write,
			       struct gwalk *walk);
/*
 * Translate alone, as a processor would for this access: whether RAM is there is the caller's to see. LINEAR_NO_RAM:
 * the page tables lie where no RAM is.
 */
enum linear_result linear_translate(struct vm *vm, const struct linear_view *view, gva_t gva, u32 size, bool write,
				    struct linear_span *span, struct linear_fault *fault);

/* Copies of at most one page's size; nothing is copied unless all of it can be. */
enum linear_result linear_read(struct vm *vm, const struct linear_view *view, gva_t gva, void *to, u32 size,
			       struct linear_fault *fault);
enum linear_result linear_write(struct vm *vm, const struct linear_view *view, gva_t gva, const void *from, u32 size,
				struct linear_fault *fault);
/* Whether a write would succeed; sets accessed and dirty bits as it would. */
enum linear_result linear_probe_write(struct vm *vm, const struct linear_view *view, gva_t gva, u32 size,
				      struct linear_fault *fault);

/* Whether [offset, offset+size) is within the segment's limit, expand-down segments included. */
bool segment_holds(const struct segment *segment, u64 offset, u32 size);
/* The parts of what is below. */
bool segment_linear_32(struct vcpu *vcpu, enum segment_name name, u64 offset, u32 size, bool write, gva_t *linear);
u64 segment_base(struct vcpu *vcpu, enum segment_name name);

static inline bool linear_canonical(gva_t linear)
{
	return (linear + BIT(47)) >> 48 == 0;
}

/*
 * Segmentation: the linear address of `size` bytes at `offset` in a segment, for an instruction of 64-bit code or not.
 * True, or false with *vector (#GP or #SS, error code 0).
 */
static inline bool segment_linear(struct vcpu *vcpu, bool long_mode, enum segment_name name, u64 offset, u32 size,
				  bool write, gva_t *linear, u8 *vector)
{
	*vector = name == SEG_SS ? VECTOR_SS : VECTOR_GP;
	if (!long_mode)
		return segment_linear_32(vcpu, name, offset, size, write, linear);
	/* In 64-bit code segments have neither base nor limit nor rights, but that FS and GS have a base. */
	*linear = UNLIKELY(name == SEG_FS || name == SEG_GS) ? offset + segment_base(vcpu, name) : offset;
	return linear_canonical(*linear) && linear_canonical(*linear + size - 1);
}

#endif
