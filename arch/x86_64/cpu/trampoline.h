/*
 * The code and page tables in low memory on which other cores wake up (trampoline.asm). Used by the boot core while it
 * starts them.
 */
#ifndef ARCH_CPU_TRAMPOLINE_H
#define ARCH_CPU_TRAMPOLINE_H

#include "lib/types.h"

/* Fill the pages at `pa`: BOOT_TRAMPOLINE_PAGES of them, below 1 MiB. They stay ours for good: a core may come late. */
int trampoline_prepare(paddr_t pa, u32 size);
/* The core with this APIC ID may come: it gets the number and the stack. */
void trampoline_offer(u32 apic_id, u32 index, u64 stack_top);
/* Whether it has taken the offer. */
bool trampoline_claimed(void);
/* Take the offer back. False: it has been taken meanwhile. */
bool trampoline_withdraw(void);

#endif
