/* The hypervisor's exit counts as guests see them: CPUID leaf 0x4ffffffe, exits of the reason in ECX (cpuid-accounting = on). */
#include "guests/privilege/privilege.h"

#define LEAF_TOTAL    0x4ffffffcu
#define LEAF_EXITS_OF 0x4ffffffeu
#define REASON_CPUID_VTX 10
#define REASON_CPUID_SVM 0x72

static u32 before[ACCOUNT_REASONS], after[ACCOUNT_REASONS], idle[ACCOUNT_REASONS];

/* The total moves, for asking is itself an exit. A processor alone answers unknown leaves with what never moves. */
bool account_there(void)
{
	return *hypervisor_signature() && cpuid(LEAF_TOTAL, 0).eax < cpuid(LEAF_TOTAL, 0).eax;
}

static void snapshot(u32 *counts)
{
	for (u32 reason = 0; reason < ACCOUNT_REASONS; reason++)
		counts[reason] = cpuid(LEAF_EXITS_OF, reason).eax;
}

void account_start(void)
{
	if (!account_there())
		return;
	snapshot(before); /* what asking twice costs in itself is taken off later */
	snapshot(idle);
	for (u32 reason = 0; reason < ACCOUNT_REASONS; reason++)
		idle[reason] -= before[reason];
	snapshot(before);
}

static char *put_decimal(char *text, u32 value)
{
	if (value >= 10)
		text = put_decimal(text, value / 10);
	*text = (char)('0' + value % 10);
	return text + 1;
}

void account_stop(char *text, size_t size)
{
	char *at = text;

	memcpy(text, "-", 2);
	if (!account_there())
		return;
	snapshot(after);
	memcpy(text, "0", 2);
	for (u32 reason = 0; reason < ACCOUNT_REASONS && at + 16 < text + size; reason++) {
		u32 exits = after[reason] - before[reason] - idle[reason];

		/* account_there() asked twice, which counts as one of these two */
		exits -= (reason == REASON_CPUID_VTX || reason == REASON_CPUID_SVM) && exits >= 2 ? 2 : 0;
		if (!exits)
			continue;
		if (at != text)
			*at++ = ' ';
		at = put_decimal(at, reason);
		*at++ = ':';
		at = put_decimal(at, exits);
		*at = 0;
	}
}
