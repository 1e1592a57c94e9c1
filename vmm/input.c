#include "vmm/input.h"
#include "arch/x86_64/cpu/insn.h"
#include "core/log.h"
#include "core/time.h"
#include "lib/string.h"
#include "vmm/core.h"
#include "vmm/vm.h"

/* This often, and at most so much, which is what a serial port's FIFO holds. */
#define PERIOD_US 10000
#define AT_ONCE	  16u

/* Of the core that looks. What the VM does not take waits here, and what comes after it in the consoles. */
static struct timer timer;
static char typed[AT_ONCE];
static u32 waiting;

/* No console interrupts when a key comes: somebody has to look. */
static void look(struct timer *spent)
{
	u32 taken;
	int byte;

	while (waiting < AT_ONCE && (byte = console_read()) >= 0)
		typed[waiting++] = (char)byte;
	if (waiting) {
		taken = vm_type(house->config->console, typed, waiting);
		waiting -= taken;
		memmove(typed, typed + taken, waiting);
	}
	timer_arm(spent, rdtsc() + us_to_ticks(PERIOD_US));
}

void input_start(void)
{
	timer_init(&timer, look);
	look(&timer);
}
