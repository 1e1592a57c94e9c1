/*
 * Ticket spinlock. The hypervisor runs with interrupts off (it takes them in guest mode and in the idle halt only),
 * so there is no interrupt-saving variant. NMI and #MC handlers take no lock.
 */
#ifndef CORE_LOCK_H
#define CORE_LOCK_H

#include "lib/types.h"

struct spinlock {
	u32 next, owner;
};

#define SPINLOCK_INIT {0, 0}

static inline void lock_acquire(struct spinlock *lock)
{
	u32 ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	if (LIKELY(__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) == ticket))
		return;
	do
		__builtin_ia32_pause();
	while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket);
}

/* Take the lock if nobody holds or waits for it. */
static inline bool lock_try(struct spinlock *lock)
{
	u32 owner = __atomic_load_n(&lock->owner, __ATOMIC_RELAXED);
	u32 expected = owner;

	return __atomic_compare_exchange_n(&lock->next, &expected, owner + 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline void lock_release(struct spinlock *lock)
{
	__atomic_store_n(&lock->owner, lock->owner + 1, __ATOMIC_RELEASE);
}

#endif
