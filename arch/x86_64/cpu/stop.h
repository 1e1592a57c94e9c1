/* Stopping the machine: for panic, and for cores that are not fit. */
#ifndef ARCH_CPU_STOP_H
#define ARCH_CPU_STOP_H

#include "lib/types.h"

/* Register with core/panic.h what it needs of this architecture. */
void stop_register(void);
/* From the NMI handler: does not return when this core has been told to stop. */
void stop_if_told(void);
NORETURN void stop_here(void);

#endif
