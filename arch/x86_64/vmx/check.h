/*
 * The processor's checks at VM entry, repeated on a snapshot, so that a refused entry is answered by the failing check
 * in words (SDM vol. 3 "Checks on VMX Controls", "Checks on Host Control Registers, MSRs, and SSP" and the sections
 * after them, "Checks on the Guest State Area"). Pure. Checks of fields that the controls in use make meaningless are
 * left out.
 */
#ifndef ARCH_VMX_CHECK_H
#define ARCH_VMX_CHECK_H

#include "arch/x86_64/vmx/capability.h"
#include "arch/x86_64/vmx/fields.h"

/* What the checks need to know of the processor. */
struct check_machine {
	u32 physical_bits;
	u32 linear_bits; /* 48, or 57 with 5-level paging */
	struct capability capability;
};

struct check_result {
	char text[200]; /* the first check that fails, with the field's value */
};

/* One check: what must hold, and the words for it when it does not, ending in the field whose value is shown. */
struct check_context {
	const u64 *value; /* by enum vmcs_index */
	const struct check_machine *machine;
};
struct check_row {
	bool (*holds)(const struct check_context *c);
	const char *words;
	enum vmcs_index shown;
};

/* True: all hold. False: `result` says which does not. */
bool check_controls(const struct vmcs_snapshot *snapshot, const struct check_machine *machine,
		    struct check_result *result);
bool check_host_state(const struct vmcs_snapshot *snapshot, const struct check_machine *machine,
		      struct check_result *result);
bool check_guest_state(const struct vmcs_snapshot *snapshot, const struct check_machine *machine,
		       struct check_result *result);

/* The tables, for the tests: each row is broken once. */
extern const struct check_row check_control_rows[], check_host_rows[], check_guest_rows[], check_segment_rows[];
extern const u32 check_control_count, check_host_count, check_guest_count, check_segment_count;

/* Go through rows; shared by the three. */
bool check_run(const struct check_row *rows, u32 count, const struct vmcs_snapshot *snapshot,
	       const struct check_machine *machine, const char *area, struct check_result *result);

/* For the rows' functions. */
#define FIELD(name) (c->value[INDEX_##name])

static inline bool implies(bool a, bool b)
{
	return !a || b;
}

static inline bool check_canonical(const struct check_context *c, u64 address)
{
	u32 shift = 64 - c->machine->linear_bits;

	return (u64)((s64)(address << shift) >> shift) == address;
}

static inline bool check_physical(const struct check_context *c, u64 address)
{
	return address >> c->machine->physical_bits == 0;
}

bool check_pat(u64 pat);

#endif
