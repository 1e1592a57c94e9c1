// guest: 32 64
/*
 * The privilege laboratory: every privileged instruction of x86, every one that is sensitive without being privileged
 * (the seventeen of Robin and Irvine, "Analysis of the Intel Pentium's Ability to Support a Secure Virtual Machine
 * Monitor", 2000), and the modern ones, run in ring 0 and in ring 3. Popek and Goldberg asked that all sensitive
 * instructions trap in ring 3: the second table shows which do not. Up to the mark "||" a line is the same on every
 * processor of a kind and under every hypervisor that does its work. Behind it, in ring 0 and in ring 3: the exits that
 * one run caused, as reason:number, by the hypervisor's own count ("-": there is none, or it shows guests nothing), and
 * ticks, less those of an empty function. The columns before it name what the manuals say can exit. The same as CSV:
 * lines "csv,...", the last four columns being those.
 */
#include "guests/privilege/privilege.h"

#define RUNS	   8
#define FLAG_FIXED 2
#define DR7_IDLE   0x400
#define ALARM	   60 /* PIT ticks: 50 microseconds */

struct measured {
	char result[24];
	char exits[48];
	long long ticks;
};

static word empty(word ring UNUSED)
{
	return 0;
}

/* What a row that sleeps is held against: the alarm comes, but nobody sleeps. In ring 3 nothing waits for it. */
static word stay_awake(word ring)
{
	if (ring)
		return 0;
	sti();
	while (!alarm_rang)
		pause();
	cli();
	return 0;
}

static bool available(const struct feature *feature)
{
	struct cpuid_leaf leaf;
	u32 value[4];

	if (!feature->leaf)
		return true;
	if (cpuid(feature->leaf & 0x80000000, 0).eax < feature->leaf)
		return false;
	leaf = cpuid(feature->leaf, 0);
	memcpy(value, &leaf, sizeof(value));
	return value[feature->reg] >> feature->bit & 1;
}

static u64 run_once(const struct row *row, int ring, word (*function)(word), word *value)
{
	u64 start, ticks;

	if (row->sleeps)
		alarm(ALARM);
	start = rdtsc();
	faults_in_ring(ring, function, (word)ring, FLAG_FIXED, value);
	ticks = rdtsc() - start;
	if (row->sleeps)
		pic_mask(0xffff); /* an alarm that nobody waited for is not to ring in a later row */
	return ticks;
}

static void count_exits(const struct row *row, int ring, word (*function)(word), word *value, u32 *exits)
{
	account_start();
	run_once(row, ring, function, value);
	account_stop(exits);
}

/* The shortest of some runs. */
static u64 shortest(const struct row *row, int ring, word (*function)(word))
{
	u64 best = ~0ull, ticks;

	for (u32 i = 0; i < RUNS; i++) {
		ticks = run_once(row, ring, function, NULL);
		best = ticks < best ? ticks : best;
	}
	return best;
}

static void put_hex(char *text, const char *before, u64 value, const char *after)
{
	char digits[17];
	u32 at = sizeof(digits) - 1;

	digits[at] = 0;
	do {
		digits[--at] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	for (; *before; before++)
		*text++ = *before;
	for (; digits[at]; at++)
		*text++ = digits[at];
	for (; *after; after++)
		*text++ = *after;
	*text = 0;
}

static void put_result(const struct row *row, word value, char *text)
{
	const char *name = vector_name(fault.vector);

	if (fault.taken && fault.vector >= VECTOR_TS && fault.vector <= VECTOR_PF) {
		memcpy(text, name, 3);
		put_hex(text + 3, "(0x", fault.error, ")");
	} else if (fault.taken) {
		memcpy(text, name, strlen(name) + 1);
	} else if (row->hidden) {
		memcpy(text, "runs", 5);
	} else {
		put_hex(text, "runs: 0x", value, "");
	}
}

static void measure(const struct row *row, int ring, struct measured *measured)
{
	static u32 exits[ACCOUNT_REASONS], idle[ACCOUNT_REASONS]; /* static: they outlive faults */
	word cr4 = read_cr4(), value = 0;

	write_cr4(cr4 | row->cr4);
	open_probe_gate();
	count_exits(row, ring, row->sleeps ? stay_awake : empty, NULL, idle);
	count_exits(row, ring, row->run, &value, exits);
	account_text(exits, idle, measured->exits, sizeof(measured->exits));
	put_result(row, value, measured->result);
	measured->ticks = (long long)shortest(row, ring, row->run) - (long long)shortest(row, ring, empty);
	write_cr4(cr4);
	write_dr7(DR7_IDLE);
	segments_init();
	traps_init();
}

static void print_row(const char *kind, const struct row *row)
{
	static struct measured inner, outer; /* static: they outlive faults */

	if (!available(&row->feature) || (row->sleeps && !timer_there())) {
		print("%-28s %s\n", row->name,
		      available(&row->feature) ? "no timer here to wake it" : "not on this processor");
		return;
	}
	measure(row, 0, &inner);
	measure(row, 3, &outer);
	print("%-28s %-19s %-19s %-26s %-22s || %-9s %-9s %6lld %6lld\n", row->name, inner.result, outer.result,
	      row->vtx, row->svm, inner.exits, outer.exits, inner.ticks, outer.ticks);
	print("csv,%u,%s,\"%s\",\"%s\",\"%s\",\"%s\",\"%s\",%s,%s,%lld,%lld\n", (u32)sizeof(word) * 8, kind, row->name,
	      inner.result, outer.result, row->vtx, row->svm, inner.exits, outer.exits, inner.ticks, outer.ticks);
}

static void print_table(const char *kind, const char *title, const struct row *rows)
{
	print("\n== %s\n", title);
	print("%-28s %-19s %-19s %-26s %-22s || %-9s %-9s %6s %6s\n", "instruction", "ring 0", "ring 3",
	      "VT-x exit (reason)", "AMD-V intercept", "exits 0", "exits 3", "ticks0", "ticks3");
	for (; rows->name; rows++)
		print_row(kind, rows);
}

int guest_main(void)
{
	print("==== privilege, %u bits ====\n", (u32)sizeof(word) * 8);
	print("csv,bits,class,instruction,ring0,ring3,vtx,svm,exits0,exits3,ticks0,ticks3\n");
	print_table("privileged", "Privileged instructions: trap in ring 3", privileged_rows);
	print_table("sensitive", "Sensitive, but not privileged: why x86 was not virtualizable", sensitive_rows);
	print_table("modern", "What came later", modern_rows);
	print_table("width", sizeof(word) == 4 ? "Only outside 64-bit mode" : "Only in 64-bit mode", width_rows);
	if (sizeof(word) == 4)
		second_half();
	return 0;
}
