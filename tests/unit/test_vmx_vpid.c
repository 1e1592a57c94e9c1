// sources: arch/x86_64/vmx/vpid.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch/x86_64/vmx/vpid.h"

static struct vpid_pool pool;

static void fresh_ones_need_no_flush(void **state)
{
	bool reused = true;

	(void)state;
	vpid_init(&pool);
	assert_int_equal(vpid_alloc(&pool, &reused), 1);
	assert_false(reused);
	assert_int_equal(vpid_alloc(&pool, &reused), 2);
	assert_false(reused);
}

/* A freed one goes to the back, and comes again marked as used before. */
static void reuse_is_late_and_flushed(void **state)
{
	bool reused;

	(void)state;
	vpid_init(&pool);
	(void)vpid_alloc(&pool, &reused);
	vpid_free(&pool, 1);
	for (u32 i = 2; i < VPID_LIMIT; i++) {
		assert_int_equal(vpid_alloc(&pool, &reused), i);
		assert_false(reused);
	}
	assert_int_equal(vpid_alloc(&pool, &reused), 1);
	assert_true(reused);
}

static void never_zero_and_never_twice(void **state)
{
	static u8 seen[VPID_LIMIT];
	bool reused;

	(void)state;
	vpid_init(&pool);
	for (u32 i = 1; i < VPID_LIMIT; i++) {
		u16 vpid = vpid_alloc(&pool, &reused);

		assert_in_range(vpid, 1, VPID_LIMIT - 1);
		assert_int_equal(seen[vpid]++, 0);
	}
	assert_int_equal(vpid_alloc(&pool, &reused), 0);
	vpid_free(&pool, 0); /* the host's is never given out */
	assert_int_equal(vpid_alloc(&pool, &reused), 0);
	vpid_free(&pool, 77);
	assert_int_equal(vpid_alloc(&pool, &reused), 77);
	assert_true(reused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_ones_need_no_flush),
		cmocka_unit_test(reuse_is_late_and_flushed),
		cmocka_unit_test(never_zero_and_never_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
