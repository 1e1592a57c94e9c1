/*
 * The clock. Time and the flags of register C are computed when somebody looks; a timer runs only for interrupts that
 * are enabled.
 */
#include "vmm/devices/rtc146818.h"
#include "lib/calendar.h"

enum { SECONDS, SECONDS_ALARM, MINUTES, MINUTES_ALARM, HOURS, HOURS_ALARM, WEEKDAY, DAY, MONTH, YEAR, REG_A, REG_B,
      REG_C, REG_D };

#define A_UIP	 BIT(7)
#define A_DV	 0x70u
#define A_RESET	 0x60u /* DV 110 and 111 hold the divider in reset */
#define A_RS	 0x0fu
#define A_NORMAL 0x26u /* 32.768 kHz, periodic rate 1024 Hz */

#define B_SET	 BIT(7)
#define B_PIE	 BIT(6)
#define B_AIE	 BIT(5)
#define B_UIE	 BIT(4)
#define B_BINARY BIT(2)
#define B_24H	 BIT(1)

#define C_IRQF BIT(7)
#define C_PF   BIT(6)
#define C_AF   BIT(5)
#define C_UF   BIT(4)

#define D_VALID BIT(7)

#define HOUR_PM	    0x80u
#define ALARM_ANY   0xc0u /* an alarm byte of 0xc0 and above matches all */
#define DAY_SECONDS 86400u
#define NS	    1000000000ull
#define HALF_SECOND (NS / 2)
#define UIP_NS	    244000u /* "Update-in-progress": set for at least this long before the time changes */
#define CRYSTAL_HZ  32768u

static struct rtc146818 *rtc_of(struct device *device)
{
	return CONTAINER_OF(device, struct rtc146818, device);
}

static u64 now_ns(const struct rtc146818 *rtc)
{
	return rtc->device.services->now_ns(rtc->device.services->context);
}

/* SET stops the update, a divider in reset stops everything. */
static bool divider_runs(const struct rtc146818 *rtc)
{
	return (rtc->cmos[REG_A] & A_RESET) != A_RESET;
}

static bool updates(const struct rtc146818 *rtc)
{
	return divider_runs(rtc) && !(rtc->cmos[REG_B] & B_SET);
}

static u8 encode(const struct rtc146818 *rtc, u32 value)
{
	return (u8)(rtc->cmos[REG_B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static u32 decode(const struct rtc146818 *rtc, u8 value)
{
	return rtc->cmos[REG_B] & B_BINARY ? value : (value >> 4) * 10u + (value & 15u);
}

/* In 12-hour mode 12 stands for 0, and bit 7 says that it is past noon. */
static u8 encode_hour(const struct rtc146818 *rtc, u32 hour)
{
	if (rtc->cmos[REG_B] & B_24H)
		return encode(rtc, hour);
	return (u8)(encode(rtc, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0));
}

static u32 decode_hour(const struct rtc146818 *rtc, u8 value)
{
	if (rtc->cmos[REG_B] & B_24H)
		return decode(rtc, value);
	return decode(rtc, value & (u8)~HOUR_PM) % 12 + (value & HOUR_PM ? 12 : 0);
}

/* From the clock to the registers. */
static void store_time(struct rtc146818 *rtc)
{
	struct calendar_time time = calendar_from_seconds(rtc->seconds);

	rtc->cmos[SECONDS] = encode(rtc, time.second);
	rtc->cmos[MINUTES] = encode(rtc, time.minute);
	rtc->cmos[HOURS] = encode_hour(rtc, time.hour);
	rtc->cmos[WEEKDAY] = encode(rtc, time.weekday);
	rtc->cmos[DAY] = encode(rtc, time.day);
	rtc->cmos[MONTH] = encode(rtc, time.month);
	rtc->cmos[YEAR] = encode(rtc, time.year % 100);
	rtc->cmos[RTC_CENTURY] = encode(rtc, time.year / 100);
}

/* From the registers, in which a guest has written, to the clock. */
static void load_time(struct rtc146818 *rtc)
{
	struct calendar_time time = {
		.year = decode(rtc, rtc->cmos[RTC_CENTURY]) * 100 + decode(rtc, rtc->cmos[YEAR]),
		.month = decode(rtc, rtc->cmos[MONTH]),
		.day = decode(rtc, rtc->cmos[DAY]),
		.hour = decode_hour(rtc, rtc->cmos[HOURS]),
		.minute = decode(rtc, rtc->cmos[MINUTES]),
		.second = decode(rtc, rtc->cmos[SECONDS]),
	};

	time.year = MAX(time.year, 1970u);
	rtc->seconds = calendar_to_seconds(&time);
}

/*
 * Period of the periodic interrupt in ticks of the 32.768 kHz crystal; 0: none (data sheet, "Periodic Interrupt
 * Selection").
 */
static u32 period_ticks(const struct rtc146818 *rtc)
{
	u32 rate = rtc->cmos[REG_A] & A_RS;

	if (!rate || !divider_runs(rtc))
		return 0;
	/* The two fastest of the 4 MHz table do not exist with this crystal: they are as rates 8 and 9. */
	return 1u << ((rate <= 2 ? rate + 7 : rate) - 1);
}

static u64 crystal_ticks(u64 ns)
{
	return (u64)((unsigned __int128)ns * CRYSTAL_HZ / NS);
}

static bool alarm_matches(u8 alarm, u8 value)
{
	return alarm >= ALARM_ANY || alarm == value;
}

/* Whether the alarm goes off at this second. */
static bool alarm_at(const struct rtc146818 *rtc, u64 seconds)
{
	u32 second = (u32)(seconds % DAY_SECONDS);

	return alarm_matches(rtc->cmos[SECONDS_ALARM], encode(rtc, second % 60)) &&
	       alarm_matches(rtc->cmos[MINUTES_ALARM], encode(rtc, second / 60 % 60)) &&
	       alarm_matches(rtc->cmos[HOURS_ALARM], encode_hour(rtc, second / 3600));
}

/* Whether some value from 0 to 59 has this byte. */
static bool is_sixtieth(const struct rtc146818 *rtc, u8 alarm)
{
	for (u32 value = 0; value < 60; value++)
		if (alarm_matches(alarm, encode(rtc, value)))
			return true;
	return false;
}

/*
 * The next second after `seconds` at which the alarm goes off, at most a day later; 0: never, since its bytes are no
 * time. The steps are as large as the first part that does not match allows, so a search takes at most 24 + 60 + 60 of
 * them.
 */
static u64 next_alarm(const struct rtc146818 *rtc, u64 seconds)
{
	u64 last = seconds + DAY_SECONDS;

	if (!is_sixtieth(rtc, rtc->cmos[SECONDS_ALARM]) || !is_sixtieth(rtc, rtc->cmos[MINUTES_ALARM]))
		return 0;
	for (u64 at = seconds + 1; at <= last;) {
		u32 second = (u32)(at % DAY_SECONDS);

		if (!alarm_matches(rtc->cmos[HOURS_ALARM], encode_hour(rtc, second / 3600)))
			at += 3600 - second % 3600;
		else if (!alarm_matches(rtc->cmos[MINUTES_ALARM], encode(rtc, second / 60 % 60)))
			at += 60 - second % 60;
		else if (!alarm_at(rtc, at))
			at++;
		else
			return at;
	}
	return 0;
}

static void update_line(struct rtc146818 *rtc)
{
	u8 enabled = rtc->cmos[REG_B] & rtc->cmos[REG_C] & (u8)(C_PF | C_AF | C_UF);
	bool level = enabled != 0;

	rtc->cmos[REG_C] = (u8)((rtc->cmos[REG_C] & (C_PF | C_AF | C_UF)) | (level ? C_IRQF : 0));
	if (level == rtc->level)
		return;
	rtc->level = level;
	rtc->device.services->set_line(rtc->device.services->context, rtc->line, level);
}

/* Let the seconds pass that have passed: UF, AF and the time. */
static void sync_seconds(struct rtc146818 *rtc, u64 now)
{
	u64 passed = now > rtc->second_ns ? (now - rtc->second_ns) / NS : 0, alarm;

	if (!updates(rtc) || !passed)
		return;
	rtc->cmos[REG_C] |= (u8)C_UF;
	alarm = next_alarm(rtc, rtc->seconds);
	if (alarm && alarm <= rtc->seconds + passed)
		rtc->cmos[REG_C] |= (u8)C_AF;
	rtc->seconds += passed;
	rtc->second_ns += passed * NS;
	store_time(rtc);
}

static void sync_period(struct rtc146818 *rtc, u64 now)
{
	u32 period = period_ticks(rtc);

	if (period && crystal_ticks(now) / period != crystal_ticks(rtc->checked_ns) / period)
		rtc->cmos[REG_C] |= (u8)C_PF;
}

static u64 sync(struct rtc146818 *rtc)
{
	u64 now = now_ns(rtc);

	sync_period(rtc, now);
	sync_seconds(rtc, now);
	rtc->checked_ns = now;
	update_line(rtc);
	return now;
}

static u64 next_period_ns(const struct rtc146818 *rtc, u64 now)
{
	u32 period = period_ticks(rtc);
	u64 tick;

	if (!period)
		return TIMER_NEVER;
	tick = (crystal_ticks(now) / period + 1) * period;
	return (u64)(((unsigned __int128)tick * NS + CRYSTAL_HZ - 1) / CRYSTAL_HZ);
}

/* One timer for what comes first among the enabled interrupts; a flag that is up already needs none. */
static void schedule(struct rtc146818 *rtc, u64 now)
{
	u8 waiting = rtc->cmos[REG_B] & (u8)~rtc->cmos[REG_C];
	u64 deadline = TIMER_NEVER, alarm;

	if (waiting & B_PIE)
		deadline = next_period_ns(rtc, now);
	if (waiting & B_UIE && updates(rtc))
		deadline = MIN(deadline, rtc->second_ns + NS);
	if (waiting & B_AIE && updates(rtc)) {
		alarm = next_alarm(rtc, rtc->seconds);
		if (alarm)
			deadline = MIN(deadline, rtc->second_ns + (alarm - rtc->seconds) * NS);
	}
	if (deadline != rtc->timer.deadline_ns)
		rtc->device.services->arm(rtc->device.services->context, &rtc->timer, deadline);
}

static void timer_fired(struct device *device, UNUSED u32 which)
{
	struct rtc146818 *rtc = rtc_of(device);

	schedule(rtc, sync(rtc));
}

/* Data sheet, "DV2, DV1, DV0": when the divider leaves reset, the first update comes half a second later. */
static void write_a(struct rtc146818 *rtc, u64 now, u8 value)
{
	bool ran = divider_runs(rtc);

	rtc->cmos[REG_A] = value & (u8)~A_UIP;
	if (!ran && divider_runs(rtc))
		rtc->second_ns = now - MIN(now, HALF_SECOND);
}

static void write_b(struct rtc146818 *rtc, u64 now, u8 value)
{
	bool was_set = rtc->cmos[REG_B] & B_SET;

	/* "SET": an update in progress is aborted, and UIE is cleared. */
	if (value & B_SET)
		value &= (u8)~B_UIE;
	rtc->cmos[REG_B] = value;
	/* The fraction of the second goes on under SET; only the count of seconds stands. */
	if (was_set && !(value & B_SET)) {
		load_time(rtc);
		rtc->second_ns = now - (now - MIN(now, rtc->second_ns)) % NS;
	}
}

static bool is_time(u8 index)
{
	return index <= YEAR ? index > HOURS_ALARM || !(index & 1) : index == RTC_CENTURY;
}

static void write_register(struct rtc146818 *rtc, u64 now, u8 value)
{
	u8 index = rtc->index;

	switch (index) {
	case REG_A:
		write_a(rtc, now, value);
		break;
	case REG_B:
		write_b(rtc, now, value);
		break;
	case REG_C:
	case REG_D:
		break;
	default:
		rtc->cmos[index] = value;
		if (is_time(index) && !(rtc->cmos[REG_B] & B_SET))
			load_time(rtc);
		break;
	}
}

static u8 read_register(struct rtc146818 *rtc, u64 now)
{
	u8 value = rtc->cmos[rtc->index];

	if (rtc->index == REG_A && updates(rtc) && now - MIN(now, rtc->second_ns) >= NS - UIP_NS)
		return value | (u8)A_UIP;
	if (rtc->index == REG_C) {
		rtc->cmos[REG_C] = 0;
		update_line(rtc);
	}
	return value;
}

static enum device_answer rtc_read(struct device *device, UNUSED u32 range, u16 offset, UNUSED u8 size, u32 *value)
{
	struct rtc146818 *rtc = rtc_of(device);
	u64 now = sync(rtc);

	/* The index cannot be read back. */
	*value = offset ? read_register(rtc, now) : 0xff;
	schedule(rtc, now);
	return DEVICE_DONE;
}

/* Bit 7 of the index masks NMIs on a PC; there is nothing here that would raise one. */
static enum device_answer rtc_write(struct device *device, UNUSED u32 range, u16 offset, UNUSED u8 size, u32 value)
{
	struct rtc146818 *rtc = rtc_of(device);
	u64 now = sync(rtc);

	if (!offset)
		rtc->index = value & (RTC_SIZE - 1);
	else
		write_register(rtc, now, (u8)value);
	update_line(rtc);
	schedule(rtc, now);
	return DEVICE_DONE;
}

/* "RESET": time, alarm and memory live on by the battery; interrupts are off. */
static void rtc_reset(struct device *device)
{
	struct rtc146818 *rtc = rtc_of(device);

	rtc->cmos[REG_B] &= (u8)~(B_PIE | B_AIE | B_UIE);
	rtc->cmos[REG_C] = 0;
	update_line(rtc);
	schedule(rtc, now_ns(rtc));
}

static const struct device_ops rtc_ops = {
	.name = "rtc146818",
	.byte_wide = true,
	.port_read = rtc_read,
	.port_write = rtc_write,
	.reset = rtc_reset,
};

void rtc_init(struct rtc146818 *rtc, const struct device_services *services, u32 line)
{
	*rtc = (struct rtc146818){.device = {.ops = &rtc_ops, .services = services}, .line = line};
	rtc->cmos[REG_A] = A_NORMAL;
	rtc->cmos[REG_B] = B_24H;
	rtc->cmos[REG_D] = D_VALID;
	rtc->timer = (struct device_timer){.deadline_ns = TIMER_NEVER, .device = &rtc->device, .fire = timer_fired};
	rtc_set_time(rtc, 0);
}

int rtc_attach(struct rtc146818 *rtc, struct bus *bus)
{
	return bus_add_ports(bus, &rtc->device, 0, RTC_PORT, RTC_PORT + 1);
}

void rtc_set_time(struct rtc146818 *rtc, u64 seconds)
{
	rtc->seconds = seconds;
	rtc->second_ns = rtc->checked_ns = now_ns(rtc);
	store_time(rtc);
}

void rtc_set_cmos(struct rtc146818 *rtc, u8 index, u8 value)
{
	if (index > REG_D && index < RTC_SIZE)
		rtc->cmos[index] = value;
}
