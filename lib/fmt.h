/* Formatted print into a buffer. Pure. */
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include <stdarg.h>
#include "lib/types.h"

/*
 * As C's snprintf for: %% %c %s %d %i %u %x %X %p, flags '-' and '0', width (also *), precision for %s (also .*),
 * length hh, h, l, ll, z. Returns the length the whole text has, which may exceed size-1; always ends buf with NUL when
 * size > 0.
 */
int fmt_vprint(char *buf, size_t size, const char *format, va_list args);
int fmt_print(char *buf, size_t size, const char *format, ...) PRINTF(3, 4);

#endif
