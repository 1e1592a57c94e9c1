/*
 * Names for addresses of our own code. tools/symbols makes the table from the first link; the second link embeds it.
 * Pure.
 */
#ifndef ARCH_CPU_SYMBOLS_H
#define ARCH_CPU_SYMBOLS_H

#include "lib/types.h"

struct symbol {
	u32 offset; /* from the table's base; rising */
	u32 name;   /* into the names */
};

struct symbol_table {
	u64 base; /* address of the first byte of code */
	u64 size; /* bytes of code */
	const char *names; /* each ends with NUL */
	u64 count;
	struct symbol symbols[];
};

extern const struct symbol_table kernel_symbols;

/* The function that holds `address`, and how far into it. NULL: no code of ours. */
const char *symbol_lookup(const struct symbol_table *table, u64 address, u64 *offset);

#endif
