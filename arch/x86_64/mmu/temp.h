/* Temporary mappings, per core: for mmu's own files (root.h has the rest). */
#ifndef ARCH_MMU_TEMP_H
#define ARCH_MMU_TEMP_H

#include "arch/x86_64/mmu/pt.h"

/* Make the tables of TEMP_SLOT in the base root. ERR_MEMORY. */
int temp_init(struct pt *pt);

#endif
