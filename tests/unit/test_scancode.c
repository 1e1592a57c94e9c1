// sources: drivers/scancode.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "drivers/scancode.h"

/* What the codes give as text; -1s are left out. */
static const char *type(struct scancode_state *keyboard, const u8 *codes, size_t n)
{
	static char text[64];
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		int byte = scancode_decode(keyboard, codes[i]);

		if (byte >= 0)
			text[used++] = (char)byte;
	}
	text[used] = '\0';
	return text;
}

#define TYPE(keyboard, ...) type(&(keyboard), (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

static void test_plain(void **state)
{
	struct scancode_state k = {0};

	(void)state;
	/* h e l l o, each with its release; Enter, Esc, Backspace, Tab, Space */
	assert_string_equal(TYPE(k, 0x23, 0xa3, 0x12, 0x92, 0x26, 0xa6, 0x26, 0xa6, 0x18, 0x98), "hello");
	assert_string_equal(TYPE(k, 0x1c, 0x01, 0x0e, 0x0f, 0x39), "\r\033\177\t ");
	assert_string_equal(TYPE(k, 0x02, 0x0b, 0x0c, 0x0d, 0x1a, 0x1b, 0x27, 0x28, 0x29, 0x2b, 0x33, 0x34, 0x35),
			    "10-=[];'`\\,./");
	/* F1, keypad, unknown codes give nothing */
	assert_string_equal(TYPE(k, 0x3b, 0x48, 0x58, 0x7f, 0x00), "");
}

static void test_modifiers(void **state)
{
	struct scancode_state k = {0};

	(void)state;
	assert_string_equal(TYPE(k, 0x2a, 0x1e, 0x9e, 0x03, 0xaa, 0x1e), "A@a");
	assert_string_equal(TYPE(k, 0x36, 0x2c, 0x33, 0xb6, 0x2c), "Z<z");
	/* Both shifts: one released, the other still counts. */
	assert_string_equal(TYPE(k, 0x2a, 0x36, 0xaa, 0x1e, 0xb6, 0x1e), "Aa");
	/* Caps for letters only, and shift turns it round. */
	assert_string_equal(TYPE(k, 0x3a, 0xba, 0x1e, 0x02, 0x2a, 0x1e, 0x02, 0xaa, 0x3a, 0xba, 0x1e), "A1a!a");
	/* Ctrl-C, Ctrl-A, right Ctrl too; Ctrl-1 is 1 */
	assert_string_equal(TYPE(k, 0x1d, 0x2e, 0x1e, 0x02, 0x9d, 0x2e), "\003\0011c");
	assert_string_equal(TYPE(k, 0xe0, 0x1d, 0x2d, 0xe0, 0x9d, 0x2d), "\030x");
	/* Ctrl with caps, and Ctrl-[ */
	assert_string_equal(TYPE(k, 0x3a, 0x1d, 0x2e, 0x1a, 0x9d, 0x3a), "\003\033");
}

static void test_extended(void **state)
{
	struct scancode_state k = {0};

	(void)state;
	/* Keypad slash and Enter; arrows are silent; the made-up shift of E0 2A is none. */
	assert_string_equal(TYPE(k, 0xe0, 0x35, 0xe0, 0xb5, 0xe0, 0x1c, 0xe0, 0x9c), "/\r");
	assert_string_equal(TYPE(k, 0xe0, 0x48, 0xe0, 0xc8, 0xe0, 0x2a, 0xe0, 0x37, 0x1e), "a");
	/* Pause: E1 1D 45 E1 9D C5 leaves no Ctrl behind. */
	assert_string_equal(TYPE(k, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5, 0x2e), "c");
}

static void test_any_bytes(void **state)
{
	struct scancode_state k = {0};
	u32 seed = 1;

	(void)state;
	for (u32 i = 0; i < 100000; i++) {
		int byte;

		seed = seed * 1664525 + 1013904223;
		byte = scancode_decode(&k, (u8)(seed >> 24));
		assert_true(byte >= -1 && byte < 0x80);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_modifiers),
		cmocka_unit_test(test_extended),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
