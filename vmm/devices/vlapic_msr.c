/* The local APIC by MSRs: IA32_APIC_BASE, x2APIC mode, IA32_TSC_DEADLINE (SDM "Extended XAPIC (x2APIC)"). */
#include "vmm/devices/vlapic_page.h"

#define MSR_BASE     0x1bu
#define MSR_DEADLINE 0x6e0u
#define MSR_X2_FIRST 0x800u
#define MSR_X2_LAST  0x8ffu
#define MSR_X2_EOI   (MSR_X2_FIRST + (LAPIC_EOI >> 4))
#define MSR_SELF_IPI (MSR_X2_FIRST + (LAPIC_SELF_IPI >> 4))

#define ICR_RESERVED	(~(0xffffffff00000000ull | 0x000ccfffull))
#define PAGE_MASK	(LAPIC_SIZE - 1)

static u32 x2_offset(u32 msr)
{
	return (msr - MSR_X2_FIRST) << 4;
}

/* DFR and the upper half of ICR do not exist in x2APIC mode, nor do APR and RRD. */
static bool exists_in_x2(u32 offset)
{
	return offset != LAPIC_DFR && offset != LAPIC_ICR_HIGH && offset != LAPIC_APR && offset != LAPIC_RRD;
}

static bool read_x2(struct vlapic *lapic, u32 offset, u64 *value)
{
	if (!vlapic_is_x2(lapic) || !exists_in_x2(offset) || !vlapic_readable(offset))
		return false;
	*value = vlapic_read_register(lapic, offset);
	if (offset == LAPIC_ICR)
		*value |= (u64)vlapic_get(lapic, LAPIC_ICR + 4) << 32;
	return true;
}

static bool write_icr(struct vlapic *lapic, u64 value)
{
	if (value & ICR_RESERVED)
		return false;
	vlapic_set(lapic, LAPIC_ICR, (u32)value);
	vlapic_set(lapic, LAPIC_ICR + 4, (u32)(value >> 32));
	vlapic_send_ipi(lapic, value);
	return true;
}

static bool write_plain(struct vlapic *lapic, u32 offset, u64 value)
{
	u32 writable = vlapic_writable(lapic, offset);

	if (!writable || offset == LAPIC_LDR || !exists_in_x2(offset) ||
	    value & ~(u64)(writable | vlapic_read_only(offset)))
		return false;
	vlapic_write_register(lapic, offset, (u32)value & writable);
	return true;
}

/*
 * Reserved bits are #GP here, read-only ones are not; so is ESR with anything but 0, and the LDR, which is read-only.
 */
static bool set_x2(struct vlapic *lapic, u32 offset, u64 value)
{
	if (!vlapic_is_x2(lapic))
		return false;
	switch (offset) {
	case LAPIC_ICR:
		return write_icr(lapic, value);
	case LAPIC_ESR:
		return !value && write_plain(lapic, offset, 0);
	default:
		return write_plain(lapic, offset, value);
	}
}

/* LINT0 and SVR decide on the PIC's interrupts as well. */
static enum lapic_write write_x2(struct vlapic *lapic, u32 offset, u64 value)
{
	if (!set_x2(lapic, offset, value))
		return LAPIC_FAULT;
	return offset == LAPIC_LVT_LINT0 || offset == LAPIC_SVR || lapic->requested_words ? LAPIC_LOOK : LAPIC_DONE;
}

/* x2APIC mode begins with the ID in its full width and the logical ID made from it. */
static void enter_x2(struct vlapic *lapic)
{
	vlapic_set(lapic, LAPIC_ID, lapic->id);
	vlapic_set(lapic, LAPIC_LDR, (lapic->id >> 4) << 16 | 1u << (lapic->id & 15));
	vlapic_set(lapic, LAPIC_ICR + 4, 0);
}

/* SDM "x2APIC State Transitions": off, xAPIC and x2APIC; not from off to x2APIC, nor from x2APIC back to xAPIC. */
static bool write_base(struct vlapic *lapic, u64 value)
{
	u64 now = lapic->base, reserved = ~(BITS(lapic->address_bits - 1, 12) | BASE_EN | BASE_EXTD | BASE_BSP);
	u64 mode = value & (BASE_EN | BASE_EXTD), old = now & (BASE_EN | BASE_EXTD);

	if (value & reserved || mode == BASE_EXTD)
		return false;
	if ((old == (BASE_EN | BASE_EXTD) && mode == BASE_EN) || (!old && mode == (BASE_EN | BASE_EXTD)))
		return false;
	__atomic_store_n(&lapic->base, (value & ~BASE_BSP) | (now & BASE_BSP), __ATOMIC_RELAXED);
	lapic->changed = true;
	if (old && !mode)
		vlapic_power_up(lapic);
	else if (mode & BASE_EXTD && !(old & BASE_EXTD))
		enter_x2(lapic);
	return true;
}

static bool read_msr(struct vlapic *lapic, u32 msr, u64 *value)
{
	if (msr == MSR_DEADLINE && lapic->tsc_hz) {
		*value = lapic->tsc_deadline;
		return true;
	}
	return msr >= MSR_X2_FIRST && msr <= MSR_X2_LAST && read_x2(lapic, x2_offset(msr), value);
}

/* A deadline changes nothing of what waits now; its end calls for attention by itself. */
static enum lapic_write write_msr(struct vlapic *lapic, u32 msr, u64 value)
{
	if (msr == MSR_DEADLINE && lapic->tsc_hz) {
		vlapic_timer_set_deadline(lapic, value);
		return LAPIC_DONE;
	}
	if (msr >= MSR_X2_FIRST && msr <= MSR_X2_LAST)
		return write_x2(lapic, x2_offset(msr), value);
	return msr == MSR_BASE && write_base(lapic, value) ? LAPIC_LOOK : LAPIC_FAULT;
}

/* Only its owner writes the base: it needs no lock to read it. */
bool vlapic_read_msr(struct vlapic *lapic, u32 msr, u64 *value)
{
	bool valid;

	if (msr == MSR_BASE) {
		*value = lapic->base;
		return true;
	}
	lock_acquire(&lapic->device.lock);
	valid = read_msr(lapic, msr, value);
	lock_release(&lapic->device.lock);
	return valid;
}

static enum lapic_write __attribute__((noinline)) write_locked(struct vlapic *lapic, u32 msr, u64 value)
{
	enum lapic_write written;

	lock_acquire(&lapic->device.lock);
	written = write_msr(lapic, msr, value);
	lock_release(&lapic->device.lock);
	return written;
}

/* The two registers of each interrupt come first: they are its owner's alone. */
enum lapic_write vlapic_write_msr(struct vlapic *lapic, u32 msr, u64 value)
{
	if (msr == MSR_X2_EOI && vlapic_is_x2(lapic))
		return vlapic_write_eoi(lapic, value);
	if (msr == MSR_SELF_IPI && vlapic_is_x2(lapic))
		return vlapic_write_self_ipi(lapic, value);
	return write_locked(lapic, msr, value);
}
