#include "drivers/framebuffer.h"
#include "drivers/text_screen.h"

static struct font font;
static struct text_screen screen; /* log's console lock */

static size_t framebuffer_write(struct console *console UNUSED, const char *bytes, size_t n)
{
	screen_write(&screen, bytes, n);
	if (screen.pixels)
		screen_draw(&screen);
	return n;
}

static struct console framebuffer = {.name = "framebuffer", .write = framebuffer_write};

struct console *framebuffer_open(const struct boot_framebuffer *fb, void *pixels)
{
	if (font_read(&font, font_psf, (size_t)(font_psf_end - font_psf)) != OK ||
	    screen_init(&screen, fb, pixels, &font) != OK)
		return NULL;
	return &framebuffer;
}

void framebuffer_move(void *pixels)
{
	screen.pixels = pixels;
}
