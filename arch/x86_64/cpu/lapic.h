/*
 * The physical local APIC, in whichever mode firmware left it (x2APIC is never left; xAPIC becomes x2APIC when the CPU
 * has it).
 */
#ifndef ARCH_CPU_LAPIC_H
#define ARCH_CPU_LAPIC_H

#include "lib/types.h"

/* Vectors of our own interrupts. */
enum host_vector {
	HOST_VECTOR_TIMER = 0xf0,
	HOST_VECTOR_KICK = 0xf1,     /* look at your flags: reschedule, flush, stop */
	HOST_VECTOR_SPURIOUS = 0xff, /* low four bits set, as the P6 wanted */
};

/*
 * Prepare this core's APIC: enabled, spurious vector, LVT masked, timer vector set but not armed. Needs the base root
 * and tsc_hz; boot core first.
 */
void lapic_init(void);
u32 lapic_id(void);
void lapic_eoi(void);
/* A fixed IPI to one core by its APIC ID; physical destination. Bounded wait for the previous one in xAPIC mode. */
void lapic_ipi(u32 apic_id, u8 vector);
void lapic_nmi(u32 apic_id);
void lapic_init_ipi(u32 apic_id);
void lapic_startup_ipi(u32 apic_id, u8 page);
/* Whether an IPI can name this core: xAPIC mode has 8 bits, of which 255 means all. */
bool lapic_reaches(u32 apic_id);
/*
 * Interrupt this core by HOST_VECTOR_TIMER when its TSC reaches `deadline` (TSC-deadline mode, else one-shot); at once
 * when that is past. ~0: never. The one-shot timer may fire early (32 bits, rounding): the handler looks at the clock
 * and arms again.
 */
void lapic_timer(u64 deadline);

#endif
