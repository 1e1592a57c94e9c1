/* Machine checks (SDM vol. 3 "Machine-Check Architecture"; APM vol. 2 "Machine Check Architecture"). */
#ifndef ARCH_CPU_MACHINE_CHECK_H
#define ARCH_CPU_MACHINE_CHECK_H

#include "lib/types.h"

/*
 * This core: report what the banks still hold from before, clear them, let all of them report. CR4.MCE is
 * cpu_init_core()'s.
 */
void machine_check_init_core(void);
/*
 * The #MC handler: logs the banks; panics unless the machine may go on. `rip`: what was interrupted, for the message.
 * Takes no lock.
 */
void machine_check_handle(u64 rip);

#endif
