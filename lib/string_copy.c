/*
 * The one string function that libc does not have: apart from lib/string.c, so that host builds can link it beside
 * libc.
 */
#include "lib/string.h"

bool string_copy(char *dst, size_t size, const char *src)
{
	size_t i;

	if (!size)
		return *src == 0;
	for (i = 0; i < size - 1 && src[i]; i++)
		dst[i] = src[i];
	dst[i] = 0;
	return src[i] == 0;
}
