/* A VM whose RAM is an array here: what the loaders write into. */
#ifndef TESTS_UNIT_FAKE_RAM_H
#define TESTS_UNIT_FAKE_RAM_H

#include "vmm/vm.h"

#define FAKE_RAM_POISON 0xcc /* what no one wrote: 0 in a VM of guest_memory_add() */

extern u8 *ram;	      /* guest-physical 0 */
extern struct vm *vm; /* owns it */

/* Make a VM of that many bytes of RAM, all poison; 0, else -1 as cmocka's set-up wants it. */
int fake_ram_make(u64 size);

/* Free both. */
void fake_ram_free(void);

#endif
