#include "arch/x86_64/mmu/mtrr.h"

#define DEF_TYPE_FIXED	BIT(10)
#define DEF_TYPE_ENABLE BIT(11)
#define VARIABLE_VALID	BIT(11)
#define TYPE		0xffull
#define ADDRESS		BITS(51, 12)

#define FIXED_END (1 * MIB)

/* The fixed ranges: eight to a register, one byte each. */
static const struct {
	u32 start, unit, first_register;
} fixed_part[] = {
	{0x00000, 0x10000, 0}, /* MTRRfix64K_00000 */
	{0x80000, 0x4000, 1},  /* MTRRfix16K_80000, _A0000 */
	{0xc0000, 0x1000, 3},  /* MTRRfix4K_C0000 ... _F8000 */
};

/* One answer: a type, and up to where it is known to hold (exclusive). */
struct piece {
	enum memory_cache type;
	paddr_t end;
};

static enum memory_cache sane_type(u64 type)
{
	switch (type & TYPE) {
	case CACHE_WC:
	case CACHE_WT:
	case CACHE_WP:
	case CACHE_WB:
		return (enum memory_cache)(type & TYPE);
	default:
		return CACHE_UC;
	}
}

static struct piece fixed_type(const struct mtrr *mtrr, paddr_t pa)
{
	u32 part = pa < 0x80000 ? 0 : pa < 0xc0000 ? 1 : 2;
	u64 index = (pa - fixed_part[part].start) / fixed_part[part].unit;
	u64 value = mtrr->fixed[fixed_part[part].first_register + index / 8];

	return (struct piece){sane_type(value >> index % 8 * 8),
			      ALIGN_DOWN(pa, (u64)fixed_part[part].unit) + fixed_part[part].unit};
}

/* Bytes of the blocks within which a mask answers alike: its lowest bit. */
static u64 block_of(u64 mask)
{
	return mask & -mask;
}

/*
 * Where the answer of one pair may next change after pa. A mask of adjoining bits, the usual kind, makes one range; any
 * other (the SDM calls it discontinuous) is taken block by block.
 */
static paddr_t next_change(u64 base, u64 mask, paddr_t pa)
{
	u64 block = block_of(mask), start = base & mask;
	bool adjoining = mask == (ADDRESS & ~(block - 1));

	if (!adjoining)
		return ALIGN_DOWN(pa, block) + block;
	if (pa < start)
		return start;
	return pa < start + block ? start + block : ~0ull;
}

/* Two pairs over the same address (SDM "MTRR Precedences"). */
static enum memory_cache combine(enum memory_cache a, enum memory_cache b)
{
	if (a == b)
		return a;
	if ((a == CACHE_WT && b == CACHE_WB) || (a == CACHE_WB && b == CACHE_WT))
		return CACHE_WT;
	return CACHE_UC;
}

static struct piece variable_type(const struct mtrr *mtrr, paddr_t pa)
{
	struct piece piece = {sane_type(mtrr->def_type), ~0ull};
	bool any = false;

	for (u32 i = 0; i < mtrr->count; i++) {
		u64 base = mtrr->variable[i].base & ADDRESS, mask = mtrr->variable[i].mask & ADDRESS;
		enum memory_cache type = sane_type(mtrr->variable[i].base);

		if (!(mtrr->variable[i].mask & VARIABLE_VALID))
			continue;
		if (mask != 0)
			piece.end = MIN(piece.end, next_change(base, mask, pa));
		if ((pa & mask) != (base & mask))
			continue;
		piece.type = any ? combine(piece.type, type) : type;
		any = true;
	}
	return piece;
}

static struct piece piece_at(const struct mtrr *mtrr, paddr_t pa)
{
	if (!mtrr->present)
		return (struct piece){CACHE_WB, ~0ull};
	if (!(mtrr->def_type & DEF_TYPE_ENABLE))
		return (struct piece){CACHE_UC, ~0ull};
	if ((mtrr->def_type & DEF_TYPE_FIXED) && pa < FIXED_END)
		return fixed_type(mtrr, pa);
	return variable_type(mtrr, pa);
}

enum memory_cache mtrr_type(const struct mtrr *mtrr, paddr_t pa, u64 size, u64 *run)
{
	struct piece first = piece_at(mtrr, pa), piece = first;
	paddr_t end = size < ~0ull - pa ? pa + size : ~0ull;

	while (piece.end < end) {
		struct piece next = piece_at(mtrr, piece.end);

		if (next.type != first.type)
			break;
		piece = next;
	}
	*run = MIN(piece.end, end) - pa;
	return first.type;
}
