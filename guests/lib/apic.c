/* The local APIC by its memory-mapped registers. (SDM "Advanced Programmable Interrupt Controller (APIC)") */
#include "guests/lib/guest.h"

#define APIC_BASE      0xfee00000u
#define CPUID1_EDX_APIC BIT(9)
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
