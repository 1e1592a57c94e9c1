/* The 8254's ports, and channel 0's way to its interrupt line. */
#include "vmm/devices/pit8254.h"
#include "vmm/devices/pit_channel.h"

#define NS_PER_SECOND 1000000000u

#define CONTROL_READ_BACK 3u
#define READ_BACK_NO_COUNT  BIT(5)
#define READ_BACK_NO_STATUS BIT(4)

#define PORT61_GATE    BIT(0)
#define PORT61_KEPT    0x0f
#define PORT61_REFRESH BIT(4)
#define PORT61_OUTPUT2 BIT(5)
#define REFRESH_NS     15085u

enum { RANGE_PIT, RANGE_CONTROL };

static struct pit8254 *pit_of(struct device *device)
{
	return CONTAINER_OF(device, struct pit8254, device);
}

static u64 now_ns(const struct pit8254 *pit)
{
	return pit->device.services->now_ns(pit->device.services->context);
}

static u64 ns_to_pit(u64 ns)
{
	return (u64)((unsigned __int128)ns * PIT_HZ / NS_PER_SECOND);
}

/* The first ns at which the tick has come. */
static u64 pit_to_ns(u64 tick)
{
	return (u64)(((unsigned __int128)tick * NS_PER_SECOND + PIT_HZ - 1) / PIT_HZ);
}

/* The time, with every channel brought up to it. */
static u64 sync(struct pit8254 *pit)
{
	u64 now = ns_to_pit(now_ns(pit));

	for (u32 i = 0; i < PIT_CHANNELS; i++)
		pit_channel_sync(&pit->channel[i], now);
	return now;
}

static void set_line(struct pit8254 *pit, bool level)
{
	pit->device.services->set_line(pit->device.services->context, pit->line, level);
}

/* A rising edge is due that is not earlier than the timer may be. */
static void schedule(struct pit8254 *pit, u64 now)
{
	u64 edge = pit_channel_next_edge(&pit->channel[0], now);
	u64 deadline = edge == PIT_NEVER ? TIMER_NEVER : pit_to_ns(edge);

	if (deadline != TIMER_NEVER)
		deadline = MAX(deadline, now_ns(pit) + 1);
	if (deadline != pit->timer.deadline_ns)
		pit->device.services->arm(pit->device.services->context, &pit->timer, deadline);
}

/*
 * Interrupt controllers take channel 0's line by its rising edge, so only that edge is made exact: the line is low
 * until it comes in mode 0, and otherwise goes low and high again there, instead of costing two timers a period.
 */
static void edge_fired(struct device *device, UNUSED u32 which)
{
	struct pit8254 *pit = pit_of(device);
	u64 now = sync(pit), edge, soonest;

	set_line(pit, false);
	set_line(pit, true);
	edge = pit_channel_next_edge(&pit->channel[0], now);
	if (edge == PIT_NEVER)
		return;
	soonest = now_ns(pit) + pit->device.services->shortest_period_ns;
	pit->device.services->arm(pit->device.services->context, &pit->timer, MAX(pit_to_ns(edge), soonest));
}

static void latch_count(struct pit_channel *channel, u64 now)
{
	if (channel->latch_bytes)
		return;
	channel->latch = pit_channel_count(channel, now);
	channel->latch_bytes = channel->access == 3 ? 2 : 1;
}

static void latch_status(struct pit_channel *channel, u64 now)
{
	if (channel->status_latched)
		return;
	channel->status = pit_channel_status(channel, now);
	channel->status_latched = true;
}

static void read_back(struct pit8254 *pit, u64 now, u8 value)
{
	for (u32 i = 0; i < PIT_CHANNELS; i++) {
		if (!(value & BIT(i + 1)))
			continue;
		if (!(value & READ_BACK_NO_COUNT))
			latch_count(&pit->channel[i], now);
		if (!(value & READ_BACK_NO_STATUS))
			latch_status(&pit->channel[i], now);
	}
}

static void write_control(struct pit8254 *pit, u64 now, u8 value)
{
	u32 select = value >> 6;
	u8 access = value >> 4 & 3;

	if (select == CONTROL_READ_BACK) {
		read_back(pit, now, value);
	} else if (!access) {
		latch_count(&pit->channel[select], now);
	} else {
		pit_channel_set_mode(&pit->channel[select], access, value >> 1 & 7, value & 1);
		if (select == 0)
			set_line(pit, pit_channel_output(&pit->channel[0], now));
	}
}

static void write_count(struct pit8254 *pit, u32 which, u64 now, u8 value)
{
	struct pit_channel *channel = &pit->channel[which];

	if (channel->access == 3 && !channel->write_high) {
		channel->low = value;
		channel->write_high = true;
		pit_channel_begin_load(channel);
	} else {
		u16 high = (u16)(value << 8);
		u16 count = channel->access == 1 ? value : channel->access == 2 ? high : high | channel->low;

		channel->write_high = false;
		pit_channel_load(channel, now, count);
	}
	if (which == 0 && channel->mode == 0)
		set_line(pit, false);
}

static u8 read_latch(struct pit_channel *channel)
{
	bool high = channel->access == 2 || (channel->access == 3 && channel->latch_bytes == 1);

	channel->latch_bytes--;
	return (u8)(high ? channel->latch >> 8 : channel->latch);
}

static u8 read_count(struct pit_channel *channel, u64 now)
{
	u16 count;

	if (channel->status_latched) {
		channel->status_latched = false;
		return channel->status;
	}
	if (channel->latch_bytes)
		return read_latch(channel);
	count = pit_channel_count(channel, now);
	if (channel->access == 3) {
		channel->read_high = !channel->read_high;
		return (u8)(channel->read_high ? count : count >> 8);
	}
	return (u8)(channel->access == 2 ? count >> 8 : count);
}

static u8 read_port61(const struct pit8254 *pit, u64 now)
{
	return (u8)(pit->control | (now_ns(pit) / REFRESH_NS & 1 ? PORT61_REFRESH : 0) |
		    (pit_channel_output(&pit->channel[2], now) ? PORT61_OUTPUT2 : 0));
}

static void write_port61(struct pit8254 *pit, u64 now, u8 value)
{
	pit->control = value & PORT61_KEPT;
	pit_channel_set_gate(&pit->channel[2], now, value & PORT61_GATE);
}

static enum device_answer pit_read(struct device *device, u32 range, u16 offset, UNUSED u8 size, u32 *value)
{
	struct pit8254 *pit = pit_of(device);
	u64 now = sync(pit);

	if (range == RANGE_CONTROL)
		*value = read_port61(pit, now);
	else if (offset < PIT_CHANNELS)
		*value = read_count(&pit->channel[offset], now);
	else
		*value = 0; /* the control register cannot be read */
	return DEVICE_DONE;
}

static enum device_answer pit_write(struct device *device, u32 range, u16 offset, UNUSED u8 size, u32 value)
{
	struct pit8254 *pit = pit_of(device);
	u64 now = sync(pit);

	if (range == RANGE_CONTROL)
		write_port61(pit, now, (u8)value);
	else if (offset < PIT_CHANNELS)
		write_count(pit, offset, now, (u8)value);
	else
		write_control(pit, now, (u8)value);
	schedule(pit, now);
	return DEVICE_DONE;
}

static void pit_reset(struct device *device)
{
	struct pit8254 *pit = pit_of(device);

	for (u32 i = 0; i < PIT_CHANNELS; i++) {
		pit->channel[i] = (struct pit_channel){.gate = i != 2};
		pit_channel_set_mode(&pit->channel[i], 3, 0, false);
	}
	pit->control = 0;
	pit->device.services->arm(pit->device.services->context, &pit->timer, TIMER_NEVER);
}

static const struct device_ops pit_ops = {
	.name = "pit8254",
	.byte_wide = true,
	.port_read = pit_read,
	.port_write = pit_write,
	.reset = pit_reset,
};

void pit_init(struct pit8254 *pit, const struct device_services *services, u32 line)
{
	*pit = (struct pit8254){.device = {.ops = &pit_ops, .services = services}, .line = line};
	pit->timer = (struct device_timer){.deadline_ns = TIMER_NEVER, .device = &pit->device, .fire = edge_fired};
	pit_reset(&pit->device);
}

int pit_attach(struct pit8254 *pit, struct bus *bus)
{
	int error = bus_add_ports(bus, &pit->device, RANGE_PIT, PIT_PORT, PIT_PORT + 3);

	return error ? error : bus_add_ports(bus, &pit->device, RANGE_CONTROL, PIT_CONTROL_PORT, PIT_CONTROL_PORT);
}
