/*
 * A text screen drawn into a framebuffer. What is to be seen and what has been drawn are kept in RAM, and only cells
 * that differ are drawn; the framebuffer is written and never read (it is write-combining: reads are very slow). Pure
 * over the memory it is given.
 */
#ifndef DRIVERS_TEXT_SCREEN_H
#define DRIVERS_TEXT_SCREEN_H

#include "boot/boot_info.h"
#include "drivers/font.h"
#include "lib/types.h"

/* 3840 x 2160 pixels of 8 x 16; a larger screen is used in part. */
#define SCREEN_MAX_COLUMNS 480u
#define SCREEN_MAX_ROWS	   135u
#define SCREEN_MAX_CELLS   (SCREEN_MAX_COLUMNS * SCREEN_MAX_ROWS)

struct text_screen {
	const struct font *font;
	u32 *pixels;
	u32 stride; /* pixels */
	u32 columns, rows;
	u32 ink, paper; /* pixel values */
	u32 row, column;	   /* where the next byte goes; column == columns: it goes to the next line */
	u32 top;	   /* row of `wanted` that is the screen's first: scrolling moves no text */
	bool dirty[SCREEN_MAX_ROWS];
	u8 wanted[SCREEN_MAX_CELLS]; /* rows in a ring */
	u8 drawn[SCREEN_MAX_CELLS];  /* as on the screen; 0: unknown */
};

/* A pixel's value for a colour 0xRRGGBB. */
u32 screen_color(const struct boot_framebuffer *framebuffer, u32 rgb);
/* ERR_UNSUPPORTED: no framebuffer, or one too small for a line. All of the visible area is cleared. */
int screen_init(struct text_screen *screen, const struct boot_framebuffer *framebuffer, void *pixels,
		const struct font *font);
/* Text with \n, \r, \t and \b; other control bytes are dropped. Nothing is drawn before screen_draw(). */
void screen_write(struct text_screen *screen, const char *bytes, size_t n);
/* Draw the cells that changed. */
void screen_draw(struct text_screen *screen);

#endif
