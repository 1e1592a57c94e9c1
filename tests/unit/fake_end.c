/* vm_end() for tests of single handlers: keeps what was said. */
#include <stdarg.h>
#include <stdio.h>

#include "tests/unit/fake_engine.h"

void vm_end(struct vm *vm, enum vm_end_cause cause, u64 code, const char *format, ...)
{
	struct fake *fake = CONTAINER_OF(vm, struct fake, vm);
	va_list args;

	fake->ends++;
	fake->end_cause = cause;
	fake->end_code = code;
	va_start(args, format);
	vsnprintf(fake->end_text, sizeof(fake->end_text), format, args);
	va_end(args);
}
