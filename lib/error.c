/* Error values in words. */
#include "lib/error.h"

static const char *const names[] = {
	[-OK] = "no error",
	[-ERR_INVALID] = "invalid argument",
	[-ERR_MEMORY] = "out of memory",
	[-ERR_RANGE] = "address out of range",
	[-ERR_UNSUPPORTED] = "not supported",
	[-ERR_EXISTS] = "already exists",
	[-ERR_MISSING] = "not found",
	[-ERR_DENIED] = "not allowed",
	[-ERR_FORMAT] = "wrong format",
	[-ERR_TIMEOUT] = "no answer in time",
};

const char *error_name(int error)
{
	if (error > 0 || error <= -(int)ARRAY_SIZE(names))
		return "unknown error";
	return names[-error];
}
