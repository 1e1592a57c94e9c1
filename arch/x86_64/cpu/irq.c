#include "arch/x86_64/cpu/irq.h"
#include "arch/x86_64/cpu/lapic.h"
#include "core/log.h"
#include "core/percpu.h"

static irq_handler_t handlers[256]; /* written at boot only */
static bool named[256];		    /* atomic: that nobody handles the vector has been said once */

void irq_register(u8 vector, irq_handler_t handler)
{
	handlers[vector] = handler;
}

void irq_dispatch(u8 vector)
{
	if (vector == HOST_VECTOR_SPURIOUS)
		return; /* sets no in-service bit: no EOI (SDM vol. 3 "Spurious Interrupt") */
	if (handlers[vector])
		handlers[vector](vector);
	else if (!__atomic_exchange_n(&named[vector], true, __ATOMIC_RELAXED))
		log_line("core %u: interrupt vector 0x%02x has no handler; ignored from now on", this_core()->index,
			 vector);
	lapic_eoi();
}
