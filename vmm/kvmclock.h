/*
 * KVM's paravirtual clock, which Linux knows: a guest tells where a structure is to be, and reads there how to make VM
 * time of its TSC (Linux, Documentation/virt/kvm/x86/msr.rst and cpuid.rst). Pure.
 */
#ifndef VMM_KVMCLOCK_H
#define VMM_KVMCLOCK_H

#include "lib/types.h"

struct vm;

#define MSR_KVM_WALL_CLOCK_OLD	0x11u
#define MSR_KVM_SYSTEM_TIME_OLD 0x12u
#define MSR_KVM_WALL_CLOCK	0x4b564d00u
#define MSR_KVM_SYSTEM_TIME	0x4b564d01u

/* CPUID leaf 0x40000100: EBX, ECX, EDX; leaf 0x40000101: EAX. */
#define KVM_SIGNATURE		"KVMKVMKVM\0\0"
#define KVM_FEATURE_CLOCK_OLD	BIT(0)
#define KVM_FEATURE_NO_IO_DELAY BIT(1)
#define KVM_FEATURE_CLOCK	BIT(3)
#define KVM_FEATURE_STABLE_TSC	BIT(24)

/* What the MSRs hold. */
struct kvmclock {
	u64 wall_clock, system_time;
};

/* How TSC ticks become nanoseconds: ((ticks << shift, or >> -shift) * multiplier) >> 32. hz > 0. */
void kvmclock_scale(u64 hz, u32 *multiplier, s8 *shift);
/* False: no such MSR. */
bool kvmclock_read(const struct kvmclock *clock, u32 msr, u64 *value);
/*
 * False: #GP(0): no such MSR, or an address outside RAM. `tsc` is the guest's TSC when VM time is `now_ns`; `boot_ns`
 * the time of day, since 1970, when VM time was 0.
 */
bool kvmclock_write(struct kvmclock *clock, struct vm *vm, u32 msr, u64 value, u64 tsc, u64 now_ns, u64 boot_ns);
/* The guest's TSC was set: tell it anew. */
void kvmclock_refresh(const struct kvmclock *clock, struct vm *vm, u64 tsc, u64 now_ns);

#endif
