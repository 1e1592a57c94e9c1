/* Rows that only 32-bit protected mode has. */
#include "guests/privilege/privilege.h"

static word run_push_cs(word ring UNUSED)
{
	word value;

	__asm__ volatile("push %%cs; pop %0" : "=r"(value));
	return value & 0xffff;
}

/* Takes the stack segment of the ring we are in: fine in every ring, and says nothing of which it is. */
static word run_pop_ss(word ring UNUSED)
{
	__asm__ volatile("push %%ss; pop %%ss" : : : "memory");
	return 0;
}

static word run_pop_ds(word ring UNUSED)
{
	__asm__ volatile("push %0; pop %%ds" : : "r"((word)DATA(0)) : "memory");
	return 0;
}

const struct row width_rows[] = {
	ROW("PUSH CS", run_push_cs, "never", "never"),
	ROW("POP SS, one's own", run_pop_ss, "never", "never"),
	ROW("POP DS, kernel's data", run_pop_ds, "never", "never"),
	{.name = NULL},
};
