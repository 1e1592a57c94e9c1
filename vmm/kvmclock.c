/* The structures behind KVM's clock MSRs. */
#include "vmm/kvmclock.h"
#include "core/time.h"
#include "vmm/guest_memory.h"

#define NS_PER_SECOND 1000000000ull
#define ENABLED	      BIT(0) /* of the system-time MSR; the address is aligned to 4 */
#define TSC_STABLE    BIT(0) /* flags: time of one vCPU can be compared with another's */

/* `version` is odd while the rest is written. */
struct pvclock_wall_clock {
	u32 version, sec, nsec;
} PACKED;

struct pvclock_vcpu_time_info {
	u32 version, pad0;
	u64 tsc_timestamp, system_time;
	u32 tsc_to_system_mul;
	s8 tsc_shift;
	u8 flags, pad[2];
} PACKED;

_Static_assert(sizeof(struct pvclock_vcpu_time_info) == 32, "the ABI's size");

/* First the ticks are brought to between 1 and 2 GHz, so that the multiplier has all of its 32 bits. */
void kvmclock_scale(u64 hz, u32 *multiplier, s8 *shift)
{
	*shift = 0;
	while (hz > 2 * NS_PER_SECOND) {
		hz >>= 1;
		--*shift;
	}
	while (hz <= NS_PER_SECOND) {
		hz <<= 1;
		++*shift;
	}
	*multiplier = (u32)((NS_PER_SECOND << 32) / hz);
}

bool kvmclock_read(const struct kvmclock *clock, u32 msr, u64 *value)
{
	switch (msr) {
	case MSR_KVM_WALL_CLOCK_OLD:
	case MSR_KVM_WALL_CLOCK:
		*value = clock->wall_clock;
		return true;
	case MSR_KVM_SYSTEM_TIME_OLD:
	case MSR_KVM_SYSTEM_TIME:
		*value = clock->system_time;
		return true;
	default:
		return false;
	}
}

static bool write_wall_clock(struct vm *vm, gpa_t gpa, u64 boot_ns)
{
	struct pvclock_wall_clock wall = {
		.version = 2, .sec = (u32)(boot_ns / NS_PER_SECOND), .nsec = (u32)(boot_ns % NS_PER_SECOND)};

	return guest_write(vm, gpa, &wall, sizeof(wall)) == OK;
}

/* The TSC runs at one rate and is never stopped, so what is written here stays true. */
static bool write_system_time(struct vm *vm, gpa_t gpa, u64 tsc, u64 now_ns)
{
	struct pvclock_vcpu_time_info info = {
		.version = 2, .tsc_timestamp = tsc, .system_time = now_ns, .flags = (u8)TSC_STABLE};
	s8 shift;
	u32 multiplier;

	kvmclock_scale(tsc_hz, &multiplier, &shift);
	info.tsc_to_system_mul = multiplier;
	info.tsc_shift = shift;
	return guest_write(vm, gpa, &info, sizeof(info)) == OK;
}

bool kvmclock_write(struct kvmclock *clock, struct vm *vm, u32 msr, u64 value, u64 tsc, u64 now_ns, u64 boot_ns)
{
	switch (msr) {
	case MSR_KVM_WALL_CLOCK_OLD:
	case MSR_KVM_WALL_CLOCK:
		clock->wall_clock = value;
		return write_wall_clock(vm, value, boot_ns);
	case MSR_KVM_SYSTEM_TIME_OLD:
	case MSR_KVM_SYSTEM_TIME:
		clock->system_time = value;
		return !(value & ENABLED) || write_system_time(vm, value & ~ENABLED, tsc, now_ns);
	default:
		return false;
	}
}

void kvmclock_refresh(const struct kvmclock *clock, struct vm *vm, u64 tsc, u64 now_ns)
{
	if (clock->system_time & ENABLED)
		write_system_time(vm, clock->system_time & ~ENABLED, tsc, now_ns);
}
