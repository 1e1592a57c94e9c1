// guest: 32
/*
 * Never halts: counts as fast as it can for `seconds=N` (3) of hypervisor time, with a mark each second, then prints
 * its count. Two of them on one core show whether the scheduler is fair.
 */
#include "guests/lib/guest.h"

#define NS_PER_SECOND 1000000000ull
#define ROUND	      50000 /* counts between two looks at the clock, so that counting is most of what is done */

int guest_main(void)
{
	u64 seconds = option_number("seconds", 3), count = 0, start = time_ns(), now = start;

	print("spinning for %llu s, time by %s\n", (unsigned long long)seconds, time_source());
	for (u64 second = 1; second <= seconds; second++) {
		while (now - start < second * NS_PER_SECOND) {
			for (volatile u32 i = 0; i < ROUND; i++)
				;
			count += ROUND;
			now = time_ns();
		}
		print("second %llu: count %llu\n", (unsigned long long)second, (unsigned long long)count);
	}
	print("done: count %llu in %llu ms\n", (unsigned long long)count, (unsigned long long)(now - start) / 1000000);
	return 0;
}
