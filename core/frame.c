/*
 * Each region of RAM has a table of owners, one word a frame, and a count of the free frames of each chunk of 2 MiB: so
 * a search for a large aligned run looks at one count a chunk, and one for a small run passes over what is full. Small
 * runs are taken from chunks already broken, which keeps whole ones for guests; what is taken bit by bit, for RAM that
 * is backed on demand, from one chunk after the other, without a search that starts anew each time.
 */
#include "core/frame.h"

#include "core/layout.h"
#include "core/lock.h"
#include "core/panic.h"
#include "core/pool.h"
#include "lib/string.h"

#define CHUNK	      512ull /* frames: 2 MiB */
#define FRAMES_OF_GIB (GIB / PAGE_SIZE)

#define POOL_SMALLEST (16 * MIB)
#define POOL_LARGEST  (1 * GIB)
#define POOL_SHARE    64	  /* of all RAM */
#define POOL_SPARE    (256 * KIB) /* least beside the owner table that a start makes sense with */

/* Frames are named by number: physical address / 4 KiB. */
struct region {
	u64 first, end;
	u16 *owner; /* by frame - first */
	u16 *free;  /* by chunk - chunk of first: free frames in it */
};

/* The list is constant after frame_init(); the tables it points to and bytes_free are under the lock. */
static struct spinlock lock;
static struct region regions[MEMORY_MAX_REGIONS];
static u32 region_count;
static u64 frames_free, frames_total;
static u64 next_taken; /* the frame at which frame_take() goes on: under the lock */

static u64 chunks_of(const struct region *r)
{
	return (r->end - 1) / CHUNK - r->first / CHUNK + 1;
}

static u16 *chunk_free(const struct region *r, u64 frame)
{
	return &r->free[frame / CHUNK - r->first / CHUNK];
}

static struct region *region_of(u64 frame)
{
	u32 low = 0, high = region_count;

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (frame < regions[middle].first)
			high = middle;
		else if (frame >= regions[middle].end)
			low = middle + 1;
		else
			return &regions[middle];
	}
	return NULL;
}

/* Whether all of [frame, end) is managed and `owner`'s: OK, ERR_RANGE, ERR_EXISTS. */
static int check_owner(u64 frame, u64 end, frame_owner_t owner)
{
	const struct region *r = NULL;

	for (; frame < end; frame++) {
		if (!r || frame >= r->end)
			r = region_of(frame);
		if (!r)
			return ERR_RANGE;
		if (r->owner[frame - r->first] != owner)
			return ERR_EXISTS;
	}
	return OK;
}

/* Give [frame, end), all managed and all free or all not free, to `owner`. */
static void set_owner(u64 frame, u64 end, frame_owner_t owner)
{
	bool freed = owner == FRAME_FREE;

	frames_free += freed ? end - frame : frame - end;
	while (frame < end) {
		struct region *r = region_of(frame);
		u64 part = MIN(MIN(ALIGN_DOWN(frame, CHUNK) + CHUNK, r->end), end);
		u16 *free = chunk_free(r, frame);

		*free = (u16)(*free + (freed ? part - frame : frame - part));
		for (; frame < part; frame++)
			r->owner[frame - r->first] = owner;
	}
}

/* The first frame of [frame, end) that is not free, or end. */
static u64 first_taken(const struct region *r, u64 frame, u64 end)
{
	while (frame < end) {
		if (frame % CHUNK == 0 && end - frame >= CHUNK && *chunk_free(r, frame) == CHUNK) {
			frame += CHUNK;
			continue;
		}
		if (r->owner[frame - r->first] != FRAME_FREE)
			return frame;
		frame++;
	}
	return end;
}

/* What is looked for: frames, aligned; as many as can be had of them, but whole units. */
struct wish {
	u64 want, align, unit;
};

/* Search [from, to) of a region: the first of the longest runs that serve the wish. Returns its length, 0: none. */
static u64 search(const struct region *r, u64 from, u64 to, const struct wish *wish, u64 *found)
{
	u64 best = 0;
	u64 at = ALIGN_UP(from, wish->align);

	while (at < to && to - at >= wish->unit && best < wish->want) {
		u64 taken = first_taken(r, at, MIN(to, at + wish->want));
		u64 length = (taken - at) - (taken - at) % wish->unit;

		if (length > best) {
			best = length;
			*found = at;
		}
		if (taken < to && *chunk_free(r, taken) == 0)
			taken = ALIGN_DOWN(taken, CHUNK) + CHUNK - 1;
		at = ALIGN_UP(taken + 1, wish->align);
	}
	return best;
}

/* All of a wish for less than a chunk, in a chunk that is not whole any more. */
static bool search_broken(const struct wish *wish, u64 *found)
{
	for (u32 i = 0; i < region_count; i++) {
		const struct region *r = &regions[i];

		for (u64 at = r->first; at < r->end; at = ALIGN_DOWN(at, CHUNK) + CHUNK) {
			u64 end = MIN(ALIGN_DOWN(at, CHUNK) + CHUNK, r->end);
			u16 free = *chunk_free(r, at);
			u64 start = 0;

			if (free < wish->want || free == CHUNK || search(r, at, end, wish, &start) != wish->want)
				continue;
			*found = start;
			return true;
		}
	}
	return false;
}

/* The longest run in all regions that serves the wish; its length. */
static u64 search_all(const struct wish *wish, u64 *found)
{
	u64 best = 0;

	if (wish->want < CHUNK && search_broken(wish, found))
		return wish->want;
	for (u32 i = 0; i < region_count && best < wish->want; i++) {
		u64 start = 0;
		u64 length = search(&regions[i], regions[i].first, regions[i].end, wish, &start);

		if (length > best) {
			best = length;
			*found = start;
		}
	}
	return best;
}

paddr_t frame_alloc(u64 size, u64 align, frame_owner_t owner)
{
	struct wish wish = {size / PAGE_SIZE, align / PAGE_SIZE, size / PAGE_SIZE};
	u64 start = 0;
	bool found;

	ASSERT(size > 0 && size % PAGE_SIZE == 0 && owner != FRAME_FREE);
	ASSERT(align >= PAGE_SIZE && (align & (align - 1)) == 0);
	lock_acquire(&lock);
	found = wish.want <= frames_free && search_all(&wish, &start) == wish.want;
	if (found)
		set_owner(start, start + wish.want, owner);
	lock_release(&lock);
	return found ? start * PAGE_SIZE : 0;
}

/* The first free frame at or after `frame`: its region; NULL: none. */
static struct region *find_free(u64 frame, u64 *found)
{
	for (u32 i = 0; i < region_count; i++) {
		struct region *r = &regions[i];

		for (u64 at = MAX(frame, r->first); at < r->end;) {
			if (*chunk_free(r, at) == 0) {
				at = ALIGN_DOWN(at, CHUNK) + CHUNK;
			} else if (r->owner[at - r->first] == FRAME_FREE) {
				*found = at;
				return r;
			} else {
				at++;
			}
		}
	}
	return NULL;
}

paddr_t frame_take(u64 most, u64 *got, frame_owner_t owner)
{
	const struct region *r = NULL;
	u64 start = 0;

	ASSERT(most > 0 && most % PAGE_SIZE == 0 && owner != FRAME_FREE);
	*got = 0;
	lock_acquire(&lock);
	if (frames_free)
		r = find_free(next_taken, &start);
	if (frames_free && !r)
		r = find_free(0, &start);
	if (r) {
		next_taken = first_taken(r, start, MIN(r->end, start + most / PAGE_SIZE));
		set_owner(start, next_taken, owner);
		*got = (next_taken - start) * PAGE_SIZE;
	}
	lock_release(&lock);
	return start * PAGE_SIZE;
}

/*
 * Take runs aligned to `align` for as much of *left as there is; the number of runs after it, or max + 1 when there is
 * no room.
 */
static u32 take_runs(struct frame_run *runs, u32 count, u32 max, u64 *left, u64 align, frame_owner_t owner)
{
	while (*left >= align) {
		struct wish wish = {ALIGN_DOWN(*left, align), align, align};
		u64 start = 0;
		u64 length = search_all(&wish, &start);

		if (length == 0)
			break;
		if (count == max)
			return max + 1;
		set_owner(start, start + length, owner);
		runs[count++] = (struct frame_run){start * PAGE_SIZE, length * PAGE_SIZE};
		*left -= length;
	}
	return count;
}

u32 frame_alloc_runs(struct frame_run *runs, u32 max, u64 size, frame_owner_t owner)
{
	static const u64 aligns[] = {FRAMES_OF_GIB, CHUNK, 1};
	u64 left = size / PAGE_SIZE;
	u32 count = 0;

	ASSERT(size > 0 && size % PAGE_SIZE == 0 && owner != FRAME_FREE);
	lock_acquire(&lock);
	if (left <= frames_free) {
		for (u32 i = 0; i < ARRAY_SIZE(aligns) && count <= max; i++)
			count = take_runs(runs, count, max, &left, aligns[i], owner);
	}
	if (left > 0) {
		for (u32 i = 0; i < MIN(count, max); i++)
			set_owner(runs[i].pa / PAGE_SIZE, (runs[i].pa + runs[i].size) / PAGE_SIZE, FRAME_FREE);
		count = 0;
	}
	lock_release(&lock);
	return count;
}

int frame_reserve(paddr_t pa, u64 size, frame_owner_t owner)
{
	u64 frame = pa / PAGE_SIZE, end = frame + size / PAGE_SIZE;
	int error;

	ASSERT(pa % PAGE_SIZE == 0 && size % PAGE_SIZE == 0 && owner != FRAME_FREE);
	lock_acquire(&lock);
	error = check_owner(frame, end, FRAME_FREE);
	if (!error)
		set_owner(frame, end, owner);
	lock_release(&lock);
	return error;
}

void frame_free(paddr_t pa, u64 size, frame_owner_t owner)
{
	u64 frame = pa / PAGE_SIZE, end = frame + size / PAGE_SIZE;

	ASSERT(pa % PAGE_SIZE == 0 && size % PAGE_SIZE == 0 && owner != FRAME_FREE);
	lock_acquire(&lock);
	if (check_owner(frame, end, owner) != OK)
		panic("frames: 0x%llx, %llu bytes, are given back but do not all belong to owner %u",
		      (unsigned long long)pa, (unsigned long long)size, owner);
	set_owner(frame, end, FRAME_FREE);
	lock_release(&lock);
}

frame_owner_t frame_owner(paddr_t pa)
{
	const struct region *r = region_of(pa / PAGE_SIZE);

	return r ? __atomic_load_n(&r->owner[pa / PAGE_SIZE - r->first], __ATOMIC_RELAXED) : FRAME_UNMANAGED;
}

u64 frame_bytes_free(void)
{
	return __atomic_load_n(&frames_free, __ATOMIC_RELAXED) * PAGE_SIZE;
}

u64 frame_bytes_total(void)
{
	return frames_total * PAGE_SIZE;
}

/* Bytes of the owner table and the chunk counts of all regions. */
static u64 list_regions(const struct memory_map *map)
{
	u64 words = 0;

	region_count = 0;
	frames_total = 0;
	for (u32 i = 0; i < map->count; i++) {
		const struct memory_region *m = &map->region[i];
		struct region *r = &regions[region_count];

		if (m->type != MEMORY_USABLE && m->type != MEMORY_ACPI_RECLAIM)
			continue;
		r->first = m->start / PAGE_SIZE;
		r->end = m->end / PAGE_SIZE;
		words += r->end - r->first + chunks_of(r);
		frames_total += r->end - r->first;
		region_count++;
	}
	return ALIGN_UP(words * sizeof(u16), PAGE_SIZE);
}

/*
 * Where the pool goes: the end of the largest usable region, since the starts of regions tend to be aligned and are
 * worth more to guests. In whole 2 MiB where the region allows it, so that the pool is mapped by large pages.
 */
static int place_pool(const struct memory_map *map, u64 want, paddr_t *start, u64 *size)
{
	paddr_t best_start = 0, best_end = 0;

	for (u32 i = 0; i < map->count; i++) {
		const struct memory_region *m = &map->region[i];
		paddr_t end = MIN(m->end, POOL_LIMIT);

		if (m->type == MEMORY_USABLE && end > m->start && end - m->start > best_end - best_start) {
			best_start = m->start;
			best_end = end;
		}
	}
	if (best_end - best_start >= 4 * MIB)
		best_end = ALIGN_DOWN(best_end, 2 * MIB);
	*size = MIN(want, ALIGN_UP((best_end - best_start) / 2, PAGE_SIZE));
	*start = best_end - *size;
	return *size > 0 ? OK : ERR_MEMORY;
}

/* Give each region its part of the table: all owned by the hypervisor at first. */
static void init_tables(u16 *table)
{
	for (u32 i = 0; i < region_count; i++) {
		struct region *r = &regions[i];

		r->owner = table;
		r->free = table + (r->end - r->first);
		table = r->free + chunks_of(r);
		for (u64 frame = r->first; frame < r->end; frame++)
			r->owner[frame - r->first] = FRAME_HYPERVISOR;
	}
}

int frame_init(const struct memory_map *map)
{
	u64 table_size = list_regions(map);
	u64 want = MIN(MAX(frames_total * PAGE_SIZE / POOL_SHARE, POOL_SMALLEST), POOL_LARGEST);
	paddr_t start;
	u64 size;
	u16 *table;

	if (place_pool(map, ALIGN_UP(want + table_size, 2 * MIB), &start, &size) != OK ||
	    size < table_size + POOL_SPARE)
		return ERR_MEMORY;
	if (pool_init(start, size) != OK)
		return ERR_MEMORY;
	table = pool_alloc((u32)(table_size / PAGE_SIZE));
	if (!table)
		return ERR_MEMORY;
	init_tables(table);
	frames_free = next_taken = 0;
	for (u32 i = 0; i < map->count; i++) {
		const struct memory_region *m = &map->region[i];
		bool has_pool = m->start <= start && start < m->end;

		if (m->type != MEMORY_USABLE)
			continue;
		set_owner(m->start / PAGE_SIZE, (has_pool ? start : m->end) / PAGE_SIZE, FRAME_FREE);
		if (has_pool)
			set_owner((start + size) / PAGE_SIZE, m->end / PAGE_SIZE, FRAME_FREE);
	}
	return OK;
}
