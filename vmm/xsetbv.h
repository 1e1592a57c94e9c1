/* Which values XCR0 may have. Pure. */
#ifndef VMM_XSETBV_H
#define VMM_XSETBV_H

#include "lib/types.h"

/* `supported`: the bits CPUID leaf 0xD shows. */
bool xcr0_valid(u64 value, u64 supported);

#endif
