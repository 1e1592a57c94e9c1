/*
 * XSAVE areas in a form that does not depend on how this machine saves them: the standard format (SDM vol. 1 "Standard
 * Format of Extended Region"), which XRSTOR and other machines understand. Not pure: asks CPUID for the layout.
 */
#ifndef ARCH_CPU_XSTATE_IMAGE_H
#define ARCH_CPU_XSTATE_IMAGE_H

#include "lib/types.h"

/*
 * From an area that xstate_save() or xstate_reset() filled. Returns the bytes of `image` that count; the rest is not
 * touched.
 */
u32 xstate_export(const void *area, void *image, u32 size);
/*
 * Into an area. ERR_INVALID: too short, or a reserved bit of MXCSR; ERR_UNSUPPORTED: it holds a component this machine
 * does not save.
 */
int xstate_import(void *area, const void *image, u32 size);

#endif
