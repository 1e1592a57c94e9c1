/* Exit accounting, per vCPU, from the first day: how often and how long, by kind; raw reasons counted as well. */
#ifndef VMM_ACCOUNT_H
#define VMM_ACCOUNT_H

#include "vmm/exit.h"

#define ACCOUNT_RAW 160

struct account_row {
	u64 count, ticks;
};

struct account {
	struct account_row kind[EXIT_KINDS];
	u64 raw[ACCOUNT_RAW + 1]; /* the last: all above the range */
	u64 guest_ticks;	  /* time in the guest */
};

struct vm;
/* Print the table of a VM to the log: its vCPUs' sums, rows with a count only. */
void account_print(struct vm *vm);

#endif
