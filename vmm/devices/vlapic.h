/*
 * Local APIC: xAPIC by MMIO, x2APIC by MSRs (SDM "Advanced Programmable Interrupt Controller"). Its state is the
 * architectural 4 KiB register page, so that APIC virtualization can work on the same page. Pure.
 *
 * Who may touch what: the registers belong to the core that runs the vCPU, the owner. Its timer may fire on another
 * core; the device's lock guards what the two share, the timer's state and registers, and is taken by every function
 * here that says so. What decides on delivery (IRR, ISR, TMR, TPR) the timer never touches. Messages of others come by
 * vlapic_post(), which takes no lock (a local APIC that sends holds its own): they wait in atomic words until the owner
 * collects them.
 */
#ifndef VMM_DEVICES_LAPIC_H
#define VMM_DEVICES_LAPIC_H

#include "vmm/devices/apic.h"
#include "vmm/devices/apic_view.h"
#include "vmm/devices/bus.h"

/* The timer counts at this rate, before the divider. CPUID leaf 0x40000010 tells it to guests. */
#define LAPIC_TIMER_HZ 1000000000u

struct vlapic;

enum apic_shorthand { APIC_TO_DESTINATION, APIC_TO_SELF, APIC_TO_ALL, APIC_TO_OTHERS };

struct vlapic_wires {
	void *context;
	/* Send an IPI; called with the sender's lock held. apic_send() of vmm/devices/apic_bus.h does it. */
	void (*ipi)(void *context, struct vlapic *from, enum apic_shorthand to, const struct apic_message *message);
	/* A level-triggered interrupt has ended: tell the IOAPIC. By the owner, who may hold the lock. */
	void (*eoi)(void *context, u8 vector);
	/* Something was posted: the vCPU is to wake up or to leave the guest, and look. Any core. */
	void (*attention)(void *context, struct vlapic *lapic);
	/* The host's TSC when the guest's will be `tsc`; when that is past, now. For the TSC-deadline timer. */
	u64 (*host_tsc)(void *context, struct vlapic *lapic, u64 tsc);
};

/* What vlapic_take_signals() returns. */
#define LAPIC_SIGNAL_NMI     BIT(0)
#define LAPIC_SIGNAL_INIT    BIT(1)
#define LAPIC_SIGNAL_STARTUP BIT(2)
#define LAPIC_SIGNAL_SMI     BIT(3)
#define LAPIC_SIGNAL_EXTINT  BIT(4) /* the IOAPIC asks for an acknowledge cycle of the PIC */

struct vlapic {
	struct device device;
	const struct vlapic_wires *wires; /* constant */
	u32 *page;			 /* constant; the registers: owner, the timer's: lock */
	u32 id;				 /* constant */
	u32 address_bits;		 /* constant; physical, for the base MSR's reserved bits */
	u64 tsc_hz;			 /* constant; 0: no TSC-deadline timer */
	u64 base;			 /* owner; IA32_APIC_BASE; read by others atomically */
	/* owner; BIT(word) of IRR and of ISR: the others are empty. */
	u32 requested_words, service_words;
	u32 helped_words;		 /* constant; BIT(word) always in both: a processor that helps changes it */
	bool changed;			 /* owner; by us since the last view: such a processor does not know yet */
	u32 errors;			 /* owner; found since ESR was last written */
	u32 timer_mode, timer_divider;	 /* lock; in effect: a processor that helps changes the page before it tells */
	u64 tsc_deadline;		 /* lock; 0: not armed */
	u64 count_deadline_ns;		 /* lock; when the count comes to 0; ~0: it stands at 0 */
	struct device_timer timer;	 /* lock */
	u32 posted[8], posted_level[8];	 /* atomic: vectors, and which of them are level triggered */
	u32 signals;			 /* atomic: LAPIC_SIGNAL_* and one for illegal vectors */
	u32 startup_vector;		 /* atomic */
	u32 posted_words;		 /* atomic: BIT(word) of posted[], POSTED_SIGNAL: what is not empty */
};

/* `page`: 4 KiB, zeroed, kept by the caller. `boot`: this is the bootstrap processor's. */
void vlapic_init(struct vlapic *lapic, const struct device_services *services, const struct vlapic_wires *wires,
		 u32 *page, u32 id, bool boot, u32 address_bits, u64 tsc_hz);
/* State after power-up; vlapic_init_reset(): after an INIT, which keeps the base MSR. Lock taken. */
void vlapic_reset(struct vlapic *lapic);
void vlapic_init_reset(struct vlapic *lapic);
/*
 * As firmware leaves the bootstrap processor's: on, LINT0 from the PIC, LINT1 NMI (MP specification "Virtual Wire
 * Mode").
 */
void vlapic_virtual_wire(struct vlapic *lapic);

/* Whether an access to gpa is this local APIC's. Owner only. */
bool vlapic_covers(const struct vlapic *lapic, gpa_t gpa);
/* MMIO at an offset into the page. Lock taken. */
u64 vlapic_read(struct vlapic *lapic, u64 offset, u8 size);
void vlapic_write(struct vlapic *lapic, u64 offset, u8 size, u64 value);
/* IA32_APIC_BASE, IA32_TSC_DEADLINE and 0x800 to 0x8ff. False: #GP(0). Lock taken. */
bool vlapic_read_msr(struct vlapic *lapic, u32 msr, u64 *value);
/*
 * The same, and what it means for what waits: LAPIC_LOOK: it may be delivered now, or is to be shown to a processor
 * that helps. What is posted meanwhile calls for attention by itself. Lock taken where it is needed.
 */
enum lapic_write { LAPIC_FAULT, LAPIC_DONE, LAPIC_LOOK };
enum lapic_write vlapic_write_msr(struct vlapic *lapic, u32 msr, u64 value);
/* CR8 is bits 7:4 of TPR. Owner. */
u64 vlapic_get_cr8(const struct vlapic *lapic);
void vlapic_set_cr8(struct vlapic *lapic, u64 value);

/* A message has arrived for this local APIC. Any core, no lock. */
void vlapic_post(struct vlapic *lapic, const struct apic_message *message);
/* Whether a message's destination means it; any core. Disabled ones are never meant by a fixed interrupt. */
bool vlapic_is_target(const struct vlapic *lapic, const struct apic_message *message);

/*
 * Owner: whether something was posted, and collecting it: vectors into IRR and TMR; what else came
 * vlapic_take_signals() tells.
 */
static inline bool vlapic_has_posts(const struct vlapic *lapic)
{
	return __atomic_load_n(&lapic->posted_words, __ATOMIC_RELAXED);
}
void vlapic_collect(struct vlapic *lapic);
/* Owner: the vector that the processor may get now, of those collected; 0: none. */
u32 vlapic_pending(const struct vlapic *lapic);
/* Owner: that vector is in service from now on. Returns it. */
u8 vlapic_take(struct vlapic *lapic, u32 vector);
/* From now on a processor helps: it changes the page by itself. Before the first run. */
void vlapic_help(struct vlapic *lapic);
/* Owner: what a processor that helps is to know from now on, of what was collected. */
void vlapic_view(struct vlapic *lapic, struct apic_view *view);
/* Owner: whether the processor, to which nothing is new, has something to deliver now. */
bool vlapic_asks(const struct vlapic *lapic);
/*
 * Owner: such a processor has put what the guest wrote to the register at `offset` into the page, and nothing else was
 * done. Lock taken.
 */
void vlapic_written(struct vlapic *lapic, u32 offset);
/* Owner: it has ended a vector of view.level[]. */
void vlapic_ended(struct vlapic *lapic, u8 vector);
/* Owner: NMI, INIT, SIPI (with its vector) and so on that came since the last call. */
u32 vlapic_take_signals(struct vlapic *lapic, u8 *startup_vector);
/* Owner: whether an interrupt of the 8259 reaches this processor. */
bool vlapic_accepts_pic(const struct vlapic *lapic);

#endif
