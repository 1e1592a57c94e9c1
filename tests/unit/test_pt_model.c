// sources: arch/x86_64/mmu/pt.c arch/x86_64/mmu/pt_walk.c arch/x86_64/mmu/pt_format.c
/* The page-table engine under random work against a model, and with every allocation failing once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "fake_pages.h"

/*
 * The model: one word a page over a range that straddles a 1 GiB boundary, 0 for a hole, else what the page is mapped
 * to. After each random operation, some with too little memory, the tables must say the same.
 */
#define MODEL_BASE  (GIB - 4 * MIB)
#define MODEL_PAGES ((GIB + 8 * MIB) / PAGE_SIZE)

static u64 model[MODEL_PAGES], found[MODEL_PAGES];

static u64 model_word(paddr_t pa, u32 rights, enum memory_cache cache)
{
	return pa | (rights & RWX) | (u64)cache << 4;
}

static bool collect(void *context, u64 va, const struct pt_leaf *leaf)
{
	(void)context;
	assert_int_equal((va | leaf->pa) % leaf->size, 0);
	for (u64 offset = 0; offset < leaf->size; offset += PAGE_SIZE)
		found[(va + offset - MODEL_BASE) / PAGE_SIZE] =
			model_word(leaf->pa + offset, leaf->rights, leaf->cache);
	return true;
}

static u64 below(u64 n)
{
	u64 value = (u32)rand();

	return value % n;
}

static void random_range(u64 *first, u64 *count)
{
	static const u64 units[] = {1, 1, 512, 512 * 64, 512 * 512};
	u64 unit = units[below(ARRAY_SIZE(units))];
	u64 limit = MIN(unit * 8, MODEL_PAGES);

	*first = below(MODEL_PAGES);
	if (rand() % 4 != 0)
		*first = ALIGN_DOWN(*first, MIN(unit, 512));
	*count = 1 + below(limit);
	if (rand() % 4 != 0)
		*count = ALIGN_UP(*count, MIN(unit, 512));
	*count = MIN(*count, MODEL_PAGES - *first);
}

static int model_step(struct pt *pt, struct pt_change *change, u64 first, u64 count)
{
	static const u32 rights_of[] = {PT_READ, RW, RX, RWX};
	u32 rights = rights_of[below(4)], kind = (u32)below(4);
	enum memory_cache cache = rand() % 2 ? CACHE_WB : CACHE_UC;
	u64 va = MODEL_BASE + first * PAGE_SIZE;
	paddr_t pa = rand() % 3 ? va + GIB : 16 * GIB + below(1024) * PAGE_SIZE;
	bool occupied = false, any = false;
	int error;

	for (u64 i = first; i < first + count; i++)
		occupied |= model[i] != 0;
	if (kind < 2) {
		error = pt_map(pt, va, pa, count * PAGE_SIZE, rights, cache, change);
		assert_int_equal(error == ERR_EXISTS, occupied);
		assert_int_equal(change->any_added, error == OK);
	} else if (kind == 2) {
		error = pt_unmap(pt, va, count * PAGE_SIZE, change);
		assert_int_equal(change->any_removed, occupied && !error);
	} else {
		error = pt_protect(pt, va, count * PAGE_SIZE, rights, change);
	}
	for (u64 i = first; i < first + count && !error; i++) {
		any |= kind == 3 && (model[i] & RWX & ~(u64)rights) != 0;
		if (kind < 2)
			model[i] = model_word(pa + (i - first) * PAGE_SIZE, rights, cache);
		else if (kind == 2)
			model[i] = 0;
		else if (model[i])
			model[i] = (model[i] & ~(u64)RWX) | rights;
	}
	if (kind == 3 && !error)
		assert_int_equal(change->any_removed, any);
	return error;
}

/* One page by pt_map_page(), in a place that goes on from the last one for a while. */
static void model_page(struct pt *pt, u64 step)
{
	static u64 at;
	paddr_t pa = 16 * GIB + below(1024) * PAGE_SIZE;
	u32 before = pages_used, rights = pt->format == &pt_format_npt ? RW | (u32)PT_USER : RW;
	u64 expected;
	int error;

	at = step % 16 ? (at + 1) % MODEL_PAGES : below(MODEL_PAGES);
	expected = model[at];
	error = pt_map_page(pt, MODEL_BASE + at * PAGE_SIZE, pa, rights, CACHE_WB);
	if (expected)
		assert_int_equal(error, ERR_EXISTS);
	else if (error)
		assert_true(error == ERR_MEMORY && allocations_left == 0);
	if (error)
		assert_int_equal(pages_used, before);
	else
		model[at] = model_word(pa, rights, CACHE_WB);
}

static void test_model(void **state)
{
	(void)state;
	srand(2);
	for (u32 round = 0; round < 6; round++) {
		struct pt_change change;
		u32 failures = 0;
		struct pt pt;

		memset(model, 0, sizeof(model));
		assert_int_equal(pt_init(&pt, formats[round % 3], &allocator, 1 + round % 2 + round / 3), OK);
		for (u32 step = 0; step < 150; step++) {
			u32 before = pages_used;
			u64 first, count;

			random_range(&first, &count);
			allocations_left = rand() % 3 == 0 ? rand() % 3 : -1;
			if (model_step(&pt, &change, first, count) != OK) {
				failures += allocations_left == 0;
				assert_int_equal(pages_used, before);
			}
			for (u32 i = below(8) ? 0 : 40; i > 0; i--)
				model_page(&pt, step + i);
			allocations_left = -1;
			if (rand() % 2)
				pt_reap(&pt);
			memset(found, 0, sizeof(found));
			pt_walk(&pt, collect, NULL);
			assert_memory_equal(model, found, sizeof(model));
		}
		assert_true(failures > 0);
		/* with all unmapped, only the root and the one table it points to remain */
		assert_int_equal(pt_unmap(&pt, MODEL_BASE, MODEL_PAGES * PAGE_SIZE, NULL), OK);
		pt_reap(&pt);
		assert_true(pages_used <= 2);
		pt_destroy(&pt, 0, 0);
		assert_int_equal(pages_used, 0);
	}
}

/* Every allocation of a map and of a split fails once: nothing has changed, nothing is lost; then it works. */
static void test_failures(void **state)
{
	(void)state;
	for (u32 f = 0; f < ARRAY_SIZE(formats); f++) {
		u64 size = 3 * GIB + 6 * MIB + 12288;
		struct pt_change change;
		struct pt_leaf leaf;
		struct pt pt;
		int error = ERR_MEMORY;

		assert_int_equal(pt_init(&pt, formats[f], &allocator, 3), OK);
		for (s64 allowed = 0; error; allowed++) {
			allocations_left = allowed;
			error = pt_map(&pt, 512 * GIB - GIB - 4096, GIB - 4096, size, RW, CACHE_WB, &change);
			assert_int_equal(pages_used, error ? 1 : 1 + allowed);
			assert_int_equal(pt_lookup(&pt, 512 * GIB, &leaf), !error);
		}
		assert_int_equal(pages_used, 1 + 2 + 2 + 2);
		error = ERR_MEMORY;
		for (s64 allowed = 0; error; allowed++) {
			u32 before = pages_used;

			allocations_left = allowed;
			error = pt_unmap(&pt, 512 * GIB - 4096, 8192, &change);
			assert_true(!error || (pages_used == before && !change.any_removed));
			if (error)
				expect(&pt, 512 * GIB - 4096, 2 * GIB - 4096, GIB,
				       pt.format == &pt_format_npt ? RW | (u32)PT_USER : RW, CACHE_WB);
		}
		allocations_left = -1;
		expect_hole(&pt, 512 * GIB - 4096, 4096);
		expect_hole(&pt, 512 * GIB, 4096);
		pt_destroy(&pt, 0, 0);
		assert_int_equal(pages_used, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_model, no_page_left),
		cmocka_unit_test_teardown(test_failures, no_page_left),
	};

	return cmocka_run_group_tests(tests, setup_all, teardown_all);
}
