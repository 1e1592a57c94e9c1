/* A world for one device under test: time that stands until it is moved, lines, timers, output, guest memory. */
#ifndef DEVICE_BENCH_H
#define DEVICE_BENCH_H

#include <string.h>
#include "vmm/devices/bus.h"

#define BENCH_TIMERS 16
#define BENCH_RAM    65536u

struct bench {
	struct device_services services;
	struct bus bus;
	u64 now;
	bool line[64];
	u32 rises[64];
	struct device_timer *timer[BENCH_TIMERS];
	u32 timer_count;
	char output[4096];
	size_t output_length;
	size_t room; /* bytes the backend still takes */
	u32 ends, resets, crashes, logs;
	u64 end_code;
	u8 ram[BENCH_RAM];
};

static inline int bench_read(void *context, gpa_t gpa, void *to, u64 size)
{
	struct bench *bench = context;

	if (gpa > BENCH_RAM || size > BENCH_RAM - gpa)
		return ERR_RANGE;
	memcpy(to, bench->ram + gpa, size);
	return OK;
}

static inline int bench_write(void *context, gpa_t gpa, const void *from, u64 size)
{
	struct bench *bench = context;

	if (gpa > BENCH_RAM || size > BENCH_RAM - gpa)
		return ERR_RANGE;
	memcpy(bench->ram + gpa, from, size);
	return OK;
}

static inline void bench_set_line(void *context, u32 line, bool level)
{
	struct bench *bench = context;

	if (line >= 64)
		__builtin_trap();
	bench->rises[line] += level && !bench->line[line];
	bench->line[line] = level;
}

static inline u64 bench_now(void *context)
{
	return ((struct bench *)context)->now;
}

static inline void bench_arm(void *context, struct device_timer *timer, u64 deadline)
{
	struct bench *bench = context;
	u32 i = 0;

	if (!timer->device || !timer->fire)
		__builtin_trap();
	timer->deadline_ns = deadline;
	while (i < bench->timer_count && bench->timer[i] != timer)
		i++;
	if (i == BENCH_TIMERS)
		__builtin_trap();
	bench->timer[i] = timer;
	bench->timer_count = i == bench->timer_count ? i + 1 : bench->timer_count;
}

/* The host's TSC is three times the time in ns. */
static inline void bench_arm_tsc(void *context, struct device_timer *timer, u64 deadline)
{
	bench_arm(context, timer, deadline == ~0ull ? deadline : deadline / 3 + (deadline % 3 != 0));
}

static inline size_t bench_push(void *context, u32 port, const void *bytes, size_t n)
{
	struct bench *bench = context;

	(void)port;
	n = MIN(n, bench->room);
	n = MIN(n, sizeof(bench->output) - 1 - bench->output_length);
	memcpy(bench->output + bench->output_length, bytes, n);
	bench->output_length += n;
	bench->room -= n;
	return n;
}

static inline void bench_end(void *context, u64 code, const char *why)
{
	struct bench *bench = context;

	(void)why;
	bench->ends++;
	bench->end_code = code;
}

static inline void bench_reset(void *context, const char *why)
{
	(void)why;
	((struct bench *)context)->resets++;
}

static inline void bench_crash(void *context, const char *why)
{
	(void)why;
	((struct bench *)context)->crashes++;
}

static inline void PRINTF(2, 3) bench_log(void *context, const char *format, ...)
{
	(void)format;
	((struct bench *)context)->logs++;
}

static inline void bench_init(struct bench *bench)
{
	memset(bench, 0, sizeof(*bench));
	bench->room = ~(size_t)0;
	bus_init(&bench->bus);
	bench->services = (struct device_services){
		.context = bench,
		.shortest_period_ns = 100000,
		.read_guest = bench_read,
		.write_guest = bench_write,
		.set_line = bench_set_line,
		.now_ns = bench_now,
		.arm = bench_arm,
		.arm_tsc = bench_arm_tsc,
		.push = bench_push,
		.end = bench_end,
		.reset = bench_reset,
		.crash = bench_crash,
		.log = bench_log,
	};
}

/* The armed timer that is due first, or NULL. */
static inline struct device_timer *bench_next(struct bench *bench)
{
	struct device_timer *next = NULL;

	for (u32 i = 0; i < bench->timer_count; i++)
		if (bench->timer[i]->deadline_ns != TIMER_NEVER &&
		    (!next || bench->timer[i]->deadline_ns < next->deadline_ns))
			next = bench->timer[i];
	return next;
}

/*
 * Let time pass; timers fire at their time, in order. Returns how many fired; a device that never lets go is a failure.
 */
static inline u32 bench_pass(struct bench *bench, u64 ns)
{
	u64 end = bench->now + ns;
	u32 fired = 0;

	for (;;) {
		struct device_timer *timer = bench_next(bench);

		if (!timer || timer->deadline_ns > end)
			break;
		if (++fired > 1000000)
			__builtin_trap();
		bench->now = MAX(bench->now, timer->deadline_ns);
		timer->deadline_ns = TIMER_NEVER;
		lock_acquire(&timer->device->lock);
		timer->fire(timer->device, timer->which);
		lock_release(&timer->device->lock);
	}
	bench->now = end;
	return fired;
}

static inline u32 bench_in_sized(struct bench *bench, u16 port, u8 size)
{
	u32 value;

	if (bus_port_read(&bench->bus, port, size, &value) != DEVICE_DONE)
		__builtin_trap();
	return value & bus_port_ones[size];
}

static inline u8 bench_in(struct bench *bench, u16 port)
{
	return (u8)bench_in_sized(bench, port, 1);
}

static inline void bench_out_sized(struct bench *bench, u16 port, u8 size, u32 value)
{
	if (bus_port_write(&bench->bus, port, size, value) != DEVICE_DONE)
		__builtin_trap();
}

static inline void bench_out(struct bench *bench, u16 port, u8 value)
{
	bench_out_sized(bench, port, 1, value);
}

#endif
