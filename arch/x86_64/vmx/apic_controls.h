/*
 * Which controls help with a local APIC in a given state, and what follows from them (SDM "APIC Virtualization and
 * Virtual Interrupts"). Pure.
 */
#ifndef ARCH_VMX_APIC_CONTROLS_H
#define ARCH_VMX_APIC_CONTROLS_H

#include "arch/x86_64/vmx/controls.h"
#include "vmm/devices/apic_view.h"

/* Secondary controls that rest on the TPR shadow. */
#define APIC_CONTROLS                                                                                                  \
	(SECONDARY_APIC_ACCESS | SECONDARY_X2APIC | SECONDARY_APIC_REGISTER | SECONDARY_VIRTUAL_INTERRUPTS)

/* The APIC_CONTROLS to be on, out of those `offered`. */
u32 apic_controls(u32 offered, const struct apic_view *view);

#define X2APIC_MSR_FIRST 0x800u
#define X2APIC_MSR_LAST	 0x83fu
/*
 * Whether RDMSR or WRMSR of an MSR in that range may go without an exit: the processor then answers from the register
 * page, or works on it.
 */
bool apic_msr_reads_page(u32 controls, u32 msr);
bool apic_msr_writes_page(u32 controls, u32 msr);

/* The guest interrupt status: RVI in bits 7:0, SVI in 15:8 (SDM "Guest Non-Register State"). */
u16 apic_interrupt_status(const struct apic_view *view);
/* A quarter of the EOI-exit bitmap. */
u64 apic_eoi_exits(const struct apic_view *view, u32 quarter);
/* Whether there is a bit in any of them. */
bool apic_any_eoi_exits(const struct apic_view *view);
/* The TPR threshold; 0 where the processor finds out by itself what the TPR lets through. */
u32 apic_threshold(u32 controls, const struct apic_view *view);

#endif
