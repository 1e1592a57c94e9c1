/* Reading a translation: lookup and walk. */
#include "arch/x86_64/mmu/pt_level.h"

static void read_leaf(const struct pt *pt, u64 entry, u32 level, struct pt_leaf *leaf)
{
	leaf->pa = pt_leaf_pa(pt, entry, level);
	leaf->size = pt_level_size(level);
	leaf->rights = pt->format->rights(entry);
	leaf->cache = pt->format->cache(entry, level);
}

bool pt_lookup(const struct pt *pt, u64 va, struct pt_leaf *leaf)
{
	const u64 *table = pt->root;

	for (u32 level = pt->format->levels;; level--) {
		u64 entry = pt_load(&table[pt_index(pt_low_bits(va), level)]);

		if (!pt->format->present(entry)) {
			*leaf = (struct pt_leaf){.size = pt_level_size(level)};
			return false;
		}
		if (pt->format->is_leaf(entry, level)) {
			read_leaf(pt, entry, level, leaf);
			leaf->pa += va % leaf->size;
			return true;
		}
		table = pt_child(pt, entry);
	}
}

struct walk {
	const struct pt *pt;
	bool (*visit)(void *context, u64 va, const struct pt_leaf *leaf);
	void *context;
};

static bool walk_table(const struct walk *walk, const u64 *table, u32 level, u64 base)
{
	const struct pt_format *format = walk->pt->format;
	struct pt_leaf leaf;

	for (u32 i = 0; i < PT_ENTRIES; i++) {
		u64 entry = pt_load(&table[i]);
		u64 va = base + i * pt_level_size(level);

		if (!format->present(entry))
			continue;
		if (level == format->levels && format->sign_extended && i >= PT_ENTRIES / 2)
			va |= ~(PT_ADDRESS_LIMIT - 1);
		if (!format->is_leaf(entry, level)) {
			if (!walk_table(walk, pt_child(walk->pt, entry), level - 1, va))
				return false;
			continue;
		}
		read_leaf(walk->pt, entry, level, &leaf);
		if (!walk->visit(walk->context, va, &leaf))
			return false;
	}
	return true;
}

void pt_walk(const struct pt *pt, bool (*visit)(void *context, u64 va, const struct pt_leaf *leaf), void *context)
{
	const struct walk walk = {pt, visit, context};

	walk_table(&walk, pt->root, pt->format->levels, 0);
}
