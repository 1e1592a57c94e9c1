/* Physical interrupts: who handles which vector. They arrive in guest mode (as VM exits) and in the idle halt only. */
#ifndef ARCH_CPU_IRQ_H
#define ARCH_CPU_IRQ_H

#include "lib/types.h"

typedef void (*irq_handler_t)(u8 vector);

/* Set at boot by the core that owns the start-up; constant once all cores run. */
void irq_register(u8 vector, irq_handler_t handler);
/*
 * Call the vector's handler and signal EOI. For the IDT stubs and for an engine that acknowledged the interrupt at the
 * exit.
 */
void irq_dispatch(u8 vector);
/*
 * For an engine whose guest was left by an NMI: run the host's NMI handler, on this stack, and execute an IRET, which
 * unblocks the NMIs that the exit left blocked (SDM vol. 3 "Handling Multiple NMIs").
 */
void nmi_handle_exit(void);
/* Likewise for a machine check that a VM entry met: logs, and panics when it is not recoverable. */
void mce_handle_exit(void);

#endif
