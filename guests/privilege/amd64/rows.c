/* Rows that only 64-bit mode has. */
#include "guests/privilege/privilege.h"

static word run_read_cr8(word ring UNUSED)
{
	word value;

	__asm__ volatile("mov %%cr8, %0" : "=r"(value));
	return value;
}

static word run_write_cr8(word ring UNUSED)
{
	__asm__ volatile("mov %0, %%cr8" : : "r"(0ul));
	return 0;
}

/* Twice, so that it leaves things as they were. */
static word run_swapgs(word ring UNUSED)
{
	__asm__ volatile("swapgs; swapgs" : : : "memory");
	return 0;
}

static word run_rdfsbase(word ring UNUSED)
{
	word value;

	__asm__ volatile("rdfsbase %0" : "=r"(value));
	return value;
}

const struct row width_rows[] = {
	ROW("MOV from CR8", run_read_cr8, "CR access (28), if set", "CR8 read (0x08)"),
	ROW("MOV to CR8", run_write_cr8, "CR access (28), if set", "CR8 write (0x18)"),
	ROW("SWAPGS", run_swapgs, "never", "never"),
	ROW("RDFSBASE, CR4.FSGSBASE = 0", run_rdfsbase, "never", "never", .feature = FEATURE(7, EBX, 0)),
	ROW("RDFSBASE, CR4.FSGSBASE = 1", run_rdfsbase, "never", "never", .feature = FEATURE(7, EBX, 0),
	    .cr4 = CR4_FSGSBASE),
	{.name = NULL},
};
