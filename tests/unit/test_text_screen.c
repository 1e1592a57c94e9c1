// sources: drivers/text_screen.c drivers/font.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "drivers/text_screen.h"

/* A font of our own: glyph n's every row is the byte n, so that a cell can be read back from pixels. */
#define GLYPH_HEIGHT 4u
static u8 psf1[4 + 256 * GLYPH_HEIGHT];
static struct font font;

#define COLUMNS 10u
#define ROWS	5u
#define WIDTH	(COLUMNS * 8 + 3) /* margins on the right and below */
#define HEIGHT	(ROWS * GLYPH_HEIGHT + 2)
#define STRIDE	(WIDTH + 7)
#define GUARD	0x12345678u

static const struct boot_framebuffer bgr = {
	.size = STRIDE * HEIGHT * 4, .width = WIDTH, .height = HEIGHT, .stride = STRIDE, .format = BOOT_PIXEL_BGRX};
static u32 *pixels;
static struct text_screen *screen;

static int set_up(void **state)
{
	(void)state;
	psf1[0] = 0x36;
	psf1[1] = 0x04;
	psf1[3] = GLYPH_HEIGHT;
	for (u32 i = 0; i < 256 * GLYPH_HEIGHT; i++)
		psf1[4 + i] = (u8)(i / GLYPH_HEIGHT);
	assert_int_equal(font_read(&font, psf1, sizeof(psf1)), OK);
	/* Exactly as large as it is: the address sanitizer sees a pixel too far. */
	pixels = malloc(bgr.size);
	for (u32 i = 0; i < STRIDE * HEIGHT; i++)
		pixels[i] = GUARD;
	screen = calloc(1, sizeof(*screen));
	assert_int_equal(screen_init(screen, &bgr, pixels, &font), OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(pixels);
	free(screen);
	return 0;
}

/* The code drawn in a cell; all its rows must agree, and have no pixel but ink and paper. */
static u8 cell(u32 row, u32 column)
{
	u8 code = 0;

	for (u32 y = 0; y < GLYPH_HEIGHT; y++) {
		u8 bits = 0;

		for (u32 x = 0; x < 8; x++) {
			u32 pixel = pixels[(row * GLYPH_HEIGHT + y) * STRIDE + column * 8 + x];

			assert_true(pixel == screen->ink || pixel == screen->paper);
			bits = (u8)(bits << 1 | (pixel == screen->ink));
		}
		assert_true(y == 0 || bits == code);
		code = bits;
	}
	return code;
}

static void expect(const char *const rows[ROWS])
{
	screen_draw(screen);
	for (u32 row = 0; row < ROWS; row++) {
		for (u32 column = 0; column < COLUMNS; column++) {
			u8 wanted = column < strlen(rows[row]) ? (u8)rows[row][column] : ' ';

			/* An untouched blank is paper, not the glyph of a space. */
			if (wanted != ' ')
				assert_int_equal(cell(row, column), wanted);
			else
				assert_true(cell(row, column) == ' ' || cell(row, column) == 0);
		}
	}
}

static void put(const char *text)
{
	screen_write(screen, text, strlen(text));
}

static void test_text(void **state)
{
	(void)state;
	put("hello\nab\rx\tz\n12\b3");
	expect((const char *[]){"hello", "xb      z", "13", "", ""});
	put("\n\033[1m\177");
	expect((const char *[]){"hello", "xb      z", "13", "[1m", ""});
	put("\303\251\n");
	expect((const char *[]){"hello", "xb      z", "13", "[1m??", ""});
}

static void test_wrap(void **state)
{
	(void)state;
	/* A full line and its newline are one line, not two. */
	put("0123456789\nA");
	expect((const char *[]){"0123456789", "A", "", "", ""});
	put("bcdefghijklm\t\tn");
	expect((const char *[]){"0123456789", "Abcdefghij", "klm", "n", ""} /* no further than the line's end */);
}

static void test_scroll(void **state)
{
	(void)state;
	put("one\ntwo\nthree\nfour\nfive");
	expect((const char *[]){"one", "two", "three", "four", "five"});
	put("\nsix");
	expect((const char *[]){"two", "three", "four", "five", "six"});
	/* Several at once, undrawn in between; more than the screen has rows. */
	put("\n1\n2\n3\n4\n5\n6\n7\n8");
	expect((const char *[]){"4", "5", "6", "7", "8"});
}

/* The framebuffer's words between lines and behind the last are not ours; margins are cleared once. */
static void test_stays_inside(void **state)
{
	(void)state;
	for (u32 i = 0; i < 200; i++)
		put("filling all of the screen, and more than that\n");
	screen_draw(screen);
	for (u32 y = 0; y < HEIGHT; y++) {
		for (u32 x = COLUMNS * 8; x < STRIDE; x++)
			assert_int_equal(pixels[y * STRIDE + x], x < WIDTH ? screen->paper : GUARD);
	}
}

/* What is on the screen is not drawn again: here the framebuffer is spoiled behind the console's back, and stays so. */
static void test_draws_only_changes(void **state)
{
	u32 untouched = 0;

	(void)state;
	/* A blank screen is cleared, not drawn. */
	pixels[0] = GUARD;
	screen_draw(screen);
	assert_int_equal(pixels[0], GUARD);
	put("same\nsame\nsame\nsame\nlast");
	screen_draw(screen);
	for (u32 i = 0; i < STRIDE * HEIGHT; i++)
		pixels[i] = GUARD;
	screen_draw(screen);
	put("\nnew");
	screen_draw(screen);
	for (u32 i = 0; i < STRIDE * HEIGHT; i++)
		untouched += pixels[i] == GUARD;
	/*
	 * Rows 1 to 3 said "same" and say it still. Row 4: "same" to "last", of which 'a' stays. Row 5: "last" to
	 * "new".
	 */
	assert_int_equal(STRIDE * HEIGHT - untouched, (3 + 4) * 8 * GLYPH_HEIGHT);
}

static void test_colors(void **state)
{
	struct boot_framebuffer fb = {.format = BOOT_PIXEL_BGRX};

	(void)state;
	assert_int_equal(screen_color(&fb, 0x112233), 0x112233);
	fb.format = BOOT_PIXEL_RGBX;
	assert_int_equal(screen_color(&fb, 0x112233), 0x332211);
	fb.format = BOOT_PIXEL_MASK;
	fb.red_mask = 0xff000000;
	fb.green_mask = 0x00ff0000;
	fb.blue_mask = 0x0000ff00;
	assert_int_equal(screen_color(&fb, 0x112233), 0x11223300);
	/* 10 bits a colour, and 5-6-5. */
	fb.red_mask = 0x3ff00000;
	fb.green_mask = 0x000ffc00;
	fb.blue_mask = 0x000003ff;
	assert_int_equal(screen_color(&fb, 0xff8001), 0x3fc00000 | 0x200 << 10 | 0x4);
	fb.red_mask = 0xf800;
	fb.green_mask = 0x07e0;
	fb.blue_mask = 0x001f;
	assert_int_equal(screen_color(&fb, 0xffffff), 0xffff);
	assert_int_equal(screen_color(&fb, 0x080408), 1 << 11 | 1 << 5 | 1);
	fb.blue_mask = 0;
	assert_int_equal(screen_color(&fb, 0x0000ff), 0);
}

static void test_refuses(void **state)
{
	struct boot_framebuffer fb = bgr;

	(void)state;
	fb.format = BOOT_PIXEL_NONE;
	assert_int_equal(screen_init(screen, &fb, pixels, &font), ERR_UNSUPPORTED);
	fb = bgr;
	fb.width = 7;
	assert_int_equal(screen_init(screen, &fb, pixels, &font), ERR_UNSUPPORTED);
	fb = bgr;
	fb.stride = WIDTH - 1;
	assert_int_equal(screen_init(screen, &fb, pixels, &font), ERR_UNSUPPORTED);
	fb = bgr;
	fb.size--;
	assert_int_equal(screen_init(screen, &fb, pixels, &font), ERR_UNSUPPORTED);
}

static void test_font(void **state)
{
	static const struct {
		u32 magic, version, header, flags, glyphs, bytes, height, width;
	} header = {0x864ab572, 0, 32, 0, 2, 32, 16, 12};
	u8 psf2[32 + 64];
	struct font read;

	(void)state;
	memcpy(psf2, &header, 32);
	assert_int_equal(font_read(&read, psf2, sizeof(psf2)), OK);
	assert_int_equal(read.width, 12);
	assert_int_equal(read.row_bytes, 2);
	assert_ptr_equal(font_glyph(&read, 1), psf2 + 32 + 32);
	assert_ptr_equal(font_glyph(&read, 'A'), psf2 + 32); /* neither it nor '?' is there */
	assert_int_equal(font_read(&read, psf2, sizeof(psf2) - 1), ERR_FORMAT);
	assert_int_equal(font_read(&read, psf2, 31), ERR_FORMAT);
	assert_int_equal(font_read(&read, psf1, sizeof(psf1) - 1), ERR_FORMAT);
	assert_int_equal(font_read(&read, "abcd", 4), ERR_FORMAT);
	assert_int_equal(font_read(&read, psf1, 3), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_scroll, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stays_inside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_draws_only_changes, set_up, tear_down),
		cmocka_unit_test(test_colors),
		cmocka_unit_test_setup_teardown(test_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_font, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
