// sources: arch/x86_64/svm/memory.c arch/x86_64/mmu/inval.c tests/unit/fake_pool.c
/* Changes of a VM's nested tables: no core may enter the guest with old translations when memory changes hands. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/mmu/root.h"
#include "arch/x86_64/svm/svm.h"
#include "core/pool.h"
#include "tests/unit/fake_panic.h"

#define CORES 3

struct svm_features svm_features;
const struct pt_allocator pt_pool_allocator;
const struct pt_format pt_format_npt;

static struct svm_vcpu svm[2];
static struct vcpu vcpu[2];
static struct vm vm;
static bool removed, reaped;
static u32 kicks, entered_with_old;

void *pool_new(size_t size)
{
	return calloc(1, size);
}

void pool_delete(void *object, size_t size)
{
	(void)size;
	free(object);
}

bool cpu_has(enum feature feature)
{
	(void)feature;
	return true;
}

/* Other cores answer one after the other, and enter the guest at once, which flushes what is marked. */
void smp_call_all(void (*work)(void *context), void *context)
{
	kicks++;
	for (u32 core = 0; core < CORES; core++) {
		work(context);
		for (u32 i = 0; i < 2; i++) {
			entered_with_old += !svm[i].renew;
			svm[i].renew = false;
		}
	}
}

int pt_init(struct pt *pt, const struct pt_format *format, const struct pt_allocator *allocator, u32 largest_level)
{
	(void)pt;
	(void)format;
	(void)allocator;
	(void)largest_level;
	return OK;
}

void pt_destroy(struct pt *pt, u32 keep_first, u32 keep_count)
{
	(void)pt;
	(void)keep_first;
	(void)keep_count;
}

void pt_reap(struct pt *pt)
{
	(void)pt;
	assert_true(kicks);
	reaped = true;
}

int pt_map(struct pt *pt, u64 va, paddr_t pa, u64 size, u32 rights, enum memory_cache cache, struct pt_change *change)
{
	(void)pt;
	(void)va;
	(void)pa;
	(void)size;
	(void)cache;
	(void)change;
	assert_true(rights & PT_USER); /* nested walks are user accesses */
	return OK;
}

int pt_map_page(struct pt *pt, u64 va, paddr_t pa, u32 rights, enum memory_cache cache)
{
	(void)pt;
	assert_int_equal(va, 0x5000);
	assert_int_equal(pa, 0x7000);
	assert_int_equal(rights, PT_READ | PT_WRITE | PT_EXEC | PT_USER);
	assert_int_equal(cache, CACHE_WB);
	return ERR_EXISTS;
}

int pt_unmap(struct pt *pt, u64 va, u64 size, struct pt_change *change)
{
	(void)pt;
	(void)va;
	(void)size;
	change->any_removed = removed;
	return OK;
}

int pt_protect(struct pt *pt, u64 va, u64 size, u32 rights, struct pt_change *change)
{
	(void)pt;
	(void)va;
	(void)size;
	(void)rights;
	change->any_removed = removed;
	return OK;
}

static int setup(void **state UNUSED)
{
	memset(svm, 0, sizeof(svm));
	kicks = entered_with_old = 0;
	removed = reaped = false;
	vm.vcpu_count = 3; /* the third is not made yet */
	for (u32 i = 0; i < 2; i++) {
		vcpu[i].engine_state = &svm[i];
		vm.vcpu[i] = &vcpu[i];
	}
	return svm_vm_create(&vm);
}

static int teardown(void **state UNUSED)
{
	svm_vm_destroy(&vm);
	return 0;
}

static void check_unmap(bool flush_by_asid)
{
	svm_features.flush_by_asid = flush_by_asid;
	removed = true;
	assert_int_equal(svm_unmap(&vm, 0, PAGE_SIZE), OK);
	assert_int_equal(kicks, 1);
	assert_int_equal(entered_with_old, 0);
	assert_true(reaped);
}

static void unmapping_reaches_cores_that_are_quick(void **state UNUSED)
{
	check_unmap(false);
}

static void with_flush_by_asid_too(void **state UNUSED)
{
	check_unmap(true);
}

static void unmapping_nothing_costs_nothing(void **state UNUSED)
{
	assert_int_equal(svm_unmap(&vm, 0, PAGE_SIZE), OK);
	assert_int_equal(kicks, 0);
}

static void rights_taken_away_kick_and_rights_given_do_not(void **state UNUSED)
{
	removed = true;
	assert_int_equal(svm_protect(&vm, 0, PAGE_SIZE, GUEST_READ), OK);
	assert_int_equal(kicks, 1);
	assert_int_equal(entered_with_old, 0);
	assert_false(reaped);
	removed = false;
	assert_int_equal(svm_protect(&vm, 0, PAGE_SIZE, GUEST_READ | GUEST_WRITE), OK);
	assert_int_equal(kicks, 1);
	assert_true(svm[0].renew && svm[1].renew);
}

static void mapping_flushes_nothing(void **state UNUSED)
{
	assert_int_equal(svm_map(&vm, 0, 0, PAGE_SIZE, GUEST_READ, CACHE_WB), OK);
	assert_int_equal(svm_map_page(&vm, 0x5000, 0x7000), ERR_EXISTS);
	assert_int_equal(kicks, 0);
	assert_false(svm[0].renew || svm[1].renew);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(unmapping_reaches_cores_that_are_quick),
		TEST(with_flush_by_asid_too),
		TEST(unmapping_nothing_costs_nothing),
		TEST(rights_taken_away_kick_and_rights_given_do_not),
		TEST(mapping_flushes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
