/* Byte ring of a power-of-two size over memory the caller owns. Pure; the caller provides the locking. */
#ifndef LIB_RING_H
#define LIB_RING_H

#include "lib/types.h"

struct ring {
	u8 *bytes;
	u32 size;	/* power of two */
	u32 head, tail; /* free-running: used = head - tail */
};

void ring_init(struct ring *ring, void *memory, u32 size);
u32 ring_used(const struct ring *ring);
u32 ring_free(const struct ring *ring);
/* Put at most n bytes; returns how many fitted. */
u32 ring_put(struct ring *ring, const void *bytes, u32 n);
/* Take at most n bytes out; returns how many there were. */
u32 ring_get(struct ring *ring, void *bytes, u32 n);

#endif
