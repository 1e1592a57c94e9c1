/* The hypervisor's own broken invariant: print, stop every core, halt. A guest's mistake never comes here. */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

#include "lib/types.h"

/* The launcher ends a run when it sees this text at the start of a line. */
#define PANIC_LINE "*** Trivisor panic:"

/* What panic() needs of the architecture, which registers it: core knows none. Any of them may be missing (NULL). */
struct panic_ops {
	u32 (*core)(void);	   /* index of this core */
	void (*stop_others)(void); /* returns when they stand still, or after a bounded wait */
	void (*backtrace)(void);   /* log the callers */
	NORETURN void (*halt)(void);
};
void panic_set_ops(const struct panic_ops *ops);

/*
 * Log the backtrace and, last, PANIC_LINE with the core and the text. The first core that panics speaks; others halt.
 */
NORETURN void panic(const char *format, ...) PRINTF(1, 2);

#define ASSERT(condition)                                                                     \
	do {                                                                                  \
		if (UNLIKELY(!(condition)))                                                   \
			panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition); \
	} while (0)

#endif
