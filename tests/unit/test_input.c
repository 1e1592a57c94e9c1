// sources: vmm/input.c vmm/timer.c tests/unit/fake_core.c
/* Typed input: all of it, in order, however little the VM takes at a time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/log.h"
#include "tests/unit/fake_core.h"
#include "vmm/core.h"
#include "vmm/input.h"
#include "vmm/vm.h"

static const struct config config = {.console = "one"};
static const struct vmm_house the_house = {.config = &config};
const struct vmm_house *house = &the_house;

static const char *keys; /* yet to be typed */
static char got[200];	 /* what the VM took */
static u32 got_count, room, asked;

int console_read(void)
{
	return *keys ? *keys++ : -1;
}

u32 vm_type(const char *name, const char *bytes, u32 n)
{
	u32 taken = MIN(n, room);

	assert_string_equal(name, "one");
	asked++;
	memcpy(got + got_count, bytes, taken);
	got_count += taken;
	room -= taken;
	return taken;
}

/* One period, in which the VM has room for so many bytes. */
static void a_look_with_room(u32 bytes)
{
	room = bytes;
	timer_run(fake_deadline);
}

static int setup(void **state UNUSED)
{
	fake_cores_init();
	memset(got, 0, sizeof(got));
	got_count = room = asked = 0;
	keys = "";
	input_start();
	return 0;
}

/* What is left of one test would come in the next. */
static int teardown(void **state UNUSED)
{
	while (asked) {
		asked = 0;
		got_count = 0;
		a_look_with_room(sizeof(got));
	}
	return 0;
}

static void keys_go_to_the_vm(void **state UNUSED)
{
	a_look_with_room(100);
	assert_int_equal(asked, 0);
	keys = "ls\r";
	a_look_with_room(100);
	assert_string_equal(got, "ls\r");
}

static void a_full_vm_gets_them_later(void **state UNUSED)
{
	keys = "echo a line of more than sixteen bytes\r";
	a_look_with_room(0);
	a_look_with_room(3);
	assert_string_equal(got, "ech");
	a_look_with_room(0);
	for (u32 i = 0; i < 20; i++)
		a_look_with_room(5);
	assert_string_equal(got, "echo a line of more than sixteen bytes\r");
}

/* A console can hold back what it has: no more is taken from it than the VM is to get. */
static void what_does_not_fit_stays_in_the_console(void **state UNUSED)
{
	keys = "0123456789abcdefghijklmnopqrstuvwxyz";
	for (u32 i = 0; i < 10; i++)
		a_look_with_room(0);
	assert_string_equal(keys, "ghijklmnopqrstuvwxyz");
	a_look_with_room(100);
	assert_string_equal(got, "0123456789abcdef");
	keys = "";
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_go_to_the_vm, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_vm_gets_them_later, setup, teardown),
		cmocka_unit_test_setup_teardown(what_does_not_fit_stays_in_the_console, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
