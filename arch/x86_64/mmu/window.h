/*
 * Copies into and out of the window: the RAM of the VM whose root this core has in CR3. Whoever calls has checked slots
 * and rights (vmm/guest_memory.c); what is not mapped faults and comes back as an error (exception table), never as a
 * panic. Window pages are user pages, opened by STAC only inside these copies, on a core whose CR4.SMAP is set.
 *
 * Each byte of the guest is read or written once, so that a guest that changes it meanwhile cannot make us see two
 * values. A naturally aligned access of 1, 2, 4 or 8 bytes is one access of that size, as a device or a page walk needs
 * it (SDM "Guaranteed Atomic Operations"). All return OK, or ERR_RANGE when a byte lies above WINDOW_SIZE or is not
 * mapped; the bytes before it may then have been copied.
 */
#ifndef ARCH_MMU_WINDOW_H
#define ARCH_MMU_WINDOW_H

#include "core/layout.h"
#include "lib/types.h"

/* A naturally aligned word of guest memory, and a value it had. */
struct window_word {
	gpa_t gpa;
	u64 value;
};

int window_read(void *to, gpa_t gpa, u64 size);
int window_write(gpa_t gpa, const void *from, u64 size);
/*
 * Locked compare and exchange of `size` (4 or 8) naturally aligned bytes. *expected becomes what was there; it was
 * exchanged when that is what the caller expected. ERR_INVALID: bad size or alignment.
 */
int window_compare_exchange(gpa_t gpa, u32 size, u64 *expected, u64 desired);

/* window.asm: 0, or 1 after a fault or a difference. */
int window_compare(const struct window_word *word, u32 count, const void *window);

/*
 * Whether each of at least one word, all of which were read by window_read() before, has its value now. They are read
 * in this order.
 */
static inline bool window_unchanged(const struct window_word *word, u32 count)
{
	return !window_compare(word, count, (const void *)WINDOW_BASE);
}

#endif
