/* Entry into C: called once by arch/x86_64/cpu/entry.asm on the boot core's own stack. */
#ifndef VMM_MAIN_H
#define VMM_MAIN_H

#include "lib/types.h"

/* `boot_info`: physical address of struct boot_info. Does not return. */
void kernel_main(paddr_t boot_info);

#endif
