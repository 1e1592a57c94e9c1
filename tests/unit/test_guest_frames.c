// sources: vmm/guest_memory.c vmm/guest_memory_demand.c vmm/guest_memory_map.c tests/unit/fake_core.c
/*
 * Where a VM's RAM comes from and goes to, at creation and on demand, over a machine of few frames; and the copies'
 * checks.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/x86_64/mmu/root.h"
#include "arch/x86_64/mmu/window.h"
#include "core/frame.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/pool.h"
#include "tests/unit/fake_core.h"
#include "vmm/guest_memory.h"
#include "vmm/vm.h"

/* The machine: one owner for each page of 64 MiB; what is mapped for the guest, page by page. */
#define PAGES	 16384u
#define GUEST	 32768u
#define BASE	 (2 * MIB) /* physical address of page 0 */

static frame_owner_t owner[PAGES];
static bool zeroed[PAGES];
static paddr_t window[GUEST], second_level[GUEST];
static struct vm *vm;
static u32 written, maps, map_fails_at, copies;
static int window_error;
static u64 pool_used;		/* of POOL */
static char said[200];		/* log and the VM's end */
static u32 ends;

#define POOL	(16 * MIB)
#define OR_ELSE "run fewer VMs or give them less memory"

void panic(const char *format, ...)
{
	(void)format;
	abort();
}

paddr_t frame_alloc(u64 size, u64 align, frame_owner_t who)
{
	u64 count = size / PAGE_SIZE;

	for (paddr_t pa = ALIGN_UP(BASE, align); pa + size <= BASE + PAGES * PAGE_SIZE; pa += align) {
		u64 first = (pa - BASE) / PAGE_SIZE, n = 0;

		while (n < count && owner[first + n] == FRAME_FREE)
			n++;
		if (n < count)
			continue;
		for (u64 i = 0; i < count; i++) {
			owner[first + i] = who;
			zeroed[first + i] = false;
		}
		return pa;
	}
	return 0;
}

void frame_free(paddr_t pa, u64 size, frame_owner_t who)
{
	for (u64 i = (pa - BASE) / PAGE_SIZE; size; size -= PAGE_SIZE, i++) {
		assert_int_equal(owner[i], who);
		owner[i] = FRAME_FREE;
		/* Nobody may still see it. */
		for (u32 g = 0; g < GUEST; g++)
			if (window[g] == BASE + i * PAGE_SIZE || second_level[g] == BASE + i * PAGE_SIZE)
				abort();
	}
}

paddr_t frame_take(u64 most, u64 *got, frame_owner_t who)
{
	*got = 0;
	for (u32 i = 0; i < PAGES && *got < most; i++) {
		if (owner[i] != FRAME_FREE && *got)
			break;
		if (owner[i] != FRAME_FREE)
			continue;
		owner[i] = who;
		zeroed[i] = false;
		*got += PAGE_SIZE;
		if (*got == most || i + 1 == PAGES || owner[i + 1] != FRAME_FREE)
			return BASE + (i + 1) * PAGE_SIZE - *got;
	}
	return 0;
}

u64 frame_bytes_free(void)
{
	u64 bytes = 0;

	for (u32 i = 0; i < PAGES; i++)
		bytes += owner[i] == FRAME_FREE ? PAGE_SIZE : 0;
	return bytes;
}

void pool_range(paddr_t *start, u64 *size)
{
	*start = 0;
	*size = POOL;
}

u64 pool_bytes_used(void)
{
	return pool_used;
}

void log_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(said, sizeof(said), format, args);
	va_end(args);
}

void vm_end(struct vm *of, enum vm_end_cause cause, u64 code, const char *format, ...)
{
	va_list args;

	(void)code;
	assert_ptr_equal(of, vm);
	assert_int_equal(cause, VM_END_ERROR);
	assert_int_equal(vm->demand.lock.next, vm->demand.lock.owner); /* others may run into it */
	va_start(args, format);
	assert_true(vsnprintf(said, sizeof(said), format, args) < (int)sizeof(vm->end_text));
	va_end(args);
	ends++;
}

void zero_frame(paddr_t pa)
{
	zero_frames(pa, PAGE_SIZE);
}

void zero_frames(paddr_t pa, u64 size)
{
	for (u64 i = (pa - BASE) / PAGE_SIZE; size; size -= PAGE_SIZE, i++)
		zeroed[i] = true;
}

static void map_pages(paddr_t *map, gpa_t gpa, paddr_t pa, u64 size)
{
	for (; size; size -= PAGE_SIZE, gpa += PAGE_SIZE, pa += PAGE_SIZE) {
		assert_true(zeroed[(pa - BASE) / PAGE_SIZE]);
		assert_int_equal(owner[(pa - BASE) / PAGE_SIZE], FRAME_VM(3));
		assert_int_equal(map[gpa / PAGE_SIZE], 0);
		map[gpa / PAGE_SIZE] = pa;
	}
}

static void unmap_pages(paddr_t *map, gpa_t gpa, u64 size)
{
	for (; size; size -= PAGE_SIZE, gpa += PAGE_SIZE)
		map[gpa / PAGE_SIZE] = 0;
}

int root_map_window(struct root *root, gpa_t gpa, paddr_t pa, u64 size)
{
	(void)root;
	map_pages(window, gpa, pa, size);
	return OK;
}

int root_map_window_page(struct root *root, gpa_t gpa, paddr_t pa)
{
	assert_int_not_equal(vm->demand.lock.next, vm->demand.lock.owner);
	return window[gpa / PAGE_SIZE] ? ERR_EXISTS : root_map_window(root, gpa, pa, PAGE_SIZE);
}

int root_unmap_window(struct root *root, gpa_t gpa, u64 size)
{
	(void)root;
	unmap_pages(window, gpa, size);
	return OK;
}

/* 2 MiB leaves where they are whole and aligned, as the page-table engine makes them. */
bool pt_lookup(const struct pt *pt, u64 va, struct pt_leaf *leaf)
{
	gpa_t gpa = va - WINDOW_BASE, start = ALIGN_DOWN(gpa, 2 * MIB);
	paddr_t first = window[start / PAGE_SIZE];
	bool any = false, whole = first && !(first & (2 * MIB - 1));

	(void)pt;
	for (u64 at = 0; whole && at < 2 * MIB; at += PAGE_SIZE)
		whole = window[(start + at) / PAGE_SIZE] == first + at;
	for (u64 at = 0; at < 2 * MIB; at += PAGE_SIZE)
		any |= window[(start + at) / PAGE_SIZE] != 0;
	*leaf = (struct pt_leaf){.pa = window[gpa / PAGE_SIZE], .size = whole || !any ? 2 * MIB : PAGE_SIZE};
	return leaf->pa != 0;
}

void root_load(struct root *root)
{
	this_core()->root = root->cr3;
}

/* As the processor: what is not mapped faults. */
static int copy(gpa_t gpa, u64 size)
{
	copies++;
	for (gpa_t page = ALIGN_DOWN(gpa, PAGE_SIZE); page < gpa + size; page += PAGE_SIZE)
		if (!window[page / PAGE_SIZE])
			return ERR_RANGE;
	return window_error;
}

int window_read(void *to, gpa_t gpa, u64 size)
{
	memset(to, (int)(gpa / PAGE_SIZE), size);
	return copy(gpa, size);
}

int window_compare(const struct window_word *word, u32 count, const void *base)
{
	assert_int_equal(base, WINDOW_BASE);
	return window_error || count != 2 || word[1].gpa != 0x3008;
}

int window_write(gpa_t gpa, const void *from, u64 size)
{
	(void)from;
	return copy(gpa, size);
}

int window_compare_exchange(gpa_t gpa, u32 size, u64 *expected, u64 desired)
{
	(void)desired;
	*expected += 1;
	return gpa % size ? ERR_INVALID : copy(gpa, size);
}

static int engine_map(struct vm *of, gpa_t gpa, paddr_t pa, u64 size, u32 rights, enum memory_cache cache)
{
	assert_ptr_equal(of, vm);
	assert_int_equal(rights, GUEST_READ | GUEST_WRITE | GUEST_EXEC);
	assert_int_equal(cache, CACHE_WB);
	if (++maps == map_fails_at)
		return ERR_MEMORY;
	map_pages(second_level, gpa, pa, size);
	return OK;
}

static int engine_map_page(struct vm *of, gpa_t gpa, paddr_t pa)
{
	assert_int_equal(window[gpa / PAGE_SIZE], pa); /* the guest sees it last */
	return engine_map(of, gpa, pa, PAGE_SIZE, GUEST_READ | GUEST_WRITE | GUEST_EXEC, CACHE_WB);
}

static int engine_unmap(struct vm *of, gpa_t gpa, u64 size)
{
	assert_ptr_equal(of, vm);
	unmap_pages(second_level, gpa, size);
	return OK;
}

static void memory_written(struct vm *of, gpa_t gpa, u64 size)
{
	(void)of;
	(void)gpa;
	written += (u32)size;
}

static const struct engine_ops engine = {
	.map = engine_map,
	.map_page = engine_map_page,
	.unmap = engine_unmap,
	.memory_written = memory_written,
};

static u32 pages_owned(void)
{
	u32 count = 0;

	for (u32 i = 0; i < PAGES; i++)
		count += owner[i] == FRAME_VM(3);
	return count;
}

static int setup(void **state)
{
	(void)state;
	fake_cores_init();
	memset(owner, 0, sizeof(owner));
	memset(window, 0, sizeof(window));
	memset(second_level, 0, sizeof(second_level));
	maps = map_fails_at = written = copies = ends = 0;
	pool_used = 0;
	said[0] = 0;
	window_error = OK;
	vm = calloc(1, sizeof(*vm));
	vm->id = 3;
	vm->engine = &engine;
	vm->root.cr3 = 0x5000;
	percpu_table[0].root = 0x5000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	guest_memory_free(vm);
	assert_int_equal(pages_owned(), 0);
	free(vm);
	return 0;
}

/* What both maps say about a range: mapped, alike, page after page. */
static void assert_mapped(gpa_t gpa, u64 size)
{
	for (; size; size -= PAGE_SIZE, gpa += PAGE_SIZE) {
		assert_int_not_equal(window[gpa / PAGE_SIZE], 0);
		assert_int_equal(window[gpa / PAGE_SIZE], second_level[gpa / PAGE_SIZE]);
	}
}

static void test_one_run(void **state)
{
	(void)state;
	assert_int_equal(guest_memory_add(vm, 0, 16 * MIB), OK);
	assert_int_equal(maps, 1);
	assert_mapped(0, 16 * MIB);
	assert_int_equal(second_level[0] & (2 * MIB - 1), 0); /* large pages are possible */
	assert_int_equal(vm->memory.total, 16 * MIB);
	assert_int_equal(guest_memory_add(vm, 8 * MIB, MIB), ERR_EXISTS);
	assert_int_equal(pages_owned(), 16 * MIB / PAGE_SIZE);
}

/* Every other page is somebody's for the upper half: large runs first, then page by page. */
static void test_scattered(void **state)
{
	(void)state;
	for (u32 i = PAGES / 2; i < PAGES; i += 2)
		owner[i] = FRAME_HYPERVISOR;
	assert_int_equal(guest_memory_add(vm, 0, 34 * MIB), OK);
	assert_mapped(0, 34 * MIB);
	assert_true(maps > 100 && maps < 600);
	guest_memory_free(vm);
	for (u32 i = PAGES / 2; i < PAGES; i += 2)
		assert_int_equal(owner[i], FRAME_HYPERVISOR);
}

static void test_unaligned_start(void **state)
{
	(void)state;
	assert_int_equal(guest_memory_add(vm, MIB, 4 * MIB), OK);
	assert_mapped(MIB, 4 * MIB);
}

/* A PC's RAM above the VGA window: small pages up to the first boundary, and in front of what is left at the end. */
static void test_large_pages_after_an_unaligned_start(void **state)
{
	const gpa_t start = 0xc0000, end = 16 * MIB + 0x5000;
	struct pt_leaf leaf;

	(void)state;
	owner[0] = FRAME_HYPERVISOR; /* so that nothing is aligned by chance */
	assert_int_equal(guest_memory_add(vm, start, end - start), OK);
	assert_mapped(start, end - start);
	for (gpa_t gpa = 2 * MIB; gpa < 16 * MIB; gpa += 2 * MIB) {
		assert_true(pt_lookup(&vm->root.pt, WINDOW_BASE + gpa, &leaf));
		assert_int_equal(leaf.size, 2 * MIB);
	}
	assert_int_equal(maps, 3);
}

static void test_not_enough_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(guest_memory_add(vm, 0, MIB), OK);
	assert_int_equal(guest_memory_add(vm, 2 * MIB, 64 * MIB), ERR_MEMORY);
	assert_int_equal(pages_owned(), MIB / PAGE_SIZE);
	assert_int_equal(vm->memory.count, 1);
	assert_int_equal(window[2 * MIB / PAGE_SIZE], 0);
}

static void test_engine_refuses(void **state)
{
	(void)state;
	for (u32 i = 0; i < PAGES; i += 1024)
		owner[i] = FRAME_HYPERVISOR; /* several runs */
	map_fails_at = 3;
	assert_int_equal(guest_memory_add(vm, 0, 32 * MIB), ERR_MEMORY);
	assert_int_equal(pages_owned(), 0);
	for (u32 g = 0; g < GUEST; g++)
		assert_true(!window[g] && !second_level[g]);
}

static void test_copies(void **state)
{
	u8 bytes[4];

	(void)state;
	assert_int_equal(guest_memory_add(vm, 0, MIB), OK);
	assert_int_equal(guest_read(vm, 0x5000, bytes, 4), OK);
	assert_int_equal(bytes[3], 5);
	assert_int_equal(guest_read(vm, MIB - 3, bytes, 4), ERR_RANGE);
	assert_int_equal(guest_write(vm, ~0ull, bytes, 2), ERR_RANGE);
	assert_int_equal(written, 0);
	assert_int_equal(guest_write(vm, 0, bytes, 4), OK);
	assert_int_equal(written, 4);
	assert_true(guest_unchanged(vm, (struct window_word[]){{0x2000, 1}, {0x3008, 2}}, 2));
	assert_false(guest_unchanged(vm, (struct window_word[]){{0x2000, 1}}, 1));
	window_error = ERR_RANGE;
	assert_false(guest_unchanged(vm, (struct window_word[]){{0x2000, 1}, {0x3008, 2}}, 2));
	assert_int_equal(guest_write(vm, 0, bytes, 4), ERR_RANGE);
	assert_int_equal(written, 4);
	vm->memory.slot[0].writable = false;
	assert_int_equal(guest_write(vm, 0, bytes, 4), ERR_DENIED);
}

/* A VM on demand has nothing until someone touches it; then that page, and its stock. */
static void test_on_demand(void **state)
{
	u8 bytes[PAGE_SIZE + 2];
	u64 expected = 0;

	(void)state;
	vm->demand.on = true;
	assert_int_equal(guest_memory_add(vm, 0, 96 * MIB), OK); /* more than the machine has */
	assert_int_equal(pages_owned(), 0);
	assert_int_equal(guest_memory_touch(vm, 3 * MIB + 0x123), OK);
	assert_mapped(3 * MIB, PAGE_SIZE);
	assert_int_equal(window[3 * MIB / PAGE_SIZE - 1] | window[3 * MIB / PAGE_SIZE + 1], 0);
	assert_int_equal(vm->demand.backed, PAGE_SIZE);
	assert_int_equal(pages_owned(), 64);
	assert_int_equal(vm->demand.untaken, 96 * MIB - 64 * PAGE_SIZE);
	/* A second one that comes for it finds it. */
	assert_int_equal(guest_memory_touch(vm, 3 * MIB), OK);
	assert_int_equal(vm->demand.backed, PAGE_SIZE);
	/* Copies: once more, and only for what is not there. */
	assert_int_equal(guest_write(vm, 3 * MIB - 1, bytes, PAGE_SIZE + 2), OK);
	assert_int_equal(copies, 2);
	assert_mapped(3 * MIB - PAGE_SIZE, 3 * PAGE_SIZE);
	assert_int_equal(guest_read(vm, 3 * MIB, bytes, 1), OK);
	assert_int_equal(copies, 3);
	assert_int_equal(guest_read(vm, 95 * MIB, bytes, 1), OK);
	assert_int_equal(guest_compare_exchange(vm, 94 * MIB, 8, &expected, 1), OK);
	assert_int_equal(vm->demand.backed, 5 * PAGE_SIZE);
	assert_int_equal(written, PAGE_SIZE + 2 + 8);
	assert_int_equal(guest_compare_exchange(vm, 94 * MIB + 1, 8, &expected, 1), ERR_INVALID);
	assert_int_equal(guest_read(vm, 96 * MIB - 1, bytes, 2), ERR_RANGE);
	assert_int_equal(pages_owned(), 64);
	assert_int_equal(ends, 0);
}

/* What is RAM is asked once for 2 MiB that are, and each time elsewhere. */
static void test_region(void **state)
{
	(void)state;
	vm->demand.on = true;
	assert_int_equal(guest_memory_add(vm, MIB, 4 * MIB), OK);
	assert_false(guest_memory_is_ram(&vm->memory, &vm->demand, 0));
	assert_int_equal(guest_memory_touch(vm, MIB), OK);
	assert_false(guest_memory_is_ram(&vm->memory, &vm->demand, 0));
	assert_int_equal(guest_memory_touch(vm, 4 * MIB), OK);
	assert_false(guest_memory_is_ram(&vm->memory, &vm->demand, 5 * MIB));
	assert_int_equal(guest_memory_touch(vm, 2 * MIB), OK);
	vm->memory.count = 0;
	assert_true(guest_memory_is_ram(&vm->memory, &vm->demand, 4 * MIB - 1));
	assert_false(guest_memory_is_ram(&vm->memory, &vm->demand, 4 * MIB));
	vm->memory.count = 1;
}

/*
 * All the machine has, then one page more: the VM ends, once with its lock free, and what is there can still be
 * reached.
 */
static void test_demand_runs_out(void **state)
{
	u8 byte = 0;

	(void)state;
	for (u32 i = 0; i < PAGES; i += 3)
		owner[i] = FRAME_HYPERVISOR;
	vm->demand.on = true;
	assert_int_equal(guest_memory_add(vm, 0, 96 * MIB), OK);
	for (u32 i = 0; i < PAGES - (PAGES + 2) / 3; i++)
		assert_int_equal(guest_memory_touch(vm, i * PAGE_SIZE), OK);
	assert_int_equal(frame_bytes_free(), 0);
	assert_int_equal(guest_memory_touch(vm, 90 * MIB), ERR_MEMORY);
	assert_int_equal(ends, 1);
	assert_string_equal(said, "the machine has no memory left for gpa 0x5a00000: "
				  "42 of 96 MiB are backed; " OR_ELSE);
	assert_int_equal(guest_read(vm, 90 * MIB, &byte, 1), ERR_MEMORY);
	assert_int_equal(ends, 2);
	assert_int_equal(guest_memory_touch(vm, 0), OK);
	assert_int_equal(guest_read(vm, 0, &byte, 1), OK);
	assert_int_equal(ends, 2);
}

/* A fourth of the pool is for others; what has its tables goes on. */
static void test_demand_leaves_pool_to_others(void **state)
{
	(void)state;
	vm->demand.on = true;
	assert_int_equal(guest_memory_add(vm, 0, 96 * MIB), OK);
	assert_int_equal(guest_memory_touch(vm, 4 * MIB), OK);
	assert_int_equal(guest_memory_touch(vm, 6 * MIB), OK);
	pool_used = POOL - POOL / 4;
	assert_int_equal(guest_memory_touch(vm, 4 * MIB + PAGE_SIZE), OK);
	assert_int_equal(guest_memory_touch(vm, 8 * MIB), ERR_MEMORY);
	assert_string_equal(said, "the hypervisor's pool has no room for tables left for gpa 0x800000: "
				  "0 of 96 MiB are backed; " OR_ELSE);
	assert_int_equal(ends, 1);
	assert_int_equal(guest_memory_touch(vm, 6 * MIB), OK);
	pool_used -= PAGE_SIZE;
	assert_int_equal(guest_memory_touch(vm, 8 * MIB), OK);
}

/* The window has the page, the engine not: the VM is over, and the page is found again at its end. */
static void test_demand_engine_refuses(void **state)
{
	(void)state;
	vm->demand.on = true;
	assert_int_equal(guest_memory_add(vm, 0, 96 * MIB), OK);
	map_fails_at = 2;
	assert_int_equal(guest_memory_touch(vm, 0), OK);
	assert_int_equal(guest_memory_touch(vm, PAGE_SIZE), ERR_MEMORY);
	assert_int_equal(ends, 1);
}

/* The line comes when it becomes too much, and again only after it was not. */
static void test_overcommit_is_told(void **state)
{
	(void)state;
	vm->demand.on = true;
	guest_memory_tell_overcommit();
	assert_string_equal(said, "");
	assert_int_equal(guest_memory_add(vm, 0, 64 * MIB), OK);
	guest_memory_tell_overcommit();
	assert_string_equal(said, "");
	assert_int_equal(guest_memory_add(vm, 64 * MIB, MIB), OK);
	guest_memory_tell_overcommit();
	assert_string_equal(said, "memory: VMs with memory_backing = demand may touch 65 MiB more, "
				  "the machine has 64 MiB free: one that finds none left ends");
	said[0] = 0;
	guest_memory_tell_overcommit();
	assert_string_equal(said, "");
	/* Touching takes from both sides. */
	assert_int_equal(guest_memory_touch(vm, 0), OK);
	guest_memory_free(vm);
	guest_memory_tell_overcommit();
	assert_int_equal(guest_memory_add(vm, 0, 65 * MIB), OK);
	guest_memory_tell_overcommit();
	assert_string_not_equal(said, "");
}

/* Cores that come for the same pages at once: a frame for each page, and no more. */
#define RACED 2000u

static void *race(void *context)
{
	u64 *failures = context;

	for (u32 i = 0; i < RACED; i++)
		*failures += guest_memory_touch(vm, i * PAGE_SIZE) != OK;
	return NULL;
}

static void test_cores_at_once(void **state)
{
	u64 failures[4] = {0};
	pthread_t thread[4];

	(void)state;
	vm->demand.on = true;
	assert_int_equal(guest_memory_add(vm, 0, 96 * MIB), OK);
	for (u32 i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, race, &failures[i]), 0);
	for (u32 i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(pthread_join(thread[i], NULL) | (int)failures[i], 0);
	assert_int_equal(maps, RACED);
	assert_int_equal(vm->demand.backed, RACED * PAGE_SIZE);
	assert_mapped(0, RACED * PAGE_SIZE);
	assert_int_equal(pages_owned(), (RACED + 63) / 64 * 64);
}

static int work(struct vm *of, void *context)
{
	assert_ptr_equal(of, vm);
	assert_int_equal(this_core()->root, 0x5000);
	return *(int *)context;
}

static void test_with_vm(void **state)
{
	int result = -7;

	(void)state;
	percpu_table[0].root = 0x9000;
	assert_int_equal(with_vm(vm, work, &result), -7);
	assert_int_equal(percpu_table[0].root, 0x9000);
	percpu_table[0].root = 0x5000;
	assert_int_equal(with_vm(vm, work, &result), -7);
	assert_int_equal(percpu_table[0].root, 0x5000);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_one_run), TEST(test_scattered), TEST(test_unaligned_start),
		TEST(test_large_pages_after_an_unaligned_start),
		TEST(test_not_enough_leaves_nothing),
		TEST(test_engine_refuses),
		TEST(test_copies),
		TEST(test_with_vm),
		TEST(test_on_demand),
		TEST(test_region),
		TEST(test_demand_runs_out),
		TEST(test_demand_leaves_pool_to_others),
		TEST(test_demand_engine_refuses),
		TEST(test_overcommit_is_told),
		TEST(test_cores_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
