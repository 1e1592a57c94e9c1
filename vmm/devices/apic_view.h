/*
 * A local APIC whose work the processor does in part, on the same register page as we do (vmm/devices/vlapic.h): what
 * it does, and what it is shown of the rest (SDM "APIC Virtualization and Virtual Interrupts"; APM vol. 2 "Virtualizing
 * the Local APIC").
 */
#ifndef VMM_DEVICES_APIC_VIEW_H
#define VMM_DEVICES_APIC_VIEW_H

#include "lib/types.h"

/* Where the registers are after a reset, and the only place where a processor helps with them by MMIO. */
#define LAPIC_ADDRESS 0xfee00000ull
#define LAPIC_SIZE    0x1000u

/* The guest changes the task priority by CR8 without an exit; after each exit the page has what it set. */
#define APIC_ASSIST_TPR	     BIT(0)
/*
 * While the local APIC is enabled, what is in IRR is delivered, and put in service, by the processor: nobody injects
 * it.
 */
#define APIC_ASSIST_DELIVERY BIT(1)

/* How the guest reaches the registers. */
enum apic_access {
	APIC_ACCESS_NONE, /* it does not, or by MMIO elsewhere than at LAPIC_ADDRESS */
	APIC_ACCESS_MMIO,
	APIC_ACCESS_MSR, /* x2APIC mode */
};

struct apic_view {
	enum apic_access access;
	bool enabled; /* by IA32_APIC_BASE and the spurious-interrupt register */
	u8 tpr;
	u8 requested;	/* the highest vector in IRR; 0: none, or it is not enabled */
	u8 in_service;	/* the highest vector in ISR; 0: none */
	u8 threshold;	/* the class (vector / 16) of an interrupt that TPR alone keeps waiting; 0: there is none */
	/* Vectors whose EOI somebody waits for, level-triggered ones: eight words of the page, APIC_WORD apart. */
	const u32 *level;
};

#define APIC_WORD 4u

/* Whether what is requested may be delivered now (SDM "Task and Processor Priorities"). */
static inline bool apic_view_asks(const struct apic_view *view)
{
	u8 class = view->requested >> 4;

	return class > view->in_service >> 4 && class > view->tpr >> 4;
}

#endif
