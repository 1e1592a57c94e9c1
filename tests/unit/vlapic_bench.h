/* Three local APICs on one bus, for tests. */
#ifndef VLAPIC_BENCH_H
#define VLAPIC_BENCH_H

#include "device_bench.h"
#include "vmm/devices/apic_bus.h"
#include "vmm/devices/vlapic_page.h"

#define COUNT  3
#define TSC_HZ 3000000000ull
#define BASE   0x1bu
#define X2(offset) (0x800u + ((offset) >> 4))

static struct bench bench;
static struct vlapic lapic[COUNT];
static struct vlapic *list[COUNT];
static u32 pages[COUNT][1024];
static u32 attention[COUNT];
static u8 eois[16];
static u32 eoi_count;
static const struct apic_bus bus = {COUNT, list};

static inline void ipi(void *context, struct vlapic *from, enum apic_shorthand to, const struct apic_message *message)
{
	assert_ptr_equal(context, &bench);
	assert_false(lock_try(&from->device.lock));
	apic_send(&bus, from, to, message);
}

static inline void eoi(void *context, u8 vector)
{
	assert_ptr_equal(context, &bench);
	eois[eoi_count++ % 16] = vector;
}

static inline void attend(void *context, struct vlapic *who)
{
	assert_ptr_equal(context, &bench);
	attention[who - lapic]++;
}

/* The host's TSC is three times the bench's ns (device_bench.h), the guest's is 1000 more. */
static inline u64 host_tsc(void *context, struct vlapic *who, u64 tsc)
{
	u64 now = ((struct bench *)context)->now * 3;

	(void)who;
	return tsc > now + 1000 ? tsc - 1000 : now;
}

static const struct vlapic_wires wires = {&bench, ipi, eoi, attend, host_tsc};

static inline u32 get(u32 i, u32 offset)
{
	return (u32)vlapic_read(&lapic[i], offset, 4);
}

static inline void set(u32 i, u32 offset, u32 value)
{
	vlapic_write(&lapic[i], offset, 4, value);
}

static inline int setup(void **state)
{
	(void)state;
	bench_init(&bench);
	memset(attention, 0, sizeof(attention));
	eoi_count = 0;
	for (u32 i = 0; i < COUNT; i++) {
		list[i] = &lapic[i];
		vlapic_init(&lapic[i], &bench.services, &wires, pages[i], i, i == 0, 40, TSC_HZ);
		set(i, LAPIC_SVR, 0x1ff);
	}
	memset(attention, 0, sizeof(attention));
	return 0;
}

static inline void post(u32 i, u8 vector, bool level)
{
	vlapic_post(&lapic[i],
		    &(struct apic_message){.delivery = APIC_FIXED, .vector = vector, .level_triggered = level});
}

/* As the owner: the vector that the processor may get now, or 0; the second one takes it. */
static inline u32 pending(u32 i)
{
	vlapic_collect(&lapic[i]);
	return vlapic_pending(&lapic[i]);
}

static inline u32 take(u32 i)
{
	u32 vector = pending(i);

	return vector ? vlapic_take(&lapic[i], vector) : 0;
}

static inline u32 signals(u32 i)
{
	u8 vector;

	return vlapic_take_signals(&lapic[i], &vector);
}

static inline bool read_msr(u32 i, u32 msr, u64 *value)
{
	return vlapic_read_msr(&lapic[i], msr, value);
}

static inline bool write_msr(u32 i, u32 msr, u64 value)
{
	return vlapic_write_msr(&lapic[i], msr, value) != LAPIC_FAULT;
}

static inline void to_x2(u32 i)
{
	u64 base;

	assert_true(read_msr(i, BASE, &base));
	assert_true(write_msr(i, BASE, base | 0x400));
}

#endif
