/* Local APIC: registers, reset, MMIO, sending IPIs. */
#include "vmm/devices/vlapic_page.h"
#include "lib/string.h"

#define VERSION	      (0x14u | 5u << 16) /* integrated, six LVT entries, EOI broadcast cannot be suppressed */
#define REGISTERS     64u
#define DFR_ONES      0x0fffffffu
#define SVR_RESET     0xffu
#define ID_SHIFT      24u
#define ICR_LOGICAL   BIT(11)
#define ICR_ASSERT    BIT(14)
#define ICR_SHORTHAND(v) ((enum apic_shorthand)((v) >> 18 & 3))
#define BASE_DEFAULT  LAPIC_ADDRESS

#define READ BIT(0)

#define DELIVERY_STATUS BIT(12)
#define REMOTE_IRR	BIT(14)

/*
 * Every register of the page by its number (offset / 16): whether it can be read, which bits can be written, and which
 * others are read-only: what is written there is ignored in x2APIC mode too, where reserved bits fault.
 */
struct vlapic_register {
	u32 flags, writable, read_only;
};

static const struct vlapic_register registers[REGISTERS] = {
	[LAPIC_ID >> 4] = {READ, 0},
	[LAPIC_VERSION >> 4] = {READ, 0},
	[LAPIC_TPR >> 4] = {READ, 0xff},
	[LAPIC_APR >> 4] = {READ, 0},
	[LAPIC_PPR >> 4] = {READ, 0},
	[LAPIC_EOI >> 4] = {0, 0xffffffff},
	[LAPIC_RRD >> 4] = {READ, 0},
	[LAPIC_LDR >> 4] = {READ, 0xff000000},
	[LAPIC_DFR >> 4] = {READ, 0xf0000000},
	[LAPIC_SVR >> 4] = {READ, 0x1ff},
	[LAPIC_ISR >> 4] = {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0},
	[LAPIC_TMR >> 4] = {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0},
	[LAPIC_IRR >> 4] = {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0}, {READ, 0},
	[LAPIC_ESR >> 4] = {READ, 0xffffffff},
	[LAPIC_ICR >> 4] = {READ, 0x000ccfff},
	[LAPIC_ICR_HIGH >> 4] = {READ, 0xff000000},
	[LAPIC_LVT_TIMER >> 4] = {READ, 0x000700ff, (u32)DELIVERY_STATUS},
	[LAPIC_LVT_THERMAL >> 4] = {READ, 0x000107ff, (u32)DELIVERY_STATUS},
	[LAPIC_LVT_PERF >> 4] = {READ, 0x000107ff, (u32)DELIVERY_STATUS},
	[LAPIC_LVT_LINT0 >> 4] = {READ, 0x0001a7ff, (u32)(DELIVERY_STATUS | REMOTE_IRR)},
	[LAPIC_LVT_LINT1 >> 4] = {READ, 0x0001a7ff, (u32)(DELIVERY_STATUS | REMOTE_IRR)},
	[LAPIC_LVT_ERROR >> 4] = {READ, 0x000100ff, (u32)DELIVERY_STATUS},
	[LAPIC_TIMER_COUNT >> 4] = {READ, 0xffffffff},
	[LAPIC_TIMER_NOW >> 4] = {READ, 0},
	[LAPIC_TIMER_DIV >> 4] = {READ, 0xb},
};

static const u32 lvt_offsets[] = {
	LAPIC_LVT_TIMER, LAPIC_LVT_THERMAL, LAPIC_LVT_PERF, LAPIC_LVT_LINT0, LAPIC_LVT_LINT1, LAPIC_LVT_ERROR,
};

bool vlapic_readable(u32 offset)
{
	return offset < LAPIC_SIZE && offset / 16 < REGISTERS && registers[offset / 16].flags & READ;
}

u32 vlapic_writable(const struct vlapic *lapic, u32 offset)
{
	u32 writable = offset / 16 < REGISTERS ? registers[offset / 16].writable : 0;

	/* Without the TSC-deadline timer its mode bit is reserved. */
	return offset == LAPIC_LVT_TIMER && !lapic->tsc_hz ? writable & ~(u32)BIT(18) : writable;
}

u32 vlapic_read_only(u32 offset)
{
	return offset / 16 < REGISTERS ? registers[offset / 16].read_only : 0;
}

static void set_id(struct vlapic *lapic)
{
	vlapic_set(lapic, LAPIC_ID, vlapic_is_x2(lapic) ? lapic->id : lapic->id << ID_SHIFT);
}

/* SDM "Local APIC State After Power-Up or Reset". */
void vlapic_power_up(struct vlapic *lapic)
{
	vlapic_timer_stop(lapic);
	memset(lapic->page, 0, LAPIC_SIZE);
	lapic->requested_words = lapic->service_words = lapic->helped_words;
	lapic->changed = true;
	lapic->errors = lapic->timer_mode = lapic->timer_divider = 0;
	for (u32 i = 0; i < 8; i++)
		__atomic_store_n(&lapic->posted[i], 0, __ATOMIC_RELAXED);
	set_id(lapic);
	vlapic_set(lapic, LAPIC_VERSION, VERSION);
	vlapic_set(lapic, LAPIC_DFR, 0xffffffff);
	vlapic_set(lapic, LAPIC_SVR, SVR_RESET);
	for (u32 i = 0; i < ARRAY_SIZE(lvt_offsets); i++)
		vlapic_set(lapic, lvt_offsets[i], (u32)LVT_MASKED);
}

static void reset_op(struct device *device)
{
	struct vlapic *lapic = CONTAINER_OF(device, struct vlapic, device);

	__atomic_store_n(&lapic->base, BASE_DEFAULT | BASE_EN | (lapic->base & BASE_BSP), __ATOMIC_RELAXED);
	__atomic_store_n(&lapic->signals, 0, __ATOMIC_RELAXED);
	vlapic_power_up(lapic);
}

void vlapic_reset(struct vlapic *lapic)
{
	lock_acquire(&lapic->device.lock);
	reset_op(&lapic->device);
	lock_release(&lapic->device.lock);
}

void vlapic_init_reset(struct vlapic *lapic)
{
	lock_acquire(&lapic->device.lock);
	vlapic_power_up(lapic);
	/* In x2APIC mode the logical ID is made from the ID and outlives the INIT. */
	if (vlapic_is_x2(lapic))
		vlapic_set(lapic, LAPIC_LDR, (lapic->id >> 4) << 16 | 1u << (lapic->id & 15));
	lock_release(&lapic->device.lock);
}

static const struct device_ops vlapic_ops = {.name = "lapic", .reset = reset_op};

void vlapic_init(struct vlapic *lapic, const struct device_services *services, const struct vlapic_wires *wires,
		 u32 *page, u32 id, bool boot, u32 address_bits, u64 tsc_hz)
{
	*lapic = (struct vlapic){
		.device = {.ops = &vlapic_ops, .services = services},
		.wires = wires,
		.page = page,
		.id = id,
		.address_bits = address_bits,
		.tsc_hz = tsc_hz,
		.base = boot ? BASE_BSP : 0,
	};
	vlapic_timer_init(lapic);
	vlapic_reset(lapic);
}

void vlapic_virtual_wire(struct vlapic *lapic)
{
	lock_acquire(&lapic->device.lock);
	vlapic_set(lapic, LAPIC_SVR, SVR_RESET | (u32)SVR_ENABLE);
	vlapic_set(lapic, LAPIC_LVT_LINT0, APIC_EXTINT << 8);
	vlapic_set(lapic, LAPIC_LVT_LINT1, APIC_NMI << 8);
	lock_release(&lapic->device.lock);
}

bool vlapic_covers(const struct vlapic *lapic, gpa_t gpa)
{
	u64 base = vlapic_base(lapic);

	return (base & (BASE_EN | BASE_EXTD)) == BASE_EN && (gpa ^ base) < LAPIC_SIZE;
}

/*
 * SDM "Interrupt Command Register (ICR)": what is sent, to whom; `icr` in the x2APIC layout, the destination in bits
 * 63:32.
 */
void vlapic_send_ipi(struct vlapic *lapic, u64 icr)
{
	struct apic_message message = {
		.destination = (u32)(icr >> 32),
		.logical = icr & ICR_LOGICAL,
		.delivery = (enum apic_delivery)(icr >> 8 & 7),
		.vector = (u8)icr,
	};

	/* An INIT level de-assert once synchronized arbitration IDs; processors since have nothing to do for it. */
	if (message.delivery == APIC_INIT && !(icr & ICR_ASSERT))
		return;
	if (message.delivery <= APIC_LOWEST && message.vector < 16) {
		vlapic_error(lapic, ESR_SEND_VECTOR);
		return;
	}
	lapic->wires->ipi(lapic->wires->context, lapic, ICR_SHORTHAND(icr), &message);
}

/* Software-disabled, all LVT entries are masked and stay so. */
static void write_svr(struct vlapic *lapic, u32 value)
{
	vlapic_set(lapic, LAPIC_SVR, value);
	if (value & SVR_ENABLE)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(lvt_offsets); i++)
		vlapic_set(lapic, lvt_offsets[i], vlapic_get(lapic, lvt_offsets[i]) | (u32)LVT_MASKED);
}

static void write_lvt(struct vlapic *lapic, u32 offset, u32 value)
{
	if (!(vlapic_get(lapic, LAPIC_SVR) & SVR_ENABLE))
		value |= (u32)LVT_MASKED;
	if (offset == LAPIC_LVT_TIMER)
		vlapic_timer_set_lvt(lapic, value);
	else
		vlapic_set(lapic, offset, value);
}

static bool is_lvt(u32 offset)
{
	return offset >= LAPIC_LVT_TIMER && offset <= LAPIC_LVT_ERROR;
}

/* SDM "Error Handling": a write makes visible what was found since the last one. */
static void write_esr(struct vlapic *lapic)
{
	vlapic_set(lapic, LAPIC_ESR, lapic->errors);
	lapic->errors = 0;
}

static u64 xapic_icr(const struct vlapic *lapic)
{
	u32 low = vlapic_get(lapic, LAPIC_ICR), high = vlapic_get(lapic, LAPIC_ICR_HIGH);

	return (u64)apic_destination(high >> ID_SHIFT) << 32 | low;
}

/* `value` holds writable bits only. In x2APIC mode the ICR comes by vlapic_msr.c. */
void vlapic_write_register(struct vlapic *lapic, u32 offset, u32 value)
{
	lapic->changed = true;
	switch (offset) {
	case LAPIC_EOI:
		(void)vlapic_write_eoi(lapic, 0);
		break;
	case LAPIC_TPR:
		vlapic_set(lapic, LAPIC_TPR, value);
		break;
	case LAPIC_DFR:
		vlapic_set(lapic, LAPIC_DFR, value | DFR_ONES);
		break;
	case LAPIC_SVR:
		write_svr(lapic, value);
		break;
	case LAPIC_ESR:
		write_esr(lapic);
		break;
	case LAPIC_ICR:
		vlapic_set(lapic, LAPIC_ICR, value);
		vlapic_send_ipi(lapic, xapic_icr(lapic));
		break;
	case LAPIC_TIMER_COUNT:
		vlapic_timer_set_count(lapic, value);
		break;
	case LAPIC_TIMER_DIV:
		vlapic_timer_set_divider(lapic, value);
		break;
	default:
		if (is_lvt(offset))
			write_lvt(lapic, offset, value);
		else
			vlapic_set(lapic, offset, value);
		break;
	}
}

u32 vlapic_read_register(struct vlapic *lapic, u32 offset)
{
	if (offset == LAPIC_TIMER_NOW)
		return vlapic_timer_count(lapic);
	return offset == LAPIC_PPR ? vlapic_ppr(lapic) : vlapic_get(lapic, offset);
}

/* Registers are 32 bits wide, 16 bytes apart; a narrower read gets its part, and nothing lies between them. */
u64 vlapic_read(struct vlapic *lapic, u64 offset, u8 size)
{
	u32 at = (u32)offset & ~15u & (LAPIC_SIZE - 1), value = 0, byte = (u32)offset & 15;

	lock_acquire(&lapic->device.lock);
	if (vlapic_readable(at))
		value = vlapic_read_register(lapic, at);
	else
		vlapic_error(lapic, ESR_REGISTER);
	lock_release(&lapic->device.lock);
	return byte > 3 ? 0 : (u64)value >> (8 * byte) & ~0ull >> (64 - 8 * size);
}

/* "Accesses must be 32 bits wide and aligned": others do nothing. Reserved bits are ignored in xAPIC mode. */
void vlapic_write(struct vlapic *lapic, u64 offset, u8 size, u64 value)
{
	u32 at = (u32)offset & (LAPIC_SIZE - 1), writable = vlapic_writable(lapic, at);

	if (size != 4 || offset & 15)
		return;
	lock_acquire(&lapic->device.lock);
	if (writable)
		vlapic_write_register(lapic, at, (u32)value & writable);
	else if (!vlapic_readable(at))
		vlapic_error(lapic, ESR_REGISTER);
	lock_release(&lapic->device.lock);
}

/* SDM "APIC-Write Emulation". The processor lets the guest write read-only bits too, and the whole of the ID. */
void vlapic_written(struct vlapic *lapic, u32 offset)
{
	u32 at = offset & ~15u & (LAPIC_SIZE - 1), writable = vlapic_writable(lapic, at), value;

	lock_acquire(&lapic->device.lock);
	value = vlapic_get(lapic, at);
	if (!vlapic_readable(at))
		vlapic_set(lapic, at, 0);
	if (at == LAPIC_SELF_IPI)
		(void)vlapic_write_self_ipi(lapic, value);
	else if (writable)
		vlapic_write_register(lapic, at, value & writable);
	else if (at == LAPIC_ID)
		set_id(lapic);
	lock_release(&lapic->device.lock);
}
