/*
 * Inside the local APIC: its register page by the SDM's offsets, and what its files ask of each other. Only for
 * lapic*.c.
 */
#ifndef VMM_DEVICES_LAPIC_PAGE_H
#define VMM_DEVICES_LAPIC_PAGE_H

#include "vmm/devices/vlapic.h"

#define LAPIC_ID	  0x020u
#define LAPIC_VERSION	  0x030u
#define LAPIC_TPR	  0x080u
#define LAPIC_APR	  0x090u
#define LAPIC_PPR	  0x0a0u
#define LAPIC_EOI	  0x0b0u
#define LAPIC_RRD	  0x0c0u
#define LAPIC_LDR	  0x0d0u
#define LAPIC_DFR	  0x0e0u
#define LAPIC_SVR	  0x0f0u
#define LAPIC_ISR	  0x100u /* eight words each, 16 bytes apart */
#define LAPIC_TMR	  0x180u
#define LAPIC_IRR	  0x200u
#define LAPIC_ESR	  0x280u
#define LAPIC_ICR	  0x300u
#define LAPIC_ICR_HIGH	  0x310u /* xAPIC; x2APIC has all 64 bits at LAPIC_ICR */
#define LAPIC_LVT_TIMER	  0x320u
#define LAPIC_LVT_THERMAL 0x330u
#define LAPIC_LVT_PERF	  0x340u
#define LAPIC_LVT_LINT0	  0x350u
#define LAPIC_LVT_LINT1	  0x360u
#define LAPIC_LVT_ERROR	  0x370u
#define LAPIC_TIMER_COUNT 0x380u
#define LAPIC_TIMER_NOW	  0x390u
#define LAPIC_TIMER_DIV	  0x3e0u
#define LAPIC_SELF_IPI	  0x3f0u /* x2APIC only */

#define SVR_ENABLE	 BIT(8)
#define LVT_MASKED	 BIT(16)
#define LVT_VECTOR	 0xffu
#define LVT_DELIVERY(v)	 ((enum apic_delivery)((v) >> 8 & 7))
#define LVT_TIMER_MODE(v) ((v) >> 17 & 3)
#define TIMER_ONE_SHOT	 0u
#define TIMER_PERIODIC	 1u
#define TIMER_DEADLINE	 2u

#define BASE_BSP     BIT(8)
#define BASE_EXTD    BIT(10)
#define BASE_EN	     BIT(11)

#define ESR_SEND_VECTOR	   BIT(5)
#define ESR_RECEIVE_VECTOR BIT(6)
#define ESR_REGISTER	   BIT(7)

/* In posted_words, beside BIT(0) to BIT(7). */
#define POSTED_SIGNAL BIT(8)

/* In signals, beside LAPIC_SIGNAL_*: a fixed interrupt below vector 16 was received. */
#define LAPIC_SIGNAL_BAD_VECTOR BIT(31)

/*
 * Registers are read by other cores (destination matching) and by the CPU (APIC virtualization): whole words at a time.
 */
static inline u32 vlapic_get(const struct vlapic *lapic, u32 offset)
{
	return __atomic_load_n(&lapic->page[offset / 4], __ATOMIC_RELAXED);
}

static inline void vlapic_set(struct vlapic *lapic, u32 offset, u32 value)
{
	__atomic_store_n(&lapic->page[offset / 4], value, __ATOMIC_RELAXED);
}

static inline u64 vlapic_base(const struct vlapic *lapic)
{
	return __atomic_load_n(&lapic->base, __ATOMIC_RELAXED);
}

static inline bool vlapic_is_x2(const struct vlapic *lapic)
{
	return vlapic_base(lapic) & BASE_EXTD;
}

/* By the base MSR and the spurious-interrupt register. */
static inline bool vlapic_is_enabled(const struct vlapic *lapic)
{
	return vlapic_base(lapic) & BASE_EN && vlapic_get(lapic, LAPIC_SVR) & SVR_ENABLE;
}

/* All with the lock held. */
u32 vlapic_read_register(struct vlapic *lapic, u32 offset);
void vlapic_write_register(struct vlapic *lapic, u32 offset, u32 value);
/* The bits of a register that can be written; 0: none, or no such register. */
u32 vlapic_writable(const struct vlapic *lapic, u32 offset);
/* Bits of a register that can be written that are read-only, and not reserved. */
u32 vlapic_read_only(u32 offset);
bool vlapic_readable(u32 offset);
void vlapic_power_up(struct vlapic *lapic);
void vlapic_send_ipi(struct vlapic *lapic, u64 icr);
void vlapic_error(struct vlapic *lapic, u32 bit);
/* PPR is made of TPR and ISR whenever it is asked for: a processor that helps changes both behind our back. */
u32 vlapic_ppr(const struct vlapic *lapic);
/* Deliver by an LVT entry, unless it is masked. */
void vlapic_local_interrupt(struct vlapic *lapic, u32 lvt);

void vlapic_timer_init(struct vlapic *lapic);
void vlapic_timer_stop(struct vlapic *lapic);
void vlapic_timer_set_count(struct vlapic *lapic, u32 count);
u32 vlapic_timer_count(struct vlapic *lapic);
void vlapic_timer_set_divider(struct vlapic *lapic, u32 value);
void vlapic_timer_set_lvt(struct vlapic *lapic, u32 value);
void vlapic_timer_set_deadline(struct vlapic *lapic, u64 tsc);

/* As vlapic_write_msr(), of x2APIC mode's registers; without the lock. EOI with anything but 0 is #GP. */
enum lapic_write vlapic_write_eoi(struct vlapic *lapic, u64 value);
enum lapic_write vlapic_write_self_ipi(struct vlapic *lapic, u64 value);

#endif
