// sources: core/frame.c core/pool.c
/* Frames and their owners, over a sparse stand-in for physical memory. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>

#include "core/frame.h"
#include "core/layout.h"
#include "core/pool.h"
#include "fake_panic.h"

/* Address space for all physical memory a test names; only the pool in it is touched. */
#define PHYSICAL (1024 * GIB)

static struct memory_map map;

static int setup_all(void **state)
{
	void *memory = mmap(NULL, PHYSICAL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)state;
	pool_base = (u64)memory;
	return memory == MAP_FAILED;
}

static void add(paddr_t start, paddr_t end, enum memory_type type)
{
	map.region[map.count++] = (struct memory_region){start, end, type};
}

/* A PC of 2 GiB below and 4 GiB above. */
static void small_pc(void)
{
	map.count = 0;
	add(0x1000, 0xa0000, MEMORY_USABLE);
	add(0xa0000, 0x100000, MEMORY_RESERVED);
	add(0x100000, 0x7f000000, MEMORY_USABLE);
	add(0x7f000000, 0x7f010000, MEMORY_ACPI_RECLAIM);
	add(0x7f010000, 0x7f800000, MEMORY_RUNTIME_DATA);
	add(4 * GIB, 8 * GIB, MEMORY_USABLE);
	assert_int_equal(frame_init(&map), OK);
}

static void test_init(void **state)
{
	paddr_t start;
	u64 size;

	(void)state;
	small_pc();
	pool_range(&start, &size);
	/* the end of the largest region, in whole large pages */
	assert_int_equal(start + size, 8 * GIB);
	assert_int_equal(start % (2 * MIB), 0);
	/* RAM/64 and the owner table (2 bytes a frame and a chunk count), rounded up */
	assert_in_range(size, 95 * MIB, 102 * MIB);
	assert_int_equal(frame_bytes_total(), 0xa0000 - 0x1000 + 0x7f010000 - 0x100000 + 4 * GIB);
	assert_int_equal(frame_bytes_free(), frame_bytes_total() - size - 0x10000);
	assert_int_equal(frame_owner(0x1000), FRAME_FREE);
	assert_int_equal(frame_owner(start - 1), FRAME_FREE);
	assert_int_equal(frame_owner(start), FRAME_HYPERVISOR);
	assert_int_equal(frame_owner(8 * GIB - 1), FRAME_HYPERVISOR);
	assert_int_equal(frame_owner(8 * GIB), FRAME_UNMANAGED);
	assert_int_equal(frame_owner(0xa0000), FRAME_UNMANAGED);
	assert_int_equal(frame_owner(0), FRAME_UNMANAGED);
	/* ACPI tables read: theirs is free too, and then two regions that touch are one run to free and reserve */
	assert_int_equal(frame_owner(0x7f000000), FRAME_HYPERVISOR);
	frame_free(0x7f000000, 0x10000, FRAME_HYPERVISOR);
	assert_int_equal(frame_bytes_free(), frame_bytes_total() - size);
	assert_int_equal(frame_reserve(0x7effe000, 0x4000, FRAME_VM(1)), OK);
	frame_free(0x7effe000, 0x4000, FRAME_VM(1));
}

static void test_sizing(void **state)
{
	paddr_t start;
	u64 size;

	(void)state;
	/* small: at least 16 MiB */
	map.count = 0;
	add(MIB, 128 * MIB, MEMORY_USABLE);
	assert_int_equal(frame_init(&map), OK);
	pool_range(&start, &size);
	assert_int_equal(size, 18 * MIB);
	assert_int_equal(start + size, 128 * MIB);
	/* huge: at most 1 GiB beside the table, below POOL_LIMIT even where the largest region is above */
	map.count = 0;
	add(4 * GIB, 1000 * GIB, MEMORY_USABLE);
	assert_int_equal(frame_init(&map), OK);
	pool_range(&start, &size);
	assert_int_equal(start + size, POOL_LIMIT);
	assert_in_range(size, GIB + 480 * MIB, GIB + 512 * MIB);
	assert_int_equal(frame_owner(512 * GIB), FRAME_FREE);
	assert_int_equal(frame_bytes_free(), 996 * GIB - size);
	/* tiny: half of the largest region */
	map.count = 0;
	add(MIB, 3 * MIB, MEMORY_USABLE);
	add(4 * MIB, 9 * MIB, MEMORY_USABLE);
	assert_int_equal(frame_init(&map), OK);
	pool_range(&start, &size);
	assert_int_equal(start + size, 8 * MIB);
	assert_int_equal(size, 2 * MIB);
	/* nothing to start with */
	map.count = 0;
	assert_int_equal(frame_init(&map), ERR_MEMORY);
	add(MIB, MIB + 128 * KIB, MEMORY_USABLE);
	assert_int_equal(frame_init(&map), ERR_MEMORY);
	map.count = 0;
	add(GIB, 2 * GIB, MEMORY_RESERVED);
	assert_int_equal(frame_init(&map), ERR_MEMORY);
	map.count = 0;
	add(POOL_LIMIT, 2 * POOL_LIMIT, MEMORY_USABLE);
	assert_int_equal(frame_init(&map), ERR_MEMORY);
}

/* As many regions as there can be, most of one page. */
static void test_holes(void **state)
{
	u64 total = 0;

	(void)state;
	map.count = 0;
	for (u32 i = 0; i < MEMORY_MAX_REGIONS - 1; i++)
		add(MIB + i * 3 * PAGE_SIZE, MIB + (i * 3 + 1 + i % 2) * PAGE_SIZE, MEMORY_USABLE);
	add(16 * MIB, 20 * MIB, MEMORY_USABLE);
	assert_int_equal(frame_init(&map), OK);
	assert_int_equal(frame_bytes_free(), (MEMORY_MAX_REGIONS - 1 + 255) * PAGE_SIZE + 2 * MIB);
	assert_int_equal(frame_alloc(3 * PAGE_SIZE, PAGE_SIZE, 2), 16 * MIB);
	assert_int_equal(frame_alloc(2 * MIB, PAGE_SIZE, 2), 0);
	while (frame_alloc(PAGE_SIZE, PAGE_SIZE, 3))
		total += PAGE_SIZE;
	assert_int_equal(total, (MEMORY_MAX_REGIONS - 1 + 255) * PAGE_SIZE + 2 * MIB - 3 * PAGE_SIZE);
	assert_int_equal(frame_bytes_free(), 0);
}

static void test_alloc(void **state)
{
	paddr_t a, b, c;
	u64 before;

	(void)state;
	small_pc();
	before = frame_bytes_free();
	a = frame_alloc(GIB, GIB, FRAME_VM(1));
	assert_int_equal(a, 4 * GIB); /* none in [1 GiB, 2 GiB) */
	assert_int_equal(a % GIB, 0);
	b = frame_alloc(6 * MIB, 2 * MIB, FRAME_VM(2));
	assert_int_equal(b % (2 * MIB), 0);
	c = frame_alloc(12288, 4096, FRAME_VM(3));
	assert_true(a && b && c);
	assert_int_equal(frame_owner(a), FRAME_VM(1));
	assert_int_equal(frame_owner(a + GIB - 1), FRAME_VM(1));
	assert_int_equal(frame_owner(b + 6 * MIB - 1), FRAME_VM(2));
	assert_int_equal(frame_owner(c + 12287), FRAME_VM(3));
	assert_int_equal(frame_bytes_free(), before - GIB - 6 * MIB - 12288);
	/* a size that is no multiple of its alignment */
	assert_int_equal(frame_alloc(2 * MIB + 4096, 2 * MIB, FRAME_VM(4)) % (2 * MIB), 0);
	assert_int_equal(frame_alloc(64 * GIB, 4096, FRAME_VM(4)), 0);
	frame_free(a, GIB, FRAME_VM(1));
	frame_free(b + 4096, 6 * MIB - 4096, FRAME_VM(2));
	assert_int_equal(frame_owner(b), FRAME_VM(2));
	frame_free(b, 4096, FRAME_VM(2));
	frame_free(c, 12288, FRAME_VM(3));
	assert_int_equal(frame_bytes_free(), before - 2 * MIB - 4096);
}

/* Single frames come from chunks already broken, so that whole ones stay whole. */
static void test_small_ones_stay_together(void **state)
{
	u64 large = 0, after = 0;

	(void)state;
	small_pc();
	while (frame_alloc(2 * MIB, 2 * MIB, 5))
		large++;
	small_pc();
	for (u32 i = 0; i < 159; i++)
		assert_in_range(frame_alloc(4096, 4096, 5), 0x1000, 0x9f000);
	for (u32 i = 0; i < 256; i++)
		assert_in_range(frame_alloc(4096, 4096, 5), 0x100000, 0x1ff000);
	while (frame_alloc(2 * MIB, 2 * MIB, 5))
		after++;
	assert_int_equal(large, after);
}

static void test_broken_chunks_first(void **state)
{
	paddr_t whole, one;

	(void)state;
	map.count = 0;
	add(32 * MIB, 48 * MIB, MEMORY_USABLE);
	add(64 * MIB, 128 * MIB, MEMORY_USABLE);
	assert_int_equal(frame_init(&map), OK);
	whole = frame_alloc(2 * MIB, 4096, 5);
	one = frame_alloc(4096, 4096, 5);
	assert_int_equal(whole, 32 * MIB);
	assert_int_equal(one, 34 * MIB); /* right behind a full chunk */
	frame_free(whole, 2 * MIB, 5);
	assert_int_equal(frame_alloc(8192, 4096, 5), 34 * MIB + 4096);
	assert_int_equal(frame_alloc(2 * MIB, 4096, 5), 32 * MIB);
}

/* One after the other, over what is taken and into the next region, then from the start again. */
static void test_take(void **state)
{
	u64 got, sum = 0;

	(void)state;
	map.count = 0;
	add(32 * MIB, 48 * MIB, MEMORY_USABLE);
	add(64 * MIB, 128 * MIB, MEMORY_USABLE);
	assert_int_equal(frame_init(&map), OK);
	assert_int_equal(frame_reserve(32 * MIB + 0x8000, 0x4000, 5), OK);
	assert_int_equal(frame_take(0x10000, &got, 7), 32 * MIB);
	assert_int_equal(got, 0x8000);
	assert_int_equal(frame_take(0x10000, &got, 7), 32 * MIB + 0xc000);
	assert_int_equal(got, 0x10000);
	assert_int_equal(frame_owner(32 * MIB + 0x1bfff), 7);
	assert_int_equal(frame_owner(32 * MIB + 0x1c000), FRAME_FREE);
	frame_free(32 * MIB, 0x1000, 7);
	assert_int_equal(frame_take(0x1000, &got, 7), 32 * MIB + 0x1c000); /* not back to what is free again */
	assert_int_equal(frame_take(32 * MIB, &got, 7), 32 * MIB + 0x1d000);
	assert_int_equal(got, 16 * MIB - 0x1d000); /* to the region's end */
	assert_int_equal(frame_take(0x1000, &got, 7), 64 * MIB);
	for (got = 1; got; sum += got)
		assert_true(frame_take(0x40000, &got, 8) || !got);
	assert_true(sum > 32 * MIB);
	assert_int_equal(frame_bytes_free(), 0);
	assert_int_equal(frame_owner(32 * MIB), 8);
	assert_int_equal(frame_take(0x1000, &got, 8), 0);
	frame_free(32 * MIB + 0xc000, 0x2000, 7);
	assert_int_equal(frame_take(0x3000, &got, 8), 32 * MIB + 0xc000);
	assert_int_equal(got, 0x2000);
	expect_panic(frame_take(0, &got, 8));
	expect_panic(frame_take(4097, &got, 8));
}

static void test_reserve(void **state)
{
	(void)state;
	small_pc();
	assert_int_equal(frame_reserve(0x200000, 0x3000, FRAME_HYPERVISOR), OK);
	assert_int_equal(frame_owner(0x202fff), FRAME_HYPERVISOR);
	assert_int_equal(frame_owner(0x203000), FRAME_FREE);
	assert_int_equal(frame_reserve(0x202000, 0x2000, FRAME_VM(1)), ERR_EXISTS);
	assert_int_equal(frame_owner(0x203000), FRAME_FREE);
	assert_int_equal(frame_reserve(0x9f000, 0x2000, FRAME_VM(1)), ERR_RANGE);
	assert_int_equal(frame_owner(0x9f000), FRAME_FREE);
	assert_int_equal(frame_reserve(16 * GIB, 0x1000, FRAME_VM(1)), ERR_RANGE);
}

static void test_misuse(void **state)
{
	paddr_t pa;

	(void)state;
	small_pc();
	pa = frame_alloc(8192, 4096, FRAME_VM(1));
	expect_panic(frame_free(pa, 8192, FRAME_VM(2)));
	expect_panic(frame_free(pa, 12288, FRAME_VM(1)));
	expect_panic((frame_free(pa, 8192, FRAME_VM(1)), frame_free(pa, 8192, FRAME_VM(1))));
	expect_panic(frame_free(pa + 1, 4096, FRAME_VM(1)));
	expect_panic(frame_free(16 * GIB, 4096, FRAME_VM(1)));
	expect_panic(frame_alloc(4097, 4096, FRAME_VM(1)));
	expect_panic(frame_alloc(0, 4096, FRAME_VM(1)));
	expect_panic(frame_alloc(4096, 4096, FRAME_FREE));
	expect_panic(frame_alloc(4096, 12288, FRAME_VM(1)));
	frame_free(pa, 8192, FRAME_VM(1));
}

static void check_runs(const struct frame_run *run, u32 count, u64 size)
{
	u64 total = 0, last_align = GIB;

	for (u32 i = 0; i < count; i++) {
		u64 bits = run[i].pa | run[i].size;
		u64 align = bits % GIB == 0 ? GIB : bits % (2 * MIB) == 0 ? 2 * MIB : 4096;

		assert_true(run[i].pa && run[i].size);
		/* laid one after the other, guest and host address agree in as many bits as a large page needs */
		assert_int_equal(total % align, 0);
		assert_true(i == 0 || align <= last_align);
		last_align = align;
		total += run[i].size;
	}
	assert_int_equal(total, size);
}

static void test_runs(void **state)
{
	struct frame_run run[8];
	u64 before;
	u32 count;

	(void)state;
	small_pc();
	before = frame_bytes_free();
	count = frame_alloc_runs(run, 8, 256 * MIB, FRAME_VM(1));
	assert_int_equal(count, 1);
	check_runs(run, count, 256 * MIB);
	frame_free(run[0].pa, run[0].size, FRAME_VM(1));
	/* 3 GiB lie above 4 GiB below the pool; the rest is made of 2 MiB and 4 KiB */
	count = frame_alloc_runs(run, 8, 4 * GIB + 5 * MIB + 12288, FRAME_VM(1));
	check_runs(run, count, 4 * GIB + 5 * MIB + 12288);
	assert_int_equal(run[0].size, 3 * GIB);
	assert_true(count <= 5);
	for (u32 i = 0; i < count; i++)
		frame_free(run[i].pa, run[i].size, FRAME_VM(1));
	assert_int_equal(frame_bytes_free(), before);
	/* too much, and too many runs: nothing is kept */
	assert_int_equal(frame_alloc_runs(run, 8, before + 4096, FRAME_VM(1)), 0);
	assert_int_equal(frame_alloc_runs(run, 1, 4 * GIB, FRAME_VM(1)), 0);
	assert_int_equal(frame_bytes_free(), before);
	/* all there is */
	count = frame_alloc_runs(run, 8, before, FRAME_VM(1));
	check_runs(run, count, before);
	assert_int_equal(frame_bytes_free(), 0);
	assert_int_equal(frame_alloc(4096, 4096, 1), 0);
}

/* Random work against a model of one word a frame. */
#define MODEL_PAGES (16 * MIB / PAGE_SIZE)

/* Something is found when anything is free, and all of it was. Returns how many pages. */
static u64 model_take(frame_owner_t *model, u64 pages)
{
	u64 got, free = frame_bytes_free();
	paddr_t pa = frame_take(pages * PAGE_SIZE, &got, FRAME_VM(9));

	assert_int_equal(pa != 0, free != 0);
	assert_true(got <= pages * PAGE_SIZE && (got != 0) == (pa != 0));
	for (u64 i = 0; i < got / PAGE_SIZE; i++) {
		assert_int_equal(model[(pa - 32 * MIB) / PAGE_SIZE + i], FRAME_FREE);
		model[(pa - 32 * MIB) / PAGE_SIZE + i] = FRAME_VM(9);
	}
	return got / PAGE_SIZE;
}

static void test_model(void **state)
{
	static frame_owner_t model[MODEL_PAGES];
	u64 free_pages = MODEL_PAGES;

	(void)state;
	map.count = 0;
	add(32 * MIB, 48 * MIB, MEMORY_USABLE);
	add(64 * MIB, 128 * MIB, MEMORY_USABLE); /* the pool goes here, the rest is taken at once */
	assert_int_equal(frame_init(&map), OK);
	assert_int_equal(frame_alloc(frame_bytes_free() - 16 * MIB, 4096, FRAME_HYPERVISOR), 64 * MIB);
	memset(model, 0, sizeof(model));
	srand(5);
	for (u32 step = 0; step < 4000; step++) {
		u64 pages = 1 + (u64)(rand() % (rand() % 8 ? 16 : 1200)),
		    align = 1ull << (rand() % 4 ? 0 : rand() % 10);
		frame_owner_t owner = FRAME_VM(rand() % 4);
		bool possible = false;
		paddr_t pa;

		for (u64 i = 0; rand() % 2 && i < MODEL_PAGES; i++) {
			/* free some run of one owner */
			u64 first = (u64)(rand() % (int)MODEL_PAGES), last = first;

			if (model[first] == FRAME_FREE)
				continue;
			while (last < MODEL_PAGES && model[last] == model[first] && last - first < pages)
				last++;
			frame_free(32 * MIB + first * PAGE_SIZE, (last - first) * PAGE_SIZE, model[first]);
			free_pages += last - first;
			memset(&model[first], 0, (last - first) * sizeof(model[0]));
			break;
		}
		for (u64 i = 0; i + pages <= MODEL_PAGES && !possible; i += align) {
			possible = true;
			for (u64 j = i; j < i + pages && possible; j++)
				possible = model[j] == FRAME_FREE;
		}
		pa = frame_alloc(pages * PAGE_SIZE, align * PAGE_SIZE, owner);
		assert_int_equal(pa != 0, possible);
		if (pa) {
			assert_in_range(pa, 32 * MIB, 48 * MIB - pages * PAGE_SIZE);
			assert_int_equal(pa % (align * PAGE_SIZE), 0);
			for (u64 i = 0; i < pages; i++) {
				assert_int_equal(model[(pa - 32 * MIB) / PAGE_SIZE + i], FRAME_FREE);
				model[(pa - 32 * MIB) / PAGE_SIZE + i] = owner;
			}
			free_pages -= pages;
		}
		if (rand() % 4 == 0)
			free_pages -= model_take(model, pages);
		assert_int_equal(frame_bytes_free(), free_pages * PAGE_SIZE);
		if (step % 64 == 0) {
			for (u64 i = 0; i < MODEL_PAGES; i++)
				assert_int_equal(frame_owner(32 * MIB + i * PAGE_SIZE), model[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),	cmocka_unit_test(test_sizing),
		cmocka_unit_test(test_holes),	cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_reserve), cmocka_unit_test(test_small_ones_stay_together),
		cmocka_unit_test(test_misuse),	cmocka_unit_test(test_runs),
		cmocka_unit_test(test_model),	cmocka_unit_test(test_broken_chunks_first),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
