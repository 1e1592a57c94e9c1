/* panic() for unit tests: fails the test, or ends the child of expect_panic() with a status of its own. */
#ifndef TESTS_UNIT_FAKE_PANIC_H
#define TESTS_UNIT_FAKE_PANIC_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/panic.h"

#define PANIC_STATUS 42

static bool panic_expected;

void panic(const char *format, ...)
{
	va_list args;

	if (panic_expected)
		_exit(PANIC_STATUS);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	abort();
}

/* What follows runs in a child, which must panic: locks held at the panic are nobody's business afterwards. */
#define expect_panic(expression)                                                                                       \
	do {                                                                                                           \
		int status_ = 0;                                                                                       \
		pid_t child_ = fork();                                                                                 \
		if (child_ == 0) {                                                                                     \
			panic_expected = true;                                                                         \
			expression;                                                                                    \
			_exit(0);                                                                                      \
		}                                                                                                      \
		assert_true(child_ > 0 && waitpid(child_, &status_, 0) == child_);                                     \
		assert_true(WIFEXITED(status_));                                                                       \
		assert_int_equal(WEXITSTATUS(status_), PANIC_STATUS);                                                  \
	} while (0)

#endif
