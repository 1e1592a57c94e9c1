// sources: vmm/console.c lib/ring.c lib/fmt.c
/* From what guests write to lines in the log. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/log.h"
#include "core/pool.h"
#include "vmm/console.h"
#include "vmm/core.h"
#include "vmm/vm.h"

static struct vm *vms[2];
static const struct vm_config configs[2] = {{.name = "one"}, {.name = "two"}};
static struct vm_console *one, *two;
static char text[200000];
static u32 outputs;
static u32 allocations;
static u32 refuse_at; /* the allocation that fails; 0: none */
static bool drain_within;

static void *allocate(size_t size)
{
	if (refuse_at && --refuse_at == 0)
		return NULL;
	allocations++;
	return calloc(1, size);
}

void *pool_new(size_t size)
{
	return allocate(size);
}

void *pool_alloc(u32 pages)
{
	return allocate(pages * PAGE_SIZE);
}

void pool_delete(void *object, size_t size)
{
	(void)size;
	allocations--;
	free(object);
}

void pool_free(void *memory, u32 pages)
{
	pool_delete(memory, pages * PAGE_SIZE);
}

void log_guest_line(const char *prefix, const char *line, size_t length)
{
	size_t used = strlen(text);

	snprintf(text + used, sizeof(text) - used, "%s|%.*s\n", prefix, (int)length, line);
	/* Another core at it while this one is: it must leave it to this one and not wait. */
	if (drain_within) {
		drain_within = false;
		vm_console_write(one, "late\n", 5);
		vm_console_drain_all();
	}
}

static u32 parts, soon;

void log_guest_part(const char *prefix, const char *line, size_t length, size_t shown, bool ends)
{
	size_t used = strlen(text);

	parts++;
	snprintf(text + used, sizeof(text) - used, "%s:%u:%.*s%s", prefix, (u32)shown, (int)length, line,
		 ends ? "\n" : ";");
}

void core_output(void)
{
	outputs++;
}

void core_output_soon(void)
{
	soon++;
}

static struct config config;
static const struct vmm_house the_house = {.config = &config};
const struct vmm_house *house = &the_house;

static void write_text(struct vm_console *console, const char *s)
{
	vm_console_write(console, s, strlen(s));
}

static int setup(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		vms[i] = calloc(1, sizeof(struct vm));
		vms[i]->config = &configs[i];
	}
	one = vm_console_create(vms[0]);
	two = vm_console_create(vms[1]);
	text[0] = 0;
	outputs = 0;
	return one && two ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	vm_console_destroy(one);
	vm_console_destroy(two);
	assert_int_equal(allocations, 0);
	free(vms[0]);
	free(vms[1]);
	return 0;
}

/* A prompt has no newline: the terminal's owner sees its line as it grows, and a line end's CR not before its LF. */
static void test_owner(void **state)
{
	struct vm_console *owner;

	(void)state;
	strcpy(config.console, "two");
	owner = vm_console_create(vms[1]);
	config.console[0] = 0;
	soon = 0;
	write_text(owner, "# ");
	assert_int_equal(soon, 1);
	assert_int_equal(outputs, 0);
	vm_console_drain_all();
	assert_string_equal(text, "two:0:# ;");
	vm_console_drain_all();
	assert_string_equal(text, "two:0:# ;");
	write_text(owner, "ls\r");
	vm_console_drain_all();
	assert_string_equal(text, "two:0:# ;two:2:# ls;");
	write_text(owner, "\n");
	vm_console_drain_all();
	assert_string_equal(text, "two:0:# ;two:2:# ls;two:4:# ls\n");
	vm_console_destroy(owner);
}

static void test_lines(void **state)
{
	(void)state;
	write_text(one, "hel");
	assert_int_equal(outputs, 0); /* nothing to show yet */
	vm_console_drain_all();
	assert_string_equal(text, "");
	write_text(one, "lo\nwor");
	assert_int_equal(outputs, 1);
	write_text(two, "other\n");
	vm_console_drain_all();
	assert_string_equal(text, "one|hello\ntwo|other\n");
	write_text(one, "ld\n\n");
	vm_console_drain_all();
	assert_string_equal(text, "one|hello\ntwo|other\none|world\none|\n");
}

static void test_carriage_returns(void **state)
{
	(void)state;
	write_text(one, "a\r\nb\r\r\n\r\nc\rd\n");
	vm_console_drain_all();
	assert_string_equal(text, "one|a\none|b\none|\none|c\rd\n");
}

static void test_long_lines_are_cut(void **state)
{
	char line[401], expected[500];

	(void)state;
	memset(line, 'x', 400);
	line[400] = 0;
	write_text(one, line);
	write_text(one, "\n");
	vm_console_drain_all();
	snprintf(expected, sizeof(expected), "one|%.200s\none|%.200s\n", line, line);
	assert_string_equal(text, expected);
}

static void test_finish_shows_all(void **state)
{
	(void)state;
	write_text(one, "first\nprompt> ");
	vm_console_finish(one);
	assert_string_equal(text, "one|first\none|prompt> \n");
	vm_console_finish(one);
	assert_string_equal(text, "one|first\none|prompt> \n");
}

static void test_overflow_is_counted(void **state)
{
	char *bytes = malloc(20000);

	(void)state;
	memset(bytes, 'y', 20000);
	for (u32 i = 99; i < 20000; i += 100)
		bytes[i] = '\n';
	vm_console_write(one, bytes, 20000);
	vm_console_drain_all();
	assert_non_null(strstr(text, "one|(3616 bytes of output lost: printed too fast)\n"));
	text[0] = 0;
	write_text(one, "after\n");
	vm_console_drain_all();
	assert_string_equal(text, "one|after\n"); /* said once */
	free(bytes);
}

/* Without a newline in sight, a ring that fills must still be emptied. */
static void test_much_without_newline(void **state)
{
	(void)state;
	for (u32 i = 0; i < 9000; i++)
		write_text(one, "z");
	assert_true(outputs > 0);
	vm_console_drain_all();
	assert_int_equal(strlen(text), (9000 / 200 - 1) * 205); /* the last 200 may still go on */
}

static void test_a_wish_left_behind_is_served(void **state)
{
	(void)state;
	write_text(two, "now\n");
	drain_within = true;
	vm_console_drain_all();
	assert_string_equal(text, "two|now\none|late\n");
}

static void test_no_memory(void **state)
{
	u32 before = allocations;

	(void)state;
	for (u32 i = 1; i <= 2; i++) {
		refuse_at = i;
		assert_null(vm_console_create(vms[0]));
		refuse_at = 0;
		assert_int_equal(allocations, before);
	}
	vm_console_destroy(NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_lines), TEST(test_owner), TEST(test_carriage_returns), TEST(test_long_lines_are_cut),
		TEST(test_finish_shows_all),
		TEST(test_overflow_is_counted), TEST(test_much_without_newline),
		TEST(test_a_wish_left_behind_is_served),
		TEST(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
