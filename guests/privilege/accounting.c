/*
 * The exits that a piece of code caused, by the hypervisor's own count: `cpuid-accounting = on` in a VM's
 * configuration, and the leaves below (docs/config.md). Asking is itself an exit, of the reason CPUID: that is taken
 * off.
 */
#include "guests/privilege/privilege.h"

#define LEAF_TOTAL    0x4ffffffcu
#define LEAF_EXITS_OF 0x4ffffffeu /* of the reason in ECX */

/* What to ask for: VT-x's reasons, or AMD-V's exit codes as far as instructions cause them. */
struct vendor {
	u32 reasons, cpuid;
	u32 others[3]; /* no instruction's: interrupts, the moment one can be delivered, VT-x's timer, AMD-V's NMI */
	const char *base;     /* 16, for codes; "" for 10 */
};

static const struct vendor vtx = {80, 10, {1, 7, 52}, ""}, amdv = {0xa7, 0x72, {0x60, 0x61, 0x64}, "0x"};

static u32 before[ACCOUNT_REASONS];

static const struct vendor *vendor(void)
{
	return uses_vmmcall() ? &amdv : &vtx;
}

/* The total moves, for asking is itself an exit. A processor alone answers unknown leaves with what never moves. */
bool account_there(void)
{
	static enum { UNKNOWN, ABSENT, THERE } state;

	if (state == UNKNOWN)
		state = *hypervisor_signature() && cpuid(LEAF_TOTAL, 0).eax < cpuid(LEAF_TOTAL, 0).eax ? THERE : ABSENT;
	return state == THERE;
}

static void snapshot(u32 *counts)
{
	for (u32 reason = 0; reason < vendor()->reasons; reason++)
		counts[reason] = cpuid(LEAF_EXITS_OF, reason).eax;
}

void account_start(void)
{
	if (account_there())
		snapshot(before);
}

void account_stop(u32 *exits)
{
	if (!account_there())
		return;
	snapshot(exits);
	for (u32 reason = 0; reason < vendor()->reasons; reason++)
		exits[reason] -= before[reason];
	exits[vendor()->cpuid] -= vendor()->reasons; /* from one reading of this counter to the next */
	for (u32 i = 0; i < ARRAY_SIZE(vendor()->others); i++)
		exits[vendor()->others[i]] = 0;
}

static char *put_number(char *text, u32 value, u32 base)
{
	if (value >= base)
		text = put_number(text, value / base, base);
	*text = "0123456789abcdef"[value % base];
	return text + 1;
}

static char *put_exits(char *at, u32 reason, u32 exits)
{
	const char *base = vendor()->base;

	memcpy(at, base, strlen(base));
	at = put_number(at + strlen(base), reason, *base ? 16 : 10);
	*at++ = ':';
	return put_number(at, exits, 10);
}

void account_text(const u32 *exits, const u32 *idle, char *text, size_t size)
{
	char *at = text;

	memcpy(text, account_there() ? "0" : "-", 2);
	if (!account_there())
		return;
	for (u32 reason = 0; reason < vendor()->reasons && at + 24 < text + size; reason++) {
		if (exits[reason] <= idle[reason])
			continue;
		if (at != text)
			*at++ = ' ';
		at = put_exits(at, reason, exits[reason] - idle[reason]);
		*at = 0;
	}
}
