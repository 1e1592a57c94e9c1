/*
 * What VT-x offers here, and what is made of it. Each core reads its capability MSRs; what a control table requires
 * must be there on every core, what is optional is used when every core has it (hybrid machines differ). The functions
 * are pure apart from capability_read().
 */
#ifndef ARCH_VMX_CAPABILITY_H
#define ARCH_VMX_CAPABILITY_H

#include "lib/types.h"

enum control_group { CONTROL_PIN, CONTROL_PRIMARY, CONTROL_SECONDARY, CONTROL_EXIT, CONTROL_ENTRY, CONTROL_GROUPS };

enum control_need {
	NEED_REQUIRED,	/* on, or this engine cannot work */
	NEED_OPTIONAL,	/* on when there */
	NEED_SWITCHED,	/* off at first, but it must be possible to turn it on and off */
	NEED_FORBIDDEN, /* must be possible to turn off */
	NEED_APIC,	/* off at first; when there, apic.c turns it on for local APICs whose VM does not forbid it */
	NEED_SHOWN,	/* off; mentioned as found, for the work that will use it */
};

struct control_row {
	enum control_group group;
	enum control_need need;
	u32 bit;
	const char *name;
};

extern const struct control_row control_table[];
extern const u32 control_table_rows;

/* The capability MSRs of one core, or what several have in common. */
struct capability {
	u64 basic, misc;
	u64 control[CONTROL_GROUPS]; /* low half: bits that must be 1; high half: bits that may be 1 */
	u64 ept_vpid;
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
};

/* What the engine runs with. */
struct vmx_setup {
	u32 control[CONTROL_GROUPS]; /* first values of the control fields */
	bool vpid, preemption_timer, invept_single, invvpid_single;
	u32 timer_rate;	      /* one timer unit is 2^rate TSC ticks */
	u32 ept_largest;      /* level of the largest EPT leaf: 1, 2 or 3 */
	bool zero_length;     /* MISC_ZERO_LENGTH */
	bool tpr_shadow;      /* it can be turned on, and then CR8 need not exit */
	u32 apic_controls;    /* secondary controls that can be turned on beside it, of those in apic_controls.h */
	u32 revision;	      /* VMCS revision identifier */
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	struct capability capability;
};

/* Read this core's. CPUID says that VMX is there. */
void capability_read(struct capability *capability);
/*
 * Whether one core's capabilities suffice. Otherwise `missing` (NUL-terminated, cut to size) names what lacks,
 * comma-separated.
 */
bool capability_check(const struct capability *capability, char *missing, size_t size);
/* Whether VPIDs can be used: the control, and INVVPID of all contexts. */
bool capability_has_vpid(const struct capability *capability);
/* What both have: the second core joins. False: `why` says what makes it impossible to move a VMCS between the two. */
bool capability_join(struct capability *common, const struct capability *core, char *why, size_t size);
/* Decide the controls from what all cores have in common; capability_check() has accepted it. */
void capability_decide(const struct capability *common, struct vmx_setup *setup);
/* The controls that are on, or that apic.c may turn on. */
u32 capability_used(const struct vmx_setup *setup, enum control_group group);
/*
 * Whether a core that comes after capability_decide() can do all that was decided; otherwise `missing` names what it
 * cannot.
 */
bool capability_supports(const struct capability *core, const struct vmx_setup *setup, char *missing, size_t size);
/* Optional features in use, then those that are only detected, for the status line. */
void capability_describe(const struct capability *capability, char *text, size_t size);

#endif
