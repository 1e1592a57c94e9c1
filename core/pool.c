/*
 * Pages are found by a bitmap at the start of the run. Objects smaller than half a page come from slabs: one page of
 * equal objects with a header that has a bitmap of its own, so that freeing something twice, or as another size, is
 * seen and panics.
 */
#include "core/pool.h"

#include "core/lock.h"
#include "core/panic.h"
#include "lib/list.h"
#include "lib/string.h"

#define WORD_BITS 64u
#define MIN_PAGES 16u

struct slab {
	struct list link; /* in `partial` while an object is free */
	u32 class;
	u32 used;
	u64 taken[4]; /* by object */
	u64 padding;
};

#define SLAB_BYTES (PAGE_SIZE - sizeof(struct slab))

/* 1008 and 2016 rather than powers of two: four and two of them fit beside the header. */
static const u16 class_size[] = {16, 32, 64, 128, 256, 512, 1008, 2016};

_Static_assert(sizeof(struct slab) == 64, "objects start aligned");
_Static_assert(SLAB_BYTES / 16 <= 4 * WORD_BITS, "a bit for each object");

u64 pool_base = POOL_BASE;

/* All under the lock. */
static struct {
	struct spinlock lock;
	paddr_t start;
	u64 pages, pages_used;
	u64 hint;   /* page to look at first */
	u64 *taken; /* by page; in the run's first pages */
	struct list partial[ARRAY_SIZE(class_size)];
} pool;

static bool is_taken(u64 page)
{
	return pool.taken[page / WORD_BITS] >> (page % WORD_BITS) & 1;
}

static void mark(u64 page, u64 count, bool taken)
{
	for (; count > 0; page++, count--) {
		if (taken)
			pool.taken[page / WORD_BITS] |= BIT(page % WORD_BITS);
		else
			pool.taken[page / WORD_BITS] &= ~BIT(page % WORD_BITS);
	}
}

int pool_init(paddr_t start, u64 size)
{
	u64 pages = size / PAGE_SIZE;
	u64 own = ALIGN_UP((pages + 7) / 8, PAGE_SIZE) / PAGE_SIZE;

	if ((start | size) % PAGE_SIZE != 0 || pages < MIN_PAGES || start >= POOL_LIMIT || size > POOL_LIMIT - start)
		return ERR_INVALID;
	pool.start = start;
	pool.pages = pages;
	pool.pages_used = 0;
	pool.hint = own;
	pool.taken = pool_va(start);
	memset(pool.taken, 0, own * PAGE_SIZE);
	mark(0, own, true);
	for (u32 i = 0; i < ARRAY_SIZE(class_size); i++)
		list_init(&pool.partial[i]);
	return OK;
}

/* The first run of `count` free pages in [page, end), or end. */
static u64 find(u64 page, u64 end, u64 count)
{
	u64 length = 0;

	while (page < end) {
		if (length == 0 && page % WORD_BITS == 0 && pool.taken[page / WORD_BITS] == ~0ull) {
			page += WORD_BITS;
			continue;
		}
		length = is_taken(page) ? 0 : length + 1;
		page++;
		if (length == count)
			return page - count;
	}
	return end;
}

/* Pages, not zeroed; NULL: none. Lock held. */
static void *take_pages(u64 count)
{
	u64 page;

	if (count == 0 || count > pool.pages)
		return NULL;
	page = find(pool.hint, pool.pages, count);
	if (page == pool.pages)
		page = find(0, pool.pages, count);
	if (page == pool.pages)
		return NULL;
	mark(page, count, true);
	pool.pages_used += count;
	pool.hint = page + count;
	return pool_va(pool.start + page * PAGE_SIZE);
}

/* Lock held. */
static void give_pages(void *memory, u64 count)
{
	u64 page = (pool_pa(memory) - pool.start) / PAGE_SIZE;

	if (pool_pa(memory) % PAGE_SIZE != 0 || count == 0 || page >= pool.pages || count > pool.pages - page)
		panic("pool: %p, %llu pages, are given back but not the pool's", memory, (unsigned long long)count);
	for (u64 i = page; i < page + count; i++) {
		if (!is_taken(i))
			panic("pool: page %p is given back twice", pool_va(pool.start + i * PAGE_SIZE));
	}
	mark(page, count, false);
	pool.pages_used -= count;
	pool.hint = MIN(pool.hint, page);
}

void *pool_alloc(u32 pages)
{
	void *memory;

	lock_acquire(&pool.lock);
	memory = take_pages(pages);
	lock_release(&pool.lock);
	if (memory)
		memset(memory, 0, pages * PAGE_SIZE);
	return memory;
}

void pool_free(void *memory, u32 pages)
{
	lock_acquire(&pool.lock);
	give_pages(memory, pages);
	lock_release(&pool.lock);
}

/* The class for `size` bytes; ARRAY_SIZE(class_size): it takes a page. */
static u32 class_of(size_t size)
{
	u32 class = 0;

	while (class < ARRAY_SIZE(class_size) && class_size[class] < size)
		class ++;
	return class;
}

static u32 objects_of(u32 class)
{
	return (u32)(SLAB_BYTES / class_size[class]);
}

static struct slab *new_slab(u32 class)
{
	struct slab *slab = take_pages(1);

	if (!slab)
		return NULL;
	memset(slab, 0, sizeof(*slab));
	slab->class = class;
	list_append(&pool.partial[class], &slab->link);
	return slab;
}

/* Lock held. */
static void *take_object(u32 class)
{
	struct slab *slab;
	u32 i = 0;

	if (list_empty(&pool.partial[class]))
		slab = new_slab(class);
	else
		slab = LIST_ITEM(pool.partial[class].next, struct slab, link);
	if (!slab)
		return NULL;
	while (slab->taken[i / WORD_BITS] >> (i % WORD_BITS) & 1)
		i++;
	slab->taken[i / WORD_BITS] |= BIT(i % WORD_BITS);
	if (++slab->used == objects_of(class))
		list_remove(&slab->link);
	return (u8 *)(slab + 1) + (size_t)i * class_size[class];
}

/* Lock held. */
static void give_object(void *object, u32 class)
{
	u64 offset = (u64)object % PAGE_SIZE - sizeof(struct slab);
	struct slab *slab = (struct slab *)((u64)object - (u64)object % PAGE_SIZE);
	u64 i = offset / class_size[class];

	if (offset >= SLAB_BYTES || offset % class_size[class] != 0 || slab->class != class ||
	    !(slab->taken[i / WORD_BITS] >> (i % WORD_BITS) & 1))
		panic("pool: %p is given back twice, or is not an object of this size", object);
	slab->taken[i / WORD_BITS] &= ~BIT(i % WORD_BITS);
	if (slab->used-- == objects_of(class))
		list_append(&pool.partial[class], &slab->link);
	if (slab->used == 0) {
		list_remove(&slab->link);
		give_pages(slab, 1);
	}
}

void *pool_new(size_t size)
{
	u32 class = class_of(size);
	void *object;

	if (size > PAGE_SIZE)
		return NULL;
	if (class == ARRAY_SIZE(class_size))
		return pool_alloc(1);
	lock_acquire(&pool.lock);
	object = take_object(class);
	lock_release(&pool.lock);
	if (object)
		memset(object, 0, class_size[class]);
	return object;
}

void pool_delete(void *object, size_t size)
{
	u32 class = class_of(size);

	if (!object)
		return;
	if (class == ARRAY_SIZE(class_size)) {
		pool_free(object, 1);
		return;
	}
	lock_acquire(&pool.lock);
	give_object(object, class);
	lock_release(&pool.lock);
}

u64 pool_bytes_used(void)
{
	return __atomic_load_n(&pool.pages_used, __ATOMIC_RELAXED) * PAGE_SIZE;
}

void pool_range(paddr_t *start, u64 *size)
{
	*start = pool.start;
	*size = pool.pages * PAGE_SIZE;
}
