/* The test kit: checks that report a line each, and their sum. */
#include "guests/lib/guest.h"

static u32 passed, failed;

static bool count(const char *name, bool ok)
{
	*(ok ? &passed : &failed) += 1;
	print("%s %s", ok ? "pass" : "FAIL", name);
	if (ok)
		print("\n");
	return ok;
}

void check_report(const char *name, bool ok, const char *file, int line, const char *text)
{
	if (!count(name, ok))
		print(": %s:%d: not true: %s\n", file, line, text);
}

void check_value(const char *name, u64 is, u64 should, const char *file, int line)
{
	if (!count(name, is == should))
		print(": %s:%d: is 0x%llx, should be 0x%llx\n", file, line, (unsigned long long)is,
		      (unsigned long long)should);
}

void check_fault(const char *name, u32 vector, u32 error, const char *file, int line)
{
	if (count(name, fault.taken && fault.vector == vector && fault.error == error))
		return;
	print(": %s:%d: expected %s with error 0x%x, ", file, line, vector_name(vector), error);
	if (fault.taken)
		print("got %s with error 0x%x at 0x%lx\n", vector_name(fault.vector), fault.error, fault.ip);
	else
		print("got no fault\n");
}

void check_no_fault(const char *name, const char *file, int line)
{
	if (!count(name, !fault.taken))
		print(": %s:%d: expected no fault, got %s with error 0x%x at 0x%lx\n", file, line,
		      vector_name(fault.vector), fault.error, fault.ip);
}

void check_skip(const char *name, const char *why)
{
	print("skip %s: %s\n", name, why);
}

int check_summary(void)
{
	print("%u passed, %u failed\n", passed, failed);
	return failed ? 1 : 0;
}

extern const struct check_group checks_start[], checks_end[];

#define CR0_START (sizeof(word) == 8 ? (word)0x80000031 : 0x31) /* as start.asm sets them */
#define CR4_START (sizeof(word) == 8 ? 0x20 : 0)
#define DR7_START 0x400
#define FLAGS_START 2

/* The machine as at the start, whatever the group before has left. */
static void machine_reset(void)
{
	for (u32 vector = 0; vector < 256; vector++)
		trap_handle((u8)vector, NULL);
	write_flags(FLAGS_START);
	write_dr7(DR7_START);
	write_cr0(CR0_START);
	write_cr4(CR4_START);
	segments_init();
	traps_init();
}

/* Whether `name` is one of the words of `list`, which have commas between them. */
static bool listed(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = list; *at; at++)
		if ((at == list || at[-1] == ',') && !strncmp(at, name, length) && (at[length] == ',' || !at[length]))
			return true;
	return false;
}

/* skip=GROUP,GROUP on the command line leaves groups out: for a machine that does not survive them. */
__attribute__((weak)) int guest_main(void)
{
	char left_out[128] = "";

	option_text("skip", left_out, sizeof(left_out));
	for (const struct check_group *group = checks_start; group < checks_end; group++) {
		print("== %s\n", group->name);
		if (listed(left_out, group->name)) {
			check_skip(group->name, "left out by skip=");
			continue;
		}
		machine_reset();
		group->run();
	}
	return check_summary();
}
