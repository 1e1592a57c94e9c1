// sources: core/log.c lib/fmt.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "core/log.h"

#define SINK_SIZE (4u << 20)

/* A console that keeps what it gets, and takes at most `limit` bytes a call. */
struct sink {
	struct console console;
	size_t limit, used;
	u32 calls;
	char bytes[SINK_SIZE];
};

static size_t sink_write(struct console *console, const char *bytes, size_t n)
{
	struct sink *sink = CONTAINER_OF(console, struct sink, console);

	sink->calls++;
	n = MIN(n, sink->limit);
	assert_true(sink->used + n <= SINK_SIZE);
	memcpy(sink->bytes + sink->used, bytes, n);
	sink->used += n;
	return n;
}

static struct sink first = {.console = {.name = "first", .write = sink_write}, .limit = 3};
static struct sink second = {.console = {.name = "second", .write = sink_write}, .limit = 4096};
static int input = -1;

static int keys_read(struct console *console)
{
	int byte = input;

	(void)console;
	input = -1;
	return byte;
}

static struct console keys = {.name = "keys", .read = keys_read};

static void forget(struct sink *sink)
{
	sink->used = 0;
	memset(sink->bytes, 0, SINK_SIZE);
}

/* The tests share the one log, in the order of main(). */
static void test_early_lines_are_kept(void **state)
{
	(void)state;
	log_line("before any console: %d", 1);
	log_stage(7, "stage %s", "seven");
	console_register(&first.console);
	assert_string_equal(first.bytes, "before any console: 1\n[07] stage seven\n");
	/* Direct: there when the call returns, though it takes three bytes at a time. */
	log_line("now");
	assert_string_equal(first.bytes + 39, "now\n");
	console_register(&second.console);
	assert_string_equal(second.bytes, first.bytes);
}

static void test_indirect_waits_for_drain(void **state)
{
	(void)state;
	forget(&first);
	forget(&second);
	log_direct(false);
	log_line("later");
	assert_int_equal(first.used, 0);
	first.limit = 0;
	assert_true(log_drain());
	assert_string_equal(second.bytes, "later\n");
	assert_int_equal(first.used, 0);
	first.limit = 100;
	assert_false(log_drain());
	assert_string_equal(first.bytes, "later\n");
}

static void test_guest_lines_are_cleaned(void **state)
{
	static const char text[] = "a\tb\033[2Jc\r\n\177\303\251";
	char longer[3000];

	(void)state;
	forget(&first);
	log_guest_line("vm1", text, sizeof(text) - 1);
	log_drain();
	assert_string_equal(first.bytes, "vm1| a\tb?[2Jc???\303\251\n");
	forget(&first);
	memset(longer, 'x', sizeof(longer));
	log_guest_line("vm1", longer, sizeof(longer));
	log_drain();
	assert_int_equal(first.used, 5 + 1024 + 1);
	forget(&first);
	longer[sizeof(longer) - 1] = '\0';
	log_line("%s", longer);
	log_drain();
	assert_int_equal(first.used, 512);
	assert_int_equal(first.bytes[511], '\n');
}

/* Far more than the ring holds, with nobody draining: the writers do, and nothing is lost. */
static void test_full_ring_loses_nothing(void **state)
{
	char line[64], *at = second.bytes;

	(void)state;
	forget(&first);
	forget(&second);
	first.limit = 7;
	for (u32 i = 0; i < 20000; i++)
		log_line("line %05u of many that fill the ring", i);
	log_flush();
	for (u32 i = 0; i < 20000; i++) {
		int n = snprintf(line, sizeof(line), "line %05u of many that fill the ring\n", i);

		assert_memory_equal(at, line, (size_t)n);
		at += n;
	}
	assert_int_equal(first.used, second.used);
	assert_memory_equal(first.bytes, second.bytes, second.used);
}

/* A console that takes nothing is given up; the others get all, and it comes back when it takes again. */
static void test_stuck_console(void **state)
{
	u32 calls;

	(void)state;
	forget(&first);
	forget(&second);
	first.limit = 0;
	log_direct(true);
	log_line("one");
	assert_string_equal(second.bytes, "one\n");
	assert_true(first.console.stuck);
	calls = first.calls;
	for (u32 i = 0; i < 10000; i++)
		log_line("more than the ring holds, while one console stands still");
	assert_int_equal(second.used, 4 + 10000 * 57);
	/* It was looked at, but not waited for. */
	assert_true(first.calls - calls < 100000);
	first.limit = 4096;
	log_line("last");
	assert_false(first.console.stuck);
	assert_memory_equal(first.bytes + first.used - 5, "last\n", 5);
	assert_true(first.used <= 128 * 1024);
}

static void *write_many(void *name)
{
	for (u32 i = 0; i < 5000; i++)
		log_line("<%s %05u a line that must arrive whole>", (const char *)name, i);
	return NULL;
}

static void test_lines_of_many_cores_stay_whole(void **state)
{
	static char names[3][2] = {"a", "b", "c"};
	u32 next[3] = {0, 0, 0}, number;
	pthread_t threads[3];
	char who, rest[64];

	(void)state;
	forget(&first);
	forget(&second);
	log_direct(false);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, names[i]), 0);
	for (u32 i = 0; i < 1000; i++)
		log_drain();
	for (u32 i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	log_flush();
	for (char *line = strtok(second.bytes, "\n"); line; line = strtok(NULL, "\n")) {
		assert_int_equal(sscanf(line, "<%c %5u %63[^>]>", &who, &number, rest), 3);
		assert_string_equal(rest, "a line that must arrive whole");
		assert_int_equal(number, next[who - 'a']++);
	}
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(next[i], 5000);
}

static void test_input(void **state)
{
	(void)state;
	console_register(&keys);
	assert_int_equal(console_read(), -1);
	input = 'k';
	assert_int_equal(console_read(), 'k');
	assert_int_equal(console_read(), -1);
}

static bool broken_inside;

/* A panic in the middle of a console's write: the console lock is held by the very core that panics. */
static size_t write_and_panic(struct console *console, const char *bytes, size_t n)
{
	(void)console;
	(void)bytes;
	if (!broken_inside) {
		broken_inside = true;
		log_emergency();
		log_line("last words");
		log_flush();
	}
	return n;
}

static void test_emergency_breaks_locks(void **state)
{
	static struct console trouble = {.name = "trouble", .write = write_and_panic};

	(void)state;
	forget(&second);
	assert_true(log_urgent("urgent %d", 5));
	log_flush();
	assert_string_equal(second.bytes, "urgent 5\n");
	console_register(&trouble);
	assert_non_null(strstr(second.bytes, "last words\n"));
	/* And from there on, without any lock. */
	log_line("the very last");
	assert_non_null(strstr(second.bytes, "the very last\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_early_lines_are_kept),
		cmocka_unit_test(test_indirect_waits_for_drain),
		cmocka_unit_test(test_guest_lines_are_cleaned),
		cmocka_unit_test(test_full_ring_loses_nothing),
		cmocka_unit_test(test_stuck_console),
		cmocka_unit_test(test_lines_of_many_cores_stay_whole),
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_emergency_breaks_locks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
