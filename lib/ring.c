/* Byte ring. head and tail run freely and wrap at 2^32, which a power-of-two size divides. */
#include "lib/ring.h"
#include "lib/string.h"

void ring_init(struct ring *ring, void *memory, u32 size)
{
	*ring = (struct ring){.bytes = memory, .size = size};
}

u32 ring_used(const struct ring *ring)
{
	return ring->head - ring->tail;
}

u32 ring_free(const struct ring *ring)
{
	return ring->size - ring_used(ring);
}

u32 ring_put(struct ring *ring, const void *bytes, u32 n)
{
	u32 at = ring->head & (ring->size - 1);
	u32 first;

	n = MIN(n, ring_free(ring));
	first = MIN(n, ring->size - at);
	memcpy(ring->bytes + at, bytes, first);
	memcpy(ring->bytes, (const u8 *)bytes + first, n - first);
	ring->head += n;
	return n;
}

u32 ring_get(struct ring *ring, void *bytes, u32 n)
{
	u32 at = ring->tail & (ring->size - 1);
	u32 first;

	n = MIN(n, ring_used(ring));
	first = MIN(n, ring->size - at);
	memcpy(bytes, ring->bytes + at, first);
	memcpy((u8 *)bytes + first, ring->bytes, n - first);
	ring->tail += n;
	return n;
}
