/* Segmentation (SDM "Limit Checking", "Type Checking", "Segmentation in IA-32e Mode"). Pure. */
#include "vmm/linear.h"
#include "vmm/vcpu.h"

#define TYPE_CODE	 BIT(3)
#define TYPE_EXPAND_DOWN BIT(2) /* data */
#define TYPE_WRITE	 BIT(1) /* data; for code: readable */

static bool type_allows(u32 attributes, bool write)
{
	u32 type = SEGMENT_TYPE(attributes);

	if (type & TYPE_CODE)
		return !write && type & TYPE_WRITE;
	return !write || type & TYPE_WRITE;
}

bool segment_holds(const struct segment *segment, u64 offset, u32 size)
{
	u64 last = offset + size - 1;
	u32 type = SEGMENT_TYPE(segment->attributes);

	if (!(type & TYPE_CODE) && type & TYPE_EXPAND_DOWN) {
		u64 top = segment->attributes & SEGMENT_DB ? 0xffffffffu : 0xffffu;

		return offset > segment->limit && last <= top;
	}
	return last <= segment->limit;
}

bool segment_linear_32(struct vcpu *vcpu, enum segment_name name, u64 offset, u32 size, bool write, gva_t *linear)
{
	struct segment segment;

	vcpu->engine->get_segment(vcpu, name, &segment);
	if (vcpu_protected(vcpu) && !vcpu_v8086(vcpu) &&
	    (segment.attributes & SEGMENT_UNUSABLE || !type_allows(segment.attributes, write)))
		return false;
	*linear = (u32)(segment.base + offset);
	return segment_holds(&segment, offset, size);
}

u64 segment_base(struct vcpu *vcpu, enum segment_name name)
{
	struct segment segment;

	vcpu->engine->get_segment(vcpu, name, &segment);
	return segment.base;
}
