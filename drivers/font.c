#include "drivers/font.h"
#include "lib/string.h"

#define PSF1_MAGIC	0x0436u
#define PSF1_MODE_512	0x01u
#define PSF2_MAGIC	0x864ab572u

struct psf1 {
	u16 magic;
	u8 mode, height;
};

struct psf2 {
	u32 magic, version, header_size, flags, glyphs, glyph_bytes, height, width;
};

static int check(const struct font *font, u64 offset, size_t size)
{
	u64 bytes = (u64)font->row_bytes * font->height * font->glyphs;

	if (font->glyphs == 0 || font->width == 0 || font->height == 0 || font->width > 64 || font->height > 64 ||
	    font->glyphs > 65536 || offset > size || bytes > size - offset)
		return ERR_FORMAT;
	return OK;
}

static int read_psf1(struct font *font, const u8 *bytes, size_t size)
{
	struct psf1 header;

	memcpy(&header, bytes, sizeof(header));
	*font = (struct font){8, header.height, header.mode & PSF1_MODE_512 ? 512 : 256, 1, bytes + sizeof(header)};
	return check(font, sizeof(header), size);
}

static int read_psf2(struct font *font, const u8 *bytes, size_t size)
{
	struct psf2 header;

	if (size < sizeof(header))
		return ERR_FORMAT;
	memcpy(&header, bytes, sizeof(header));
	if (header.header_size > size || header.width > 64)
		return ERR_FORMAT;
	*font = (struct font){header.width, header.height, header.glyphs, (header.width + 7) / 8,
			      bytes + header.header_size};
	return check(font, header.header_size, size);
}

int font_read(struct font *font, const void *psf, size_t size)
{
	u32 magic;

	if (size < sizeof(struct psf1) || size < sizeof(magic))
		return ERR_FORMAT;
	memcpy(&magic, psf, sizeof(magic));
	if (magic == PSF2_MAGIC)
		return read_psf2(font, psf, size);
	return (magic & 0xffff) == PSF1_MAGIC ? read_psf1(font, psf, size) : ERR_FORMAT;
}

const u8 *font_glyph(const struct font *font, u8 code)
{
	u32 index = code < font->glyphs ? code : (u32)'?' < font->glyphs ? (u32)'?' : 0;

	return font->bitmap + (size_t)index * font->row_bytes * font->height;
}
