#include "drivers/physical.h"
#include "arch/x86_64/mmu/root.h"
#include "lib/string.h"

#define PHYSICAL_LIMIT BIT(52) /* no processor has more address bits (SDM vol. 3 "Physical Address Space") */

bool physical_read(void *context UNUSED, paddr_t pa, void *to, u64 size)
{
	u8 *out = to;

	if (pa > PHYSICAL_LIMIT || size > PHYSICAL_LIMIT - pa)
		return false;
	while (size > 0) {
		u64 part = MIN(size, PAGE_SIZE - pa % PAGE_SIZE);

		memcpy(out, temp_map(pa), part);
		pa += part;
		out += part;
		size -= part;
	}
	return true;
}
