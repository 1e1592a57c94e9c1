/*
 * The local APIC by its memory-mapped registers, and in x2APIC mode as far as needed. (SDM "Advanced Programmable
 * Interrupt Controller (APIC)")
 */
#include "guests/lib/guest.h"

#define APIC_BASE      0xfee00000u
#define CPUID1_EDX_APIC BIT(9)
#define MSR_APIC_BASE  0x1bu
#define APIC_BASE_EXTD BIT(10)
#define MSR_X2APIC     0x800u /* and a sixteenth of a register's offset */
#define LVT_DEADLINE   0x40000u
#define LVT_MASKED     0x10000u
#define SVR_ENABLE     0x100u
#define SPURIOUS       0xff

bool apic_there(void)
{
	return cpuid(1, 0).edx & CPUID1_EDX_APIC;
}

u32 apic_read(u32 offset)
{
	return *(volatile u32 *)(word)(APIC_BASE + offset);
}

void apic_write(u32 offset, u32 value)
{
	*(volatile u32 *)(word)(APIC_BASE + offset) = value;
}

void apic_enable(void)
{
	apic_write(APIC_SVR, SVR_ENABLE | SPURIOUS);
	apic_write(APIC_TPR, 0);
}

bool apic_bit(u32 registers, u8 vector)
{
	return apic_read(registers + vector / 32 * 0x10u) >> vector % 32 & 1;
}

void x2apic_enable(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_EXTD);
	wrmsr(MSR_X2APIC + APIC_SVR / 16, SVR_ENABLE | SPURIOUS);
	wrmsr(MSR_X2APIC + APIC_TPR / 16, 0);
}

void x2apic_timer_deadline(u8 vector, bool masked)
{
	wrmsr(MSR_X2APIC + APIC_LVT_TIMER / 16, LVT_DEADLINE | (masked ? LVT_MASKED : 0) | vector);
	__asm__ volatile("mfence" : : : "memory"); /* SDM "TSC-Deadline Mode": before the first write of the deadline */
}
