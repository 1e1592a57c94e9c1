/* I/O and MSR permission maps (APM vol. 2 "IOIO Intercepts" and "MSR Intercepts"). A set bit intercepts. Pure. */
#ifndef ARCH_SVM_MAPS_H
#define ARCH_SVM_MAPS_H

#include "lib/types.h"

#define IO_MAP_SIZE  (12 * KIB) /* 64 Ki ports and 3 bytes of overrun, in whole pages */
#define MSR_MAP_SIZE (8 * KIB)

/* Set or clear the two bits of an MSR. False: the map does not cover the MSR (such an access always exits). */
bool msr_map_set(u8 *map, u32 msr, bool read, bool write);
/* Whether an access exits. */
bool msr_map_test(const u8 *map, u32 msr, bool write);

#endif
