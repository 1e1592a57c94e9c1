/*
 * Exit accounting, per vCPU, from the first day: how often and how long, by the engine's own reason. What the reasons
 * mean, and which kind each is of, the engine says when somebody asks (engine_ops.reason).
 */
#ifndef VMM_ACCOUNT_H
#define VMM_ACCOUNT_H

#include "vmm/exit.h"

/* Engines number their reasons below this; struct vm_exit.raw is this for a reason that has no number of its own. */
#define ACCOUNT_REASONS 160

struct account {
	u64 count[ACCOUNT_REASONS + 1], ticks[ACCOUNT_REASONS + 1]; /* ticks: from the exit to the next entry */
	u64 attend_ticks; /* what else is done between exits and entries */
	u64 loop_ticks;	  /* all of these, and the time in the guest */
};

/* Time in the guest. */
static inline u64 account_guest_ticks(const struct account *account)
{
	u64 ticks = account->loop_ticks - account->attend_ticks;

	for (u32 raw = 0; raw <= ACCOUNT_REASONS; raw++)
		ticks -= account->ticks[raw];
	return ticks;
}

struct account_sum {
	u64 count, ticks;
};

struct vm;

/* Of all vCPUs of a VM, which may be running meanwhile. By number, by the architecture's code of the reason, or all. */
struct account_sum account_of_raw(const struct vm *vm, u32 raw);
struct account_sum account_of_code(const struct vm *vm, u32 code);
struct account_sum account_of_all(const struct vm *vm);

/* Print the table of a VM to the log: its vCPUs' sums, rows with a count only. (account_print.c) */
void account_print(struct vm *vm);

#endif
