/* The central dispatcher: one row a kind. A verdict says what happens next; nothing happens that no handler said. */
#include "vmm/exit.h"

#include "vmm/handlers.h"

#define OURS true /* not caused by the guest: counted apart */

const struct exit_row exit_table[EXIT_KINDS] = {
	[EXIT_INTERRUPT] = {"interrupt", handle_physical, OURS},
	[EXIT_SLICE] = {"slice", handle_slice, OURS},
	[EXIT_NMI] = {"nmi", handle_physical, OURS},
	[EXIT_MACHINE_CHECK] = {"machine-check", handle_physical, OURS},
	[EXIT_INTERRUPT_WINDOW] = {"interrupt-window", handle_window, false},
	[EXIT_NMI_WINDOW] = {"nmi-window", handle_window, false},
	[EXIT_CPUID] = {"cpuid", handle_cpuid, false},
	[EXIT_HLT] = {"hlt", handle_hlt, false},
	[EXIT_IO] = {"io", handle_io, false},
	[EXIT_MSR_READ] = {"rdmsr", handle_msr_read, false},
	[EXIT_MSR_WRITE] = {"wrmsr", handle_msr_write, false},
	[EXIT_CR] = {"control-register", handle_cr, false},
	[EXIT_DR] = {"debug-register", handle_dr, false},
	[EXIT_XSETBV] = {"xsetbv", handle_xsetbv, false},
	[EXIT_MEMORY] = {"memory", handle_memory, false},
	[EXIT_HYPERCALL] = {"hypercall", handle_hypercall, false},
	[EXIT_EXCEPTION] = {"exception", handle_exception, false},
	[EXIT_TASK_SWITCH] = {"task-switch", handle_task_switch, false},
	[EXIT_CACHE] = {"cache", handle_cache, false},
	[EXIT_PAUSE] = {"pause", handle_pause, false},
	[EXIT_MONITOR] = {"monitor", handle_undefined, false},
	[EXIT_UNDEFINED] = {"undefined", handle_undefined, false},
	[EXIT_DENIED] = {"denied", handle_denied, false},
	[EXIT_APIC] = {"apic", handle_apic, false},
	[EXIT_TRIPLE_FAULT] = {"triple-fault", handle_triple_fault, false},
	[EXIT_INIT] = {"init", handle_unexpected, false},
	[EXIT_ENTRY_FAILED] = {"entry-failed", handle_unexpected, false},
	[EXIT_UNKNOWN] = {"unknown", handle_unexpected, false},
};
