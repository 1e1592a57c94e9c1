/*
 * VMCS fields as types: a field of one width is a struct of its own, so that a field cannot be passed where its value
 * was meant, nor read at the wrong width. Pure; the instructions are in vmcs.h.
 */
#ifndef ARCH_VMX_FIELDS_H
#define ARCH_VMX_FIELDS_H

#include "arch/x86_64/vmx/field_list.h"
#include "lib/types.h"

struct vmcs16 {
	u32 encoding;
};
struct vmcs32 {
	u32 encoding;
};
struct vmcs64 {
	u32 encoding;
};
struct vmcs_natural {
	u32 encoding;
};
/* VMCS_FIELD_LIST's word `natural` as a type's suffix. */
#define vmcsnatural vmcs_natural

/* The typed fields: VMCS_GUEST_RIP and so on. */
#define VMCS_DEFINE_FIELD(width, name, code, words) static const struct vmcs##width VMCS_##name = {code};
VMCS_FIELD_LIST(VMCS_DEFINE_FIELD)
#undef VMCS_DEFINE_FIELD

/* Their encodings, for constant tables of fields of several widths: ENCODING_GUEST_RIP. */
#define VMCS_DEFINE_ENCODING(width, name, code, words) ENCODING_##name = code,
enum vmcs_encoding { VMCS_FIELD_LIST(VMCS_DEFINE_ENCODING) };
#undef VMCS_DEFINE_ENCODING

/* Their place in a snapshot: INDEX_GUEST_RIP. */
#define VMCS_DEFINE_INDEX(width, name, code, words) INDEX_##name,
enum vmcs_index { VMCS_FIELD_LIST(VMCS_DEFINE_INDEX) VMCS_FIELDS };
#undef VMCS_DEFINE_INDEX

/* One row a field, in the order of enum vmcs_index. */
struct vmcs_field_row {
	u32 encoding;
	const char *words;
};
extern const struct vmcs_field_row vmcs_fields[VMCS_FIELDS];

/* A VMCS read out whole, for the dump and the checker. A field this processor does not have is not `there`, and 0. */
struct vmcs_snapshot {
	u64 value[VMCS_FIELDS];
	bool there[VMCS_FIELDS];
};

/* SDM "Structure of VMCS Component Encoding". */
enum vmcs_width { WIDTH_16, WIDTH_64, WIDTH_32, WIDTH_NATURAL };
enum vmcs_area { AREA_CONTROL, AREA_READ_ONLY, AREA_GUEST, AREA_HOST };

static inline enum vmcs_width vmcs_width(u32 encoding)
{
	return (enum vmcs_width)(encoding >> 13 & 3);
}

static inline enum vmcs_area vmcs_area(u32 encoding)
{
	return (enum vmcs_area)(encoding >> 10 & 3);
}

#endif
