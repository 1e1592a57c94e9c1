/* One counter of the 8254. A count is loaded at the clock after it was written: hence the "+ 1" at every start. */
#include "vmm/devices/pit_channel.h"

#define STATUS_OUTPUT BIT(7)
#define STATUS_NULL   BIT(6)

static bool is_periodic(const struct pit_channel *channel)
{
	return channel->mode == 2 || channel->mode == 3;
}

/* Modes 1 and 5 wait for a rising gate, in the others a gate that is low stops the counting. */
static bool is_triggered(const struct pit_channel *channel)
{
	return channel->mode == 1 || channel->mode == 5;
}

static u64 elapsed(const struct pit_channel *channel, u64 now)
{
	if (!channel->running)
		return channel->frozen;
	return now > channel->start ? now - channel->start : 0;
}

/* Mode 3: ticks for which the output is high. */
static u32 high_part(u32 reload)
{
	return (reload + 1) / 2;
}

void pit_channel_set_mode(struct pit_channel *channel, u8 access, u8 mode, bool bcd)
{
	*channel = (struct pit_channel){
		.mode = mode > 5 ? mode & 3 : mode, /* 6 and 7 are 2 and 3 */
		.access = access,
		.bcd = bcd,
		.gate = channel->gate,
		.status = channel->status,
		.status_latched = channel->status_latched,
	};
}

static u32 decode_count(const struct pit_channel *channel, u16 count)
{
	u32 value = count;

	if (channel->bcd)
		value = (count & 15u) + 10 * (count >> 4 & 15u) + 100 * (count >> 8 & 15u) + 1000 * (u32)(count >> 12);
	if (value)
		return value;
	return channel->bcd ? 10000 : 0x10000;
}

static void start(struct pit_channel *channel, u64 now, u32 reload)
{
	channel->reload = reload;
	channel->written = 0;
	channel->start = now + 1;
	channel->frozen = 0;
	channel->running = channel->gate || is_triggered(channel);
}

/* "A new count written while counting": at the end of the cycle, in mode 3 of the half cycle. */
static void schedule_count(struct pit_channel *channel, u64 now, u32 count)
{
	u64 into = elapsed(channel, now) % channel->reload;
	u64 cycle = MAX(now, channel->start) - into;

	channel->written = count;
	channel->written_half = channel->mode == 3 && into < high_part(channel->reload);
	channel->written_at = cycle + (channel->written_half ? high_part(channel->reload) : channel->reload);
}

void pit_channel_load(struct pit_channel *channel, u64 now, u16 count)
{
	u32 value = decode_count(channel, count);

	if (is_triggered(channel))
		channel->written = value;
	else if (is_periodic(channel) && channel->running)
		schedule_count(channel, now, value);
	else
		start(channel, now, value);
}

void pit_channel_begin_load(struct pit_channel *channel)
{
	if (channel->mode != 0)
		return;
	channel->reload = 0;
	channel->running = false;
	channel->frozen = 0;
}

void pit_channel_sync(struct pit_channel *channel, u64 now)
{
	if (!channel->written || !is_periodic(channel) || !channel->running || now < channel->written_at)
		return;
	channel->reload = channel->written;
	channel->written = 0;
	channel->start = channel->written_at;
	/*
	 * In the middle of a cycle only the low half is left of the new one. A new high half longer than all time so
	 * far: from 0.
	 */
	if (channel->written_half)
		channel->start -= MIN(channel->start, (u64)high_part(channel->reload));
}

static void raise_gate(struct pit_channel *channel, u64 now)
{
	if (is_triggered(channel) || is_periodic(channel)) {
		u32 reload = channel->written ? channel->written : channel->reload;

		if (reload)
			start(channel, now, reload);
	} else if (channel->reload) {
		channel->start = now - MIN(now, channel->frozen);
		channel->running = true;
	}
}

void pit_channel_set_gate(struct pit_channel *channel, u64 now, bool gate)
{
	if (gate == channel->gate)
		return;
	channel->gate = gate;
	if (gate) {
		raise_gate(channel, now);
	} else if (!is_triggered(channel)) {
		channel->frozen = elapsed(channel, now);
		channel->running = false;
	}
}

bool pit_channel_output(const struct pit_channel *channel, u64 now)
{
	u64 past = elapsed(channel, now);
	u32 reload = channel->reload;

	if (!reload)
		return channel->mode != 0;
	switch (channel->mode) {
	case 0:
		return past >= reload;
	case 1:
		return past >= reload;
	case 2:
		return !channel->running || past % reload != reload - 1;
	case 3:
		return !channel->running || past % reload < high_part(reload);
	default:
		return past != reload;
	}
}

static u16 encode_count(const struct pit_channel *channel, u64 value)
{
	if (!channel->bcd)
		return (u16)value;
	value %= 10000;
	return (u16)(value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10);
}

u16 pit_channel_count(const struct pit_channel *channel, u64 now)
{
	u64 past = elapsed(channel, now);
	u64 reload = channel->reload, wrap = channel->bcd ? 10000 : 0x10000;

	if (!reload)
		return 0;
	if (channel->mode == 2)
		return encode_count(channel, reload - past % reload);
	if (channel->mode == 3) {
		past %= reload;
		if (past >= high_part(channel->reload))
			past -= high_part(channel->reload);
		return encode_count(channel, (reload & ~1ull) - 2 * past);
	}
	/* The others count on through 0. */
	return encode_count(channel, reload + wrap - past % wrap);
}

u8 pit_channel_status(const struct pit_channel *channel, u64 now)
{
	bool null = channel->written || !channel->reload;

	return (u8)((pit_channel_output(channel, now) ? STATUS_OUTPUT : 0) | (null ? STATUS_NULL : 0) |
		    (u32)channel->access << 4 | (u32)channel->mode << 1 | channel->bcd);
}

u64 pit_channel_next_edge(const struct pit_channel *channel, u64 now)
{
	u64 past = elapsed(channel, now), reload = channel->reload;

	if (!channel->running || !reload)
		return PIT_NEVER;
	if (is_periodic(channel) && channel->written)
		return channel->written_at +
		       (channel->written_half ? channel->written - high_part(channel->written) : 0);
	if (is_periodic(channel))
		return channel->start + (past / reload + 1) * reload;
	/* Strobes: low for the one tick at the end. */
	if (channel->mode >= 4)
		return past <= reload ? channel->start + reload + 1 : PIT_NEVER;
	return past < reload ? channel->start + reload : PIT_NEVER;
}
