/* Between the files of guests/bench: how an operation is sampled, and the rows. */
#ifndef GUESTS_BENCH_BENCH_H
#define GUESTS_BENCH_BENCH_H

#include "guests/lib/guest.h"

#define WARM_UP 100
#define SAMPLES 1000

/* One sample: TSC ticks, of what is measured with its set-up, or of the set-up alone. */
typedef u32 (*sampler)(u64 argument);

/*
 * Prints the row: median, min and mean of `full` less the median of `empty`, which does all of the same but the
 * operation. The exiting instruction itself is thus included.
 */
void row(const char *operation, sampler full, sampler empty, u64 argument);
/* The same for what is net already. */
void row_net(const char *operation, sampler full, u64 argument);
/* A row that cannot be measured here. */
void no_row(const char *operation, const char *why);

#define CPUID1_ECX_X2APIC   BIT(21)
#define CPUID1_ECX_DEADLINE BIT(24)
#define CPUID1_ECX_XSAVE    BIT(26)

void bench_instructions(void); /* instructions.c */
void bench_interrupts(void);   /* interrupts.c */
void bench_memory(void);       /* memory.c */
void bench_fresh(void);	       /* memory.c: pages never touched, where they are backed on demand */

#endif
