/*
 * Changing a translation. What may fail comes first: a change counts the structure pages it will need and takes them
 * all before it touches an entry, so that it either happens whole or not at all, and no page is ever linked that would
 * have to be taken out again (the CPU may have cached the way to it: SDM "Paging-Structure Caches").
 */
#include "arch/x86_64/mmu/pt_level.h"

/* Pages in hand are chained by their first word. */
struct reserve {
	const struct pt_allocator *allocator;
	void *first;
};

struct job {
	struct pt *pt;
	struct reserve reserve;
	u64 offset; /* pt_map: physical address - address, modulo 2^64 */
	u32 rights;
	enum memory_cache cache;
	struct pt_change *change;
};

static void chain(void **first, void *page)
{
	*(void **)page = *first;
	*first = page;
}

/* Take the first page of a chain; zero again. */
static void *unchain(void **first)
{
	void *page = *first;

	*first = *(void **)page;
	*(void **)page = NULL;
	return page;
}

static void free_chain(const struct pt_allocator *allocator, void **first)
{
	while (*first)
		allocator->free(allocator->context, unchain(first));
}

static int reserve_pages(struct reserve *reserve, u64 count)
{
	for (; count > 0; count--) {
		void *page = reserve->allocator->alloc(reserve->allocator->context);

		if (!page) {
			free_chain(reserve->allocator, &reserve->first);
			return ERR_MEMORY;
		}
		chain(&reserve->first, page);
	}
	return OK;
}

static void store(u64 *entry, u64 value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static u64 table_entry(const struct pt *pt, const void *page)
{
	return pt->format->table(pt->allocator->pa(pt->allocator->context, page));
}

/*
 * Keep a detached page until pt_reap(): a CPU may still read it. As a link is page aligned, the entry it lies in is not
 * present in any format, and the rest of the page is empty.
 */
static void detach(struct pt *pt, void *page)
{
	pt->last.key = 0; /* it may be this one */
	chain(&pt->detached, page);
}

int pt_init(struct pt *pt, const struct pt_format *format, const struct pt_allocator *allocator, u32 largest)
{
	if (largest == 0 || largest > format->largest)
		return ERR_INVALID;
	*pt = (struct pt){.format = format, .allocator = allocator, .largest = largest};
	pt->root = allocator->alloc(allocator->context);
	return pt->root ? OK : ERR_MEMORY;
}

static void free_table(struct pt *pt, u64 *table, u32 level)
{
	for (u32 i = 0; level > 1 && i < PT_ENTRIES; i++) {
		if (pt->format->present(table[i]) && !pt->format->is_leaf(table[i], level))
			free_table(pt, pt_child(pt, table[i]), level - 1);
	}
	pt->allocator->free(pt->allocator->context, table);
}

void pt_destroy(struct pt *pt, u32 keep_first, u32 keep_count)
{
	u64 *root = pt->root;

	for (u32 i = 0; i < keep_count; i++)
		root[keep_first + i] = 0;
	pt_reap(pt);
	free_table(pt, root, pt->format->levels);
	pt->root = NULL;
}

void pt_reap(struct pt *pt)
{
	free_chain(pt->allocator, &pt->detached);
}

static bool range_is_valid(const struct pt *pt, u64 va, u64 size)
{
	u64 last = va + size - 1;
	u64 half = pt->format->sign_extended ? PT_ADDRESS_LIMIT / 2 : PT_ADDRESS_LIMIT;

	if (size == 0 || (va | size) % PAGE_SIZE != 0 || last < va)
		return false;
	return last < half || (pt->format->sign_extended && va >= -half);
}

static bool is_leaf_size(const struct job *job, u32 level, u64 address, u64 next)
{
	u64 size = pt_level_size(level);

	return level <= job->pt->largest && next - address == size && (address + job->offset) % size == 0;
}

/* See that [address, end) is empty, and count the tables that mapping it will need. A table not there yet is NULL. */
static int survey(const struct job *job, const u64 *table, u32 level, u64 address, u64 end, u64 *missing)
{
	const struct pt_format *format = job->pt->format;
	int error = OK;

	if (!table && level == 1)
		return OK;
	for (u64 next; address < end && !error; address = next) {
		u64 entry = table ? pt_load(&table[pt_index(address, level)]) : 0;

		next = pt_next(address, end, level);
		if (!format->present(entry)) {
			if (is_leaf_size(job, level, address, next))
				continue;
			(*missing)++;
			error = survey(job, NULL, level - 1, address, next, missing);
		} else if (format->is_leaf(entry, level)) {
			error = ERR_EXISTS;
		} else {
			error = survey(job, pt_child(job->pt, entry), level - 1, address, next, missing);
		}
	}
	return error;
}

/* What survey() found possible; cannot fail. */
static void fill(struct job *job, u64 *table, u32 level, u64 address, u64 end)
{
	const struct pt_format *format = job->pt->format;

	for (u64 next; address < end; address = next) {
		u64 *entry = &table[pt_index(address, level)];

		next = pt_next(address, end, level);
		if (format->present(*entry)) {
			fill(job, pt_child(job->pt, *entry), level - 1, address, next);
		} else if (is_leaf_size(job, level, address, next)) {
			store(entry, format->leaf(address + job->offset, level, job->rights, job->cache));
			job->change->any_added = true;
		} else {
			u64 *page = unchain(&job->reserve.first);

			fill(job, page, level - 1, address, next);
			store(entry, table_entry(job->pt, page));
		}
	}
}

static void begin(struct job *job, struct pt *pt, struct pt_change *change)
{
	job->pt = pt;
	job->reserve.allocator = pt->allocator;
	job->change = change;
	*change = (struct pt_change){0};
}

int pt_map(struct pt *pt, u64 va, paddr_t pa, u64 size, u32 rights, enum memory_cache cache, struct pt_change *change)
{
	struct pt_change ignored;
	struct job job = {.offset = pa - pt_low_bits(va), .rights = rights, .cache = cache};
	u64 limit = (pt->format->address_mask | (PAGE_SIZE - 1)) + 1;
	u64 start = pt_low_bits(va), missing = 0;
	int error;

	begin(&job, pt, change ? change : &ignored);
	if (!range_is_valid(pt, va, size) || pa % PAGE_SIZE != 0 || pa >= limit || size > limit - pa ||
	    !(rights & PT_READ))
		return ERR_INVALID;
	error = survey(&job, pt->root, pt->format->levels, start, start + size, &missing);
	if (!error)
		error = reserve_pages(&job.reserve, missing);
	if (!error)
		fill(&job, pt->root, pt->format->levels, start, start + size);
	return error;
}

/* How many splits must be done until a leaf ends at `address`. */
static u64 splits_at(const struct pt *pt, u64 address)
{
	const u64 *table = pt->root;
	u64 splits = 0;

	if (address == PT_ADDRESS_LIMIT)
		return 0;
	for (u32 level = pt->format->levels; address % pt_level_size(level) != 0; level--) {
		u64 entry = table ? pt_load(&table[pt_index(address, level)]) : 0;

		if (table && !pt->format->present(entry))
			return 0;
		if (table && !pt->format->is_leaf(entry, level))
			table = pt_child(pt, entry);
		else
			table = NULL;
		splits += !table;
	}
	return splits;
}

/*
 * Replace a leaf by a table of the next smaller ones. The CPU may set its bits in the leaf meanwhile: then once more.
 */
static void split(struct job *job, u64 *entry, u32 level)
{
	const struct pt_format *format = job->pt->format;
	u64 *page = unchain(&job->reserve.first);
	u64 old = pt_load(entry);

	do {
		paddr_t pa = pt_leaf_pa(job->pt, old, level);
		u64 part = format->leaf(pa, level - 1, format->rights(old), format->cache(old, level)) |
			   (old & format->sticky);

		for (u32 i = 0; i < PT_ENTRIES; i++)
			page[i] = part + i * pt_level_size(level - 1);
	} while (!__atomic_compare_exchange_n(entry, &old, table_entry(job->pt, page), false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
}

static void split_at(struct job *job, u64 address)
{
	u64 *table = job->pt->root;

	if (address == PT_ADDRESS_LIMIT)
		return;
	for (u32 level = job->pt->format->levels; address % pt_level_size(level) != 0; level--) {
		u64 *entry = &table[pt_index(address, level)];

		if (!job->pt->format->present(*entry))
			return;
		if (job->pt->format->is_leaf(*entry, level))
			split(job, entry, level);
		table = pt_child(job->pt, *entry);
	}
}

/*
 * Split so that leaves end at both ends of the range, or do nothing. Two ends in one leaf share splits: what was
 * reserved too much goes back. The parts translate as the whole did, so a split alone needs no flush; it happens only
 * where one follows anyway.
 */
static int split_ends(struct job *job, u64 start, u64 end)
{
	if (reserve_pages(&job->reserve, splits_at(job->pt, start) + splits_at(job->pt, end)) != OK)
		return ERR_MEMORY;
	split_at(job, start);
	split_at(job, end);
	free_chain(job->pt->allocator, &job->reserve.first);
	return OK;
}

static bool is_empty(const struct pt *pt, const u64 *table)
{
	for (u32 i = 0; i < PT_ENTRIES; i++) {
		if (pt->format->present(table[i]))
			return false;
	}
	return true;
}

static void clear(struct job *job, u64 *table, u32 level, u64 address, u64 end)
{
	const struct pt_format *format = job->pt->format;

	for (u64 next; address < end; address = next) {
		u64 *entry = &table[pt_index(address, level)];
		u64 *child;

		next = pt_next(address, end, level);
		if (!format->present(*entry))
			continue;
		if (format->is_leaf(*entry, level)) {
			store(entry, 0);
			job->change->any_removed = true;
			continue;
		}
		child = pt_child(job->pt, *entry);
		clear(job, child, level - 1, address, next);
		if (level == format->levels || !is_empty(job->pt, child))
			continue;
		store(entry, 0);
		detach(job->pt, child);
		job->change->tables_freed = true;
	}
}

int pt_unmap(struct pt *pt, u64 va, u64 size, struct pt_change *change)
{
	struct pt_change ignored;
	struct job job = {0};
	u64 start = pt_low_bits(va);

	begin(&job, pt, change ? change : &ignored);
	if (!range_is_valid(pt, va, size))
		return ERR_INVALID;
	if (split_ends(&job, start, start + size) != OK)
		return ERR_MEMORY;
	clear(&job, pt->root, pt->format->levels, start, start + size);
	return OK;
}

static void protect_leaf(struct job *job, u64 *entry, u32 level)
{
	const struct pt_format *format = job->pt->format;
	u64 old = pt_load(entry), new;
	u32 before, after;

	do {
		enum memory_cache cache = format->cache(old, level);

		new = format->leaf(pt_leaf_pa(job->pt, old, level), level, job->rights, cache) | (old & format->sticky);
	} while (!__atomic_compare_exchange_n(entry, &old, new, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	before = format->rights(old);
	after = format->rights(new);
	job->change->any_removed |= (before & ~after) != 0;
	job->change->any_relaxed |= (after & ~before) != 0;
}

static void protect(struct job *job, u64 *table, u32 level, u64 address, u64 end)
{
	for (u64 next; address < end; address = next) {
		u64 *entry = &table[pt_index(address, level)];

		next = pt_next(address, end, level);
		if (!job->pt->format->present(*entry))
			continue;
		if (job->pt->format->is_leaf(*entry, level))
			protect_leaf(job, entry, level);
		else
			protect(job, pt_child(job->pt, *entry), level - 1, address, next);
	}
}

int pt_protect(struct pt *pt, u64 va, u64 size, u32 rights, struct pt_change *change)
{
	struct pt_change ignored;
	struct job job = {.rights = rights};
	u64 start = pt_low_bits(va);

	begin(&job, pt, change ? change : &ignored);
	if (!range_is_valid(pt, va, size) || !(rights & PT_READ))
		return ERR_INVALID;
	if (split_ends(&job, start, start + size) != OK)
		return ERR_MEMORY;
	protect(&job, pt->root, pt->format->levels, start, start + size);
	return OK;
}

u64 *pt_entry(struct pt *pt, u64 va, u32 level)
{
	struct reserve reserve = {.allocator = pt->allocator};
	u64 address = pt_low_bits(va), *table = pt->root;
	u64 entry;
	u32 at = pt->format->levels;

	for (; at > level; at--) {
		entry = pt_load(&table[pt_index(address, at)]);
		if (!pt->format->present(entry))
			break;
		if (pt->format->is_leaf(entry, at))
			return NULL;
		table = pt_child(pt, entry);
	}
	if (reserve_pages(&reserve, at - level) != OK)
		return NULL;
	for (; at > level; at--) {
		u64 *page = unchain(&reserve.first);

		store(&table[pt_index(address, at)], table_entry(pt, page));
		table = page;
	}
	return &table[pt_index(address, level)];
}

static int __attribute__((noinline)) remember_table(struct pt *pt, u64 va, u64 key, u32 rights, enum memory_cache cache)
{
	u64 *entry = pt_entry(pt, va, 1);
	struct pt_leaf leaf;

	if (!entry)
		return pt_lookup(pt, va, &leaf) ? ERR_EXISTS : ERR_MEMORY;
	pt->last.key = key;
	pt->last.table = entry - pt_index(pt_low_bits(va), 1);
	pt->last.attributes = pt->format->leaf(0, 1, rights, cache);
	return OK;
}

/* What is not present is 0 in these tables: clear() leaves nothing else. */
int pt_map_page(struct pt *pt, u64 va, paddr_t pa, u32 rights, enum memory_cache cache)
{
	u64 key = ALIGN_DOWN(va, pt_level_size(2)) | (u64)cache << 8 | rights;
	u64 *entry;
	int error;

	if (UNLIKELY(pt->last.key != key)) {
		error = remember_table(pt, va, key, rights, cache);
		if (error)
			return error;
	}
	entry = &pt->last.table[pt_index(va, 1)];
	if (UNLIKELY(pt_load(entry)))
		return ERR_EXISTS;
	store(entry, pt->last.attributes | pa);
	return OK;
}
