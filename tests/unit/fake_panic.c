/* panic() that cmocka's expect_assert_failure() can catch. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "core/panic.h"

void panic(const char *format, ...)
{
	mock_assert(0, format, "panic", 0);
	abort();
}
