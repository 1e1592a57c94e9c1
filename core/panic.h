/* The hypervisor's own broken invariant: print, stop every core, halt. A guest's mistake never comes here. */
#ifndef CORE_PANIC_H
#define CORE_PANIC_H

#include "lib/types.h"

/* The launcher ends a run when it sees this text at the start of a line. */
#define PANIC_LINE "*** Trivisor panic:"

NORETURN void panic(const char *format, ...) PRINTF(1, 2);

#define ASSERT(condition)                                                                     \
	do {                                                                                  \
		if (UNLIKELY(!(condition)))                                                   \
			panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition); \
	} while (0)

#endif
