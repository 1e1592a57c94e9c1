/*
 * All that a virtual device sees of the world. The caller of a device's op holds the device's lock; services never call
 * back into a device. Pure devices run on the host under test with services of the test's own.
 */
#ifndef VMM_DEVICES_SERVICES_H
#define VMM_DEVICES_SERVICES_H

#include "lib/types.h"

struct device;

#define TIMER_NEVER ~0ull

/* Set device, fire and which once, deadline_ns to TIMER_NEVER; then only arm(). Guarded by the device's lock. */
struct device_timer {
	u64 deadline_ns; /* VM time, 0 from arm_tsc(); TIMER_NEVER: not armed; set by arm(), and to TIMER_NEVER before
			    fire() is called */
	struct device *device;
	void (*fire)(struct device *device, u32 which); /* called with the device's lock held */
	u32 which;
	void *backing; /* the services' own */
};

/* Backends of a VM. */
#define BACKEND_CONSOLE 0u

struct device_services {
	void *context; /* the services' own: the VM */
	/*
	 * No timer comes more often by itself: a guest that it did nothing but serve would never end. Timers armed by
	 * hand may.
	 */
	u64 shortest_period_ns;
	/* Guest-physical copies; 0 or ERR_RANGE. */
	int (*read_guest)(void *context, gpa_t gpa, void *to, u64 size);
	int (*write_guest)(void *context, gpa_t gpa, const void *from, u64 size);
	/* Set the level of an interrupt line of the VM's machine (global system interrupt number). */
	void (*set_line)(void *context, u32 line, bool level);
	/* VM time in ns, monotonic; stands while the VM is paused. */
	u64 (*now_ns)(void *context);
	/* Arm or move; TIMER_NEVER disarms. A deadline in the past fires soon, never from within arm(). */
	void (*arm)(void *context, struct device_timer *timer, u64 deadline_ns);
	/* The same by the host's TSC. */
	void (*arm_tsc)(void *context, struct device_timer *timer, u64 deadline);
	/* Bytes to the VM's backend number `port` (BACKEND_*). Returns how many it took. */
	size_t (*push)(void *context, u32 port, const void *bytes, size_t n);
	/* The guest asks for the end of its VM: exit code, or reset; or says that it has crashed. */
	void (*end)(void *context, u64 code, const char *why);
	void (*reset)(void *context, const char *why);
	void (*crash)(void *context, const char *why);
	void (*log)(void *context, const char *format, ...) PRINTF(2, 3);
};

#endif
