#include "arch/x86_64/cpu/skew.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/tsc_math.h"
#include "core/time.h"

#define EXCHANGES  64u
#define TIMEOUT_MS 5000u

static u32 asked, answered; /* atomic: number of the exchange; `answered` is the other core's */
static u64 other_tsc;	    /* written before `answered` */

/* RDTSC may run ahead of earlier loads (SDM vol. 2 "RDTSC"). */
static u64 ordered_tsc(void)
{
	u64 tsc;

	__asm__ volatile("lfence" : : : "memory");
	tsc = rdtsc();
	__asm__ volatile("lfence" : : : "memory");
	return tsc;
}

static int exchange(u32 number, struct tsc_exchange *e)
{
	u64 limit = rdtsc() + ms_to_ticks(TIMEOUT_MS);

	e->before = ordered_tsc();
	__atomic_store_n(&asked, number, __ATOMIC_RELEASE);
	while (__atomic_load_n(&answered, __ATOMIC_ACQUIRE) != number) {
		if (rdtsc() > limit)
			return ERR_TIMEOUT;
	}
	e->after = ordered_tsc();
	e->other = other_tsc;
	return OK;
}

int skew_measure(s64 *skew, u64 *error)
{
	struct tsc_exchange exchanges[EXCHANGES];

	for (u32 i = 0; i < EXCHANGES; i++) {
		int result = exchange(i + 1, &exchanges[i]);

		if (result)
			return result;
	}
	*skew = tsc_skew(exchanges, EXCHANGES, error);
	__atomic_store_n(&asked, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&answered, 0, __ATOMIC_RELEASE);
	return OK;
}

void skew_answer(void)
{
	for (u32 number = 1; number <= EXCHANGES; number++) {
		while (__atomic_load_n(&asked, __ATOMIC_ACQUIRE) != number)
			;
		other_tsc = ordered_tsc();
		__atomic_store_n(&answered, number, __ATOMIC_RELEASE);
	}
}
