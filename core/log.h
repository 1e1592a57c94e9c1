/*
 * The log: lines to every registered console. Consoles register here, so that core knows no driver.
 * Lines go through one ring; log_drain() moves it to the consoles off the exit path. log_flush() waits until all is
 * out.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdarg.h>
#include "lib/list.h"
#include "lib/types.h"

struct console {
	const char *name;
	/*
	 * Take up to n bytes without waiting; returns how many were taken (0: busy). Called under the log's console
	 * lock.
	 */
	size_t (*write)(struct console *console, const char *bytes, size_t n);
	/* One input byte, or -1 when there is none; NULL when the console has no input. */
	int (*read)(struct console *console);
	struct list link; /* log's console lock */
	u32 position;	  /* log's console lock: how far of the ring this console has written */
	bool stuck; /* log's console lock: took nothing for too long; not waited for until it takes something again */
};

/* A console gets all that the ring still holds, from the beginning. */
void console_register(struct console *console);
/* One input byte from any console, or -1. */
int console_read(void);

/* One line of the hypervisor (no newline in the text). Never waits, unless the ring is full. */
void log_line(const char *format, ...) PRINTF(1, 2);
/* One boot stage: number and name, so that a machine that hangs shows where. Prints "[NN] text". */
void log_stage(u32 number, const char *format, ...) PRINTF(2, 3);
/* A line "prefix| text" of a guest; text is sanitized (control bytes other than tab become '?'). */
void log_guest_line(const char *prefix, const char *text, size_t length);
/*
 * What stands in a line that its guest has not ended yet, or (`ends`) all of it: for the guest that owns the terminal,
 * whose control characters go through. Of `text`, `shown` bytes have been shown before; they are shown again when
 * another line came between. `prefix` tells lines apart by its address.
 */
void log_guest_part(const char *prefix, const char *text, size_t length, size_t shown, bool ends);
/* Move what the consoles take without waiting. True when something is left. Any core may call it. */
bool log_drain(void);
/* For log_waits(). Atomic: some console may not have everything. */
extern bool log_behind;
/* Whether log_drain() could find anything: for those who ask at each turn of a loop. */
static inline bool log_waits(void)
{
	return __atomic_load_n(&log_behind, __ATOMIC_ACQUIRE);
}
/* Wait until every console has all; each wait is bounded. For panic and power-off. */
void log_flush(void);

/*
 * On (as it is at boot): every line is written out before the call returns, so that a machine that hangs shows its last
 * line. Off: log_drain() does it later. Set by the boot core when start-up is over.
 */
void log_direct(bool on);
/*
 * From now on no lock is waited for without end: whoever holds it may have been stopped. For panic; there is no way
 * back.
 */
void log_emergency(void);
/*
 * A line from an NMI or #MC handler, which may have interrupted a holder of the log's lock: lost when the lock is not
 * had soon. False: lost.
 */
bool log_urgent(const char *format, ...) PRINTF(1, 2);

#endif
