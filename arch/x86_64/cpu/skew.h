/* How far two cores' TSCs are apart: 64 exchanges through memory, the boot core asking. */
#ifndef ARCH_CPU_SKEW_H
#define ARCH_CPU_SKEW_H

#include "lib/types.h"

/*
 * Boot core: the other's TSC minus ours, 0 when it cannot be told from 0; *error is the bound. ERR_TIMEOUT: the other
 * never answered.
 */
int skew_measure(s64 *skew, u64 *error);
/* The other core, while the boot core measures. */
void skew_answer(void);

#endif
