/* Linear accesses to an array; oracle of the fault's fields: SDM vol. 3 "Page-Fault Exceptions". */
#include <string.h>

#include "tests/unit/fake_linear.h"
#include "vmm/vcpu.h"

u8 memory[FAKE_LINEAR_SIZE];
gva_t bad_page;

struct linear_view linear_view(struct vcpu *vcpu)
{
	return (struct linear_view){.user = vcpu_cpl(vcpu) == 3};
}

struct linear_view linear_view_system(struct vcpu *vcpu)
{
	(void)vcpu;
	return (struct linear_view){.implicit = true};
}

static enum linear_result check(gva_t gva, u32 size, bool write, struct linear_fault *fault)
{
	*fault = (struct linear_fault){.address = gva, .error = write ? PF_WRITE : 0, .gpa = gva};
	if (gva >> 12 == bad_page >> 12)
		return LINEAR_FAULT;
	return gva + size <= FAKE_LINEAR_SIZE ? LINEAR_OK : LINEAR_NO_RAM;
}

enum linear_result linear_read(struct vm *vm, const struct linear_view *view, gva_t gva, void *to, u32 size,
			       struct linear_fault *fault)
{
	enum linear_result result = check(gva, size, false, fault);

	(void)vm;
	(void)view;
	if (result == LINEAR_OK)
		memcpy(to, memory + gva, size);
	return result;
}

enum linear_result linear_write(struct vm *vm, const struct linear_view *view, gva_t gva, const void *from, u32 size,
				struct linear_fault *fault)
{
	enum linear_result result = check(gva, size, true, fault);

	(void)vm;
	(void)view;
	if (result == LINEAR_OK)
		memcpy(memory + gva, from, size);
	return result;
}

enum linear_result linear_probe_write(struct vm *vm, const struct linear_view *view, gva_t gva, u32 size,
				      struct linear_fault *fault)
{
	(void)vm;
	(void)view;
	return check(gva, size, true, fault);
}
