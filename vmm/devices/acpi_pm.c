/* ACPI fixed hardware. Names of bits as in the specification. */
#include "vmm/devices/acpi_pm.h"

#define TMR_STS	   BIT(0)
#define PWRBTN_STS BIT(8)
#define PM1_STATUS (TMR_STS | BIT(4) | BIT(5) | PWRBTN_STS | BIT(9) | BIT(10) | BIT(14) | BIT(15))
#define PM1_ENABLE (TMR_STS | BIT(5) | PWRBTN_STS | BIT(9) | BIT(10))
#define SCI_EN	   BIT(0)
#define SLP_EN	   BIT(13)
#define SLP_TYP(v) ((v) >> 10 & 7)
#define CONTROL_KEPT (BIT(1) | BITS(12, 10))

#define NS_PER_SECOND 1000000000u
#define TOP_BIT_TICKS (1ull << 31) /* the 32-bit timer's top bit changes this often */

enum { RANGE_EVENT, RANGE_CONTROL, RANGE_TIMER };

static struct acpi_pm *pm_of(struct device *device)
{
	return CONTAINER_OF(device, struct acpi_pm, device);
}

static u64 ticks_now(const struct acpi_pm *pm)
{
	u64 ns = pm->device.services->now_ns(pm->device.services->context);

	return (u64)((unsigned __int128)ns * ACPI_PM_TIMER_HZ / NS_PER_SECOND);
}

static void update_line(struct acpi_pm *pm)
{
	bool level = pm->status & pm->enable;

	if (level == pm->level)
		return;
	pm->level = level;
	pm->device.services->set_line(pm->device.services->context, pm->line, level);
}

/* TMR_STS is set whenever the timer's top bit changes. */
static void sync(struct acpi_pm *pm)
{
	u64 now = ticks_now(pm);

	if (now / TOP_BIT_TICKS != pm->checked_ticks / TOP_BIT_TICKS)
		pm->status |= (u16)TMR_STS;
	pm->checked_ticks = now;
	update_line(pm);
}

static void schedule(struct acpi_pm *pm)
{
	u64 change = (pm->checked_ticks / TOP_BIT_TICKS + 1) * TOP_BIT_TICKS, deadline = TIMER_NEVER;

	if (pm->enable & ~pm->status & TMR_STS)
		deadline = (u64)(((unsigned __int128)change * NS_PER_SECOND + ACPI_PM_TIMER_HZ - 1) / ACPI_PM_TIMER_HZ);
	if (deadline != pm->timer.deadline_ns)
		pm->device.services->arm(pm->device.services->context, &pm->timer, deadline);
}

static void timer_fired(struct device *device, UNUSED u32 which)
{
	struct acpi_pm *pm = pm_of(device);

	sync(pm);
	schedule(pm);
}

/* "Entering a sleeping state": off is the only one this machine has. */
static void write_control(struct acpi_pm *pm, u16 value)
{
	const struct device_services *services = pm->device.services;

	pm->control = value & (u16)CONTROL_KEPT;
	if (!(value & SLP_EN))
		return;
	if (SLP_TYP(value) == ACPI_SLEEP_S5)
		services->end(services->context, 0, "ACPI power-off");
	else
		services->log(services->context, "ACPI sleep type %u is not one this machine has: ignored",
			      SLP_TYP(value));
}

/* The registers as bytes, so that accesses of all widths see the same. */
static u32 read_word(const struct acpi_pm *pm, u32 range)
{
	if (range == RANGE_EVENT)
		return pm->status | (u32)pm->enable << 16;
	if (range == RANGE_CONTROL)
		return pm->control | (u32)SCI_EN;
	return (u32)pm->checked_ticks;
}

static enum device_answer pm_read(struct device *device, u32 range, u16 offset, UNUSED u8 size, u32 *value)
{
	struct acpi_pm *pm = pm_of(device);

	sync(pm);
	*value = read_word(pm, range) >> (8 * offset);
	return DEVICE_DONE;
}

/* `mask` says which bits were written, `value` holds them in their places. Status bits are cleared by writing 1. */
static void write_event(struct acpi_pm *pm, u32 mask, u32 value)
{
	pm->status &= (u16)~(value & PM1_STATUS);
	pm->enable = (u16)((pm->enable & ~(mask >> 16)) | (value >> 16 & PM1_ENABLE));
}

static enum device_answer pm_write(struct device *device, u32 range, u16 offset, u8 size, u32 value)
{
	struct acpi_pm *pm = pm_of(device);
	u32 shift = 8u * offset, mask = (u32)(~0ull >> (64 - 8 * size)) << shift;

	sync(pm);
	value = value << shift & mask;
	if (range == RANGE_EVENT)
		write_event(pm, mask, value);
	else if (range == RANGE_CONTROL)
		write_control(pm, (u16)((pm->control & ~mask) | value));
	update_line(pm);
	schedule(pm);
	return DEVICE_DONE;
}

static void pm_reset(struct device *device)
{
	struct acpi_pm *pm = pm_of(device);

	pm->status = pm->enable = pm->control = 0;
	pm->checked_ticks = ticks_now(pm);
	update_line(pm);
	schedule(pm);
}

static const struct device_ops pm_ops = {
	.name = "acpi-pm",
	.port_read = pm_read,
	.port_write = pm_write,
	.reset = pm_reset,
};

void acpi_pm_init(struct acpi_pm *pm, const struct device_services *services, u32 line)
{
	*pm = (struct acpi_pm){.device = {.ops = &pm_ops, .services = services}, .line = line};
	pm->timer = (struct device_timer){.deadline_ns = TIMER_NEVER, .device = &pm->device, .fire = timer_fired};
	pm->checked_ticks = ticks_now(pm);
}

int acpi_pm_attach(struct acpi_pm *pm, struct bus *bus)
{
	int error = bus_add_ports(bus, &pm->device, RANGE_EVENT, ACPI_PM_EVENT_PORT, ACPI_PM_EVENT_PORT + 3);

	if (!error)
		error = bus_add_ports(bus, &pm->device, RANGE_CONTROL, ACPI_PM_CONTROL_PORT, ACPI_PM_CONTROL_PORT + 1);
	if (!error)
		error = bus_add_ports(bus, &pm->device, RANGE_TIMER, ACPI_PM_TIMER_PORT, ACPI_PM_TIMER_PORT + 3);
	return error;
}

void acpi_pm_power_button(struct acpi_pm *pm)
{
	lock_acquire(&pm->device.lock);
	pm->status |= (u16)PWRBTN_STS;
	update_line(pm);
	lock_release(&pm->device.lock);
}
