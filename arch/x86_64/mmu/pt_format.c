/*
 * The formats. SDM "4-Level Paging and 5-Level Paging" (host), "The Extended Page Table Mechanism (EPT)"; AMD APM vol.
 * 2 "Long-Mode Page Translation" and "Nested Paging".
 */
#include "arch/x86_64/mmu/pt.h"

#define ADDRESS BITS(51, 12)

/* Host and nested entries. */
#define HOST_PRESENT   BIT(0)
#define HOST_WRITE     BIT(1)
#define HOST_USER      BIT(2)
#define HOST_PWT       BIT(3)
#define HOST_PCD       BIT(4)
#define HOST_ACCESSED  BIT(5)
#define HOST_DIRTY     BIT(6)
#define HOST_LARGE     BIT(7)
#define HOST_PAT_SMALL BIT(7) /* at level 1 */
#define HOST_GLOBAL    BIT(8)
#define HOST_PAT_LARGE BIT(12)
#define HOST_NX	       BIT(63)

/* EPT entries. */
#define EPT_READ     BIT(0)
#define EPT_WRITE    BIT(1)
#define EPT_EXEC     BIT(2)
#define EPT_RIGHTS   BITS(2, 0)
#define EPT_TYPE     BITS(5, 3)
#define EPT_LARGE    BIT(7)
#define EPT_ACCESSED BIT(8)
#define EPT_DIRTY    BIT(9)

/*
 * The entry of HOST_PAT with each type: index bits 0 PWT, 1 PCD, 2 PAT. Nested tables use the host's PAT as well (APM
 * "Nested Paging").
 */
static const u8 pat_index[] = {
	[CACHE_WB] = 0, [CACHE_WC] = 1, [CACHE_UC_MINUS] = 2, [CACHE_UC] = 3, [CACHE_WP] = 5, [CACHE_WT] = 7,
};

static u64 host_cache_bits(enum memory_cache cache, u32 level)
{
	u32 index = (u32)cache < ARRAY_SIZE(pat_index) ? pat_index[cache] : pat_index[CACHE_UC];
	u64 bits = 0;

	if (index & 1)
		bits |= HOST_PWT;
	if (index & 2)
		bits |= HOST_PCD;
	if (index & 4)
		bits |= level == 1 ? HOST_PAT_SMALL : HOST_PAT_LARGE;
	return bits;
}

static enum memory_cache host_cache(u64 entry, u32 level)
{
	u32 index = (entry & HOST_PWT ? 1 : 0) | (entry & HOST_PCD ? 2 : 0);

	if (entry & (level == 1 ? HOST_PAT_SMALL : HOST_PAT_LARGE))
		index |= 4;
	return (enum memory_cache)(HOST_PAT >> (index * 8) & 7);
}

/* Accessed and dirty are set beforehand: nobody looks at them, and the CPU is spared a locked write into the table. */
static u64 host_leaf(paddr_t pa, u32 level, u32 rights, enum memory_cache cache)
{
	u64 entry = pa | HOST_PRESENT | HOST_ACCESSED | host_cache_bits(cache, level);

	if (level > 1)
		entry |= HOST_LARGE;
	if (rights & PT_WRITE)
		entry |= HOST_WRITE | HOST_DIRTY;
	if (rights & PT_USER)
		entry |= HOST_USER;
	if (rights & PT_GLOBAL)
		entry |= HOST_GLOBAL;
	if (!(rights & PT_EXEC))
		entry |= HOST_NX;
	return entry;
}

/* A page has the rights that all levels give: the tables give all, the leaf decides. */
static u64 host_table(paddr_t pa)
{
	return pa | HOST_PRESENT | HOST_WRITE | HOST_USER | HOST_ACCESSED;
}

static bool host_present(u64 entry)
{
	return entry & HOST_PRESENT;
}

static bool host_is_leaf(u64 entry, u32 level)
{
	return level == 1 || (entry & HOST_LARGE);
}

static u32 host_rights(u64 entry)
{
	u64 rights = PT_READ;

	if (entry & HOST_WRITE)
		rights |= PT_WRITE;
	if (!(entry & HOST_NX))
		rights |= PT_EXEC;
	if (entry & HOST_USER)
		rights |= PT_USER;
	if (entry & HOST_GLOBAL)
		rights |= PT_GLOBAL;
	return (u32)rights;
}

/*
 * The nested walk is a user access at every level (APM "Nested versus Guest Page Faults, Fault Ordering"); it knows no
 * global pages.
 */
static u64 npt_leaf(paddr_t pa, u32 level, u32 rights, enum memory_cache cache)
{
	return host_leaf(pa, level, (rights | (u32)PT_USER) & ~(u32)PT_GLOBAL, cache);
}

/*
 * The type lies in the leaf, at every size in bits 5:3; bit 6 (ignore PAT) stays clear so that the guest's PAT applies
 * on top. Bits 20:12 and 29:12 of large leaves are reserved, bit 12 among them: EPT has no PAT bit. The CPU knows no
 * UC- here; UC is what it means.
 */
static u64 ept_leaf(paddr_t pa, u32 level, u32 rights, enum memory_cache cache)
{
	u64 type = cache == CACHE_UC_MINUS ? CACHE_UC : cache;
	u64 entry = pa | type << 3;

	if (level > 1)
		entry |= EPT_LARGE;
	if (rights & PT_READ)
		entry |= EPT_READ;
	if (rights & PT_WRITE)
		entry |= EPT_WRITE;
	if (rights & PT_EXEC)
		entry |= EPT_EXEC;
	return entry;
}

static u64 ept_table(paddr_t pa)
{
	return pa | EPT_RIGHTS;
}

static bool ept_present(u64 entry)
{
	return entry & EPT_RIGHTS;
}

static bool ept_is_leaf(u64 entry, u32 level)
{
	return level == 1 || (entry & EPT_LARGE);
}

static u32 ept_rights(u64 entry)
{
	u64 rights = 0;

	if (entry & EPT_READ)
		rights |= PT_READ;
	if (entry & EPT_WRITE)
		rights |= PT_WRITE;
	if (entry & EPT_EXEC)
		rights |= PT_EXEC;
	return (u32)rights;
}

static enum memory_cache ept_cache(u64 entry, u32 level UNUSED)
{
	return (enum memory_cache)((entry & EPT_TYPE) >> 3);
}

const struct pt_format pt_format_host = {
	.name = "host",
	.levels = 4,
	.largest = 3,
	.sign_extended = true,
	.address_mask = ADDRESS,
	.sticky = HOST_ACCESSED | HOST_DIRTY,
	.leaf = host_leaf,
	.table = host_table,
	.present = host_present,
	.is_leaf = host_is_leaf,
	.rights = host_rights,
	.cache = host_cache,
};

const struct pt_format pt_format_ept = {
	.name = "EPT",
	.levels = 4,
	.largest = 3,
	.address_mask = ADDRESS,
	.sticky = EPT_ACCESSED | EPT_DIRTY,
	.leaf = ept_leaf,
	.table = ept_table,
	.present = ept_present,
	.is_leaf = ept_is_leaf,
	.rights = ept_rights,
	.cache = ept_cache,
};

const struct pt_format pt_format_npt = {
	.name = "NPT",
	.levels = 4,
	.largest = 3,
	.address_mask = ADDRESS,
	.sticky = HOST_ACCESSED | HOST_DIRTY,
	.leaf = npt_leaf,
	.table = host_table,
	.present = host_present,
	.is_leaf = host_is_leaf,
	.rights = host_rights,
	.cache = host_cache,
};
