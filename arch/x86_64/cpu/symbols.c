#include "arch/x86_64/cpu/symbols.h"

const char *symbol_lookup(const struct symbol_table *table, u64 address, u64 *offset)
{
	u64 low = 0, high = table->count, at = address - table->base;

	if (address < table->base || at >= table->size)
		return NULL;
	/* symbols[0, low) begin at or before the address, symbols[high, count) behind it. */
	while (low < high) {
		u64 middle = low + (high - low) / 2;

		if (table->symbols[middle].offset <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	*offset = at - table->symbols[low - 1].offset;
	return table->names + table->symbols[low - 1].name;
}
