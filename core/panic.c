#include "core/panic.h"
#include "core/log.h"
#include "lib/fmt.h"

#define NOBODY (~0u)

static const struct panic_ops *ops;
static u32 speaker = NOBODY; /* atomic: index of the core that panicked first */
static char text[256];	     /* the speaker's */

void panic_set_ops(const struct panic_ops *given)
{
	ops = given;
}

static NORETURN void halt(void)
{
	if (ops && ops->halt)
		ops->halt();
	for (;;)
		__builtin_ia32_pause();
}

static NORETURN void say_last_line(u32 core)
{
	log_line(PANIC_LINE " core %u: %s", core, text);
	log_flush();
	halt();
}

void panic(const char *format, ...)
{
	u32 core = ops && ops->core ? ops->core() : 0;
	u32 first = NOBODY;
	va_list args;

	if (!__atomic_compare_exchange_n(&speaker, &first, core, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		/* Our own panic failed on its way: what it had to say still counts more than why. */
		if (first == core)
			say_last_line(core);
		halt();
	}
	va_start(args, format);
	fmt_vprint(text, sizeof(text), format, args);
	va_end(args);
	log_emergency();
	if (ops && ops->stop_others)
		ops->stop_others();
	/* The line that ends a watched run comes last, when all that explains it is out. */
	if (ops && ops->backtrace)
		ops->backtrace();
	say_last_line(core);
}
