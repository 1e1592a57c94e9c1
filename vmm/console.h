/* A guest's output, made into "name| line" in the log. One ring per VM, filled on the exit path, drained off it. */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include "lib/types.h"

struct vm;
struct vm_console;

struct vm_console *vm_console_create(struct vm *vm);
void vm_console_destroy(struct vm_console *console);
/*
 * A guest printed bytes (debug port, UART, hypercall). Any core that runs a vCPU of the VM. Never waits; complete lines
 * go out soon.
 */
void vm_console_write(struct vm_console *console, const char *bytes, size_t n);
/* Move complete lines of every VM to the log. Any core, off the exit path. */
void vm_console_drain_all(void);
/* For vm_console_waits(). Atomic: some console may hold something. */
extern bool vm_console_filled;
/* Whether vm_console_drain_all() could find anything. */
static inline bool vm_console_waits(void)
{
	return __atomic_load_n(&vm_console_filled, __ATOMIC_SEQ_CST);
}
/* All that is left, complete or not: when the VM ends. */
void vm_console_finish(struct vm_console *console);

#endif
