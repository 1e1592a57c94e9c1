/* A console font in PSF form, version 1 or 2 (Linux kbd's "psf" formats). Pure. */
#ifndef DRIVERS_FONT_H
#define DRIVERS_FONT_H

#include "lib/types.h"

struct font {
	u32 width, height; /* pixels */
	u32 glyphs;
	u32 row_bytes;	   /* leftmost pixel in the highest bit of the first */
	const u8 *bitmap;
};

/* ERR_FORMAT: not a PSF file, or cut short. */
int font_read(struct font *font, const void *psf, size_t size);
/* The glyph's rows, row_bytes * height bytes; a code the font lacks gives '?'. */
const u8 *font_glyph(const struct font *font, u8 code);

/* The one the build embeds (font.asm). */
extern const u8 font_psf[], font_psf_end[];

#endif
