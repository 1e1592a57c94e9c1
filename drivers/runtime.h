/* UEFI runtime services, of which only ResetSystem() is used. */
#ifndef DRIVERS_RUNTIME_H
#define DRIVERS_RUNTIME_H

#include "boot/boot_info.h"
#include "lib/types.h"

/* UEFI specification "EFI_RUNTIME_SERVICES.ResetSystem()". */
enum runtime_reset {
	RUNTIME_RESET_COLD = 0,
	RUNTIME_RESET_WARM = 1,
	RUNTIME_RESET_SHUTDOWN = 2,
};

/* Find ResetSystem() and what it needs mapped, while the loader's memory map is still there. Boot core, once. */
void runtime_init(const struct boot_info *info);
/*
 * Call ResetSystem(). Returns only when that did not work, with the reason. No other core may run; five seconds at
 * most.
 */
const char *runtime_reset(enum runtime_reset type);

#endif
