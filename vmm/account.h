/* Exit accounting, per vCPU, from the first day: how often and how long, by kind; raw reasons counted as well. */
#ifndef VMM_ACCOUNT_H
#define VMM_ACCOUNT_H

#include "vmm/exit.h"

#define ACCOUNT_RAW 160

struct account {
	u64 count[EXIT_KINDS], ticks[EXIT_KINDS]; /* by kind; ticks: from the exit to the next entry */
	u64 handler_ticks; /* of all kinds, and of what else is done between exits and entries */
	u64 raw[ACCOUNT_RAW + 1]; /* the last: all above the range */
	u64 guest_ticks;	  /* time in the guest */
};

/* Engines with more reasons than there are counters. */
static inline void account_raw(struct account *account, u32 raw)
{
	account->raw[raw < ACCOUNT_RAW ? raw : ACCOUNT_RAW]++;
}

struct vm;
/* Print the table of a VM to the log: its vCPUs' sums, rows with a count only. */
void account_print(struct vm *vm);

#endif
