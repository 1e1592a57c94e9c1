// guest: 64
/*
 * What an exit costs, by RDTSC: each operation a thousand times after a hundred to warm up, net of its set-up. On Bochs
 * with one core a tick is an instruction and the numbers are exact; natively they are what the instruction alone takes.
 * Rows whose devices are not there say so. CSV on the console: lines "bench,operation,median,min,mean".
 */
#include "guests/bench/bench.h"

struct statistics {
	u32 median, min, mean;
};

static u32 samples[SAMPLES];

/* Shell sort: small, in place, fast enough for a thousand. */
static void sort(u32 *values, u32 count)
{
	for (u32 gap = count / 2; gap > 0; gap /= 2) {
		for (u32 i = gap; i < count; i++) {
			u32 value = values[i], j = i;

			for (; j >= gap && values[j - gap] > value; j -= gap)
				values[j] = values[j - gap];
			values[j] = value;
		}
	}
}

static struct statistics sample(sampler take, u64 argument)
{
	u64 sum = 0;

	for (u32 i = 0; i < WARM_UP; i++)
		take(argument);
	for (u32 i = 0; i < SAMPLES; i++) {
		samples[i] = take(argument);
		sum += samples[i];
	}
	sort(samples, SAMPLES);
	return (struct statistics){samples[SAMPLES / 2], samples[0], (u32)(sum / SAMPLES)};
}

/*
 * One more, of which Bochs's debugger writes down every instruction (tools/profile.py), before the row is printed. To
 * all else a mark is an instruction that does nothing. The one before it is where the slice ends that our own work has
 * used up.
 */
static void trace(sampler take, u64 argument)
{
	take(argument);
	__asm__ volatile("xchg %bx, %bx");
	take(argument);
	__asm__ volatile("xchg %bx, %bx");
}

static void print_row(const char *operation, sampler full, u64 argument, u32 setup)
{
	struct statistics gross = sample(full, argument);

	trace(full, argument);
	print("bench,%s,%d,%d,%d\n", operation, (int)(gross.median - setup), (int)(gross.min - setup),
	      (int)(gross.mean - setup));
}

void row(const char *operation, sampler full, sampler empty, u64 argument)
{
	print_row(operation, full, argument, sample(empty, argument).median);
}

void row_net(const char *operation, sampler full, u64 argument)
{
	print_row(operation, full, argument, 0);
}

void no_row(const char *operation, const char *why)
{
	print("skip %s: %s\n", operation, why);
}

/*
 * For the hypervisor's own accounting: nothing but giving the core away, without a word. Of one time, `traced`, every
 * instruction is written down until the core is back, so also those of the other VMs' switches.
 */
static void give_away(u64 times, u64 traced)
{
	for (u64 i = 1; i <= times; i++) {
		if (i == traced)
			__asm__ volatile("xchg %bx, %bx");
		hypercall(HYPERCALL_YIELD, 0, 0, 0, 0);
		if (i == traced)
			__asm__ volatile("xchg %bx, %bx");
	}
}

int guest_main(void)
{
	u64 yields = option_number("yields", 0);

	if (yields) {
		give_away(yields, option_number("traced", 0));
		return 0;
	}
	print("bench,operation,median,min,mean\n");
	if (option_number("fresh", 0)) {
		bench_fresh();
	} else {
		bench_instructions();
		bench_memory();
		bench_interrupts();
	}
	print("bench done\n");
	return 0;
}
