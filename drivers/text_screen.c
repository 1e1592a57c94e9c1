#include "drivers/text_screen.h"
#include "lib/string.h"

#define INK_RGB	  0xd0d0d0u
#define PAPER_RGB 0x000000u
#define TAB	  8u

/* An 8-bit colour component in the field that the mask describes, of any width and place. */
static u32 place(u32 component, u32 mask)
{
	u32 shift, width;

	if (mask == 0)
		return 0;
	shift = (u32)__builtin_ctz(mask);
	width = 32 - (u32)__builtin_clz(mask) - shift; /* contiguous, as UEFI has them */
	return (width >= 8 ? component << (width - 8) : component >> (8 - width)) << shift & mask;
}

u32 screen_color(const struct boot_framebuffer *fb, u32 rgb)
{
	u32 red = rgb >> 16 & 0xff, green = rgb >> 8 & 0xff, blue = rgb & 0xff;

	switch (fb->format) {
	case BOOT_PIXEL_RGBX:
		return red | green << 8 | blue << 16;
	case BOOT_PIXEL_BGRX:
		return blue | green << 8 | red << 16;
	case BOOT_PIXEL_MASK:
		return place(red, fb->red_mask) | place(green, fb->green_mask) | place(blue, fb->blue_mask);
	default:
		return 0;
	}
}

static u8 *wanted_row(struct text_screen *screen, u32 row)
{
	return screen->wanted + ((screen->top + row) % screen->rows) * screen->columns;
}

static void clear_row(struct text_screen *screen, u32 row)
{
	memset(wanted_row(screen, row), ' ', screen->columns);
	screen->dirty[row] = true;
}

/* Also the margins that hold no cell. */
static void clear_pixels(struct text_screen *screen, const struct boot_framebuffer *fb)
{
	for (u32 y = 0; y < fb->height; y++) {
		for (u32 x = 0; x < fb->width; x++)
			screen->pixels[(size_t)y * fb->stride + x] = screen->paper;
	}
}

int screen_init(struct text_screen *screen, const struct boot_framebuffer *fb, void *pixels, const struct font *font)
{
	u64 needed = ((u64)fb->stride * fb->height) * sizeof(u32);

	if (fb->format < BOOT_PIXEL_RGBX || fb->format > BOOT_PIXEL_MASK || fb->width < font->width ||
	    fb->height < font->height || fb->stride < fb->width || needed > fb->size)
		return ERR_UNSUPPORTED;
	screen->font = font;
	screen->pixels = pixels;
	screen->stride = fb->stride;
	screen->columns = MIN(fb->width / font->width, SCREEN_MAX_COLUMNS);
	screen->rows = MIN(fb->height / font->height, SCREEN_MAX_ROWS);
	screen->ink = screen_color(fb, INK_RGB);
	screen->paper = screen_color(fb, PAPER_RGB);
	screen->row = screen->column = screen->top = 0;
	clear_pixels(screen, fb);
	memset(screen->drawn, ' ', sizeof(screen->drawn));
	for (u32 row = 0; row < screen->rows; row++)
		clear_row(screen, row);
	return OK;
}

static void new_line(struct text_screen *screen)
{
	screen->column = 0;
	if (screen->row + 1 < screen->rows) {
		screen->row++;
		return;
	}
	screen->top = (screen->top + 1) % screen->rows;
	clear_row(screen, screen->rows - 1);
	for (u32 row = 0; row < screen->rows; row++)
		screen->dirty[row] = true;
}

static void put(struct text_screen *screen, char c)
{
	if (screen->column == screen->columns)
		new_line(screen);
	wanted_row(screen, screen->row)[screen->column++] = (u8)c;
	screen->dirty[screen->row] = true;
}

static void put_byte(struct text_screen *screen, char c)
{
	switch (c) {
	case '\n':
		new_line(screen);
		break;
	case '\r':
		screen->column = 0;
		break;
	case '\b':
		if (screen->column > 0)
			screen->column--;
		break;
	case '\t':
		screen->column = MIN(screen->column / TAB * TAB + TAB, screen->columns);
		break;
	default:
		if ((u8)c >= ' ' && (u8)c != 0x7f)
			put(screen, (u8)c < 0x80 ? c : '?'); /* a font's upper half is its own affair */
	}
}

void screen_write(struct text_screen *screen, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_byte(screen, bytes[i]);
}

static void draw_cell(struct text_screen *screen, u32 row, u32 column, u8 code)
{
	const struct font *font = screen->font;
	const u8 *glyph = font_glyph(font, code);
	u32 *line = screen->pixels + (size_t)row * font->height * screen->stride + (size_t)column * font->width;

	for (u32 y = 0; y < font->height; y++, line += screen->stride, glyph += font->row_bytes) {
		for (u32 x = 0; x < font->width; x++)
			line[x] = glyph[x / 8] >> (7 - x % 8) & 1 ? screen->ink : screen->paper;
	}
}

static void draw_row(struct text_screen *screen, u32 row)
{
	const u8 *wanted = wanted_row(screen, row);
	u8 *drawn = screen->drawn + row * screen->columns;

	for (u32 column = 0; column < screen->columns; column++) {
		if (wanted[column] == drawn[column])
			continue;
		draw_cell(screen, row, column, wanted[column]);
		drawn[column] = wanted[column];
	}
	screen->dirty[row] = false;
}

/*
 * Aligned so that its loops, all inlined here, lie in one page: QEMU's TCG looks up anew whatever it jumps to in
 * another, and a page's end in the innermost loop cost the VMs of the core that draws three quarters of their time.
 */
ALIGNED(512) void screen_draw(struct text_screen *screen)
{
	for (u32 row = 0; row < screen->rows; row++) {
		if (screen->dirty[row])
			draw_row(screen, row);
	}
}
