/* Formatted print. One conversion is parsed into struct spec, made into text, and put out with its padding. */
#include "lib/fmt.h"
#include "lib/string.h"

struct out {
	char *buf;
	size_t size;
	size_t length; /* of the whole text, stored or not */
};

struct spec {
	bool left, zero;
	int width;
	int precision; /* -1: none */
	enum { LENGTH_CHAR, LENGTH_SHORT, LENGTH_INT, LENGTH_LONG } length; /* l, ll and z are all 64 bits */
	char conversion;
};

/* 64 bits in decimal have 20 digits; "0x" and a sign on top. */
#define NUMBER_SIZE 24

static void put(struct out *out, char c)
{
	if (out->length + 1 < out->size)
		out->buf[out->length] = c;
	out->length++;
}

static void put_repeated(struct out *out, char c, int count)
{
	while (count-- > 0)
		put(out, c);
}

/* `prefix` (sign or 0x) goes before zeros that fill the width. */
static void put_field(struct out *out, const struct spec *spec, const char *prefix, const char *text, int length)
{
	int pad = spec->width - length - (int)strlen(prefix);

	if (!spec->left && !spec->zero)
		put_repeated(out, ' ', pad);
	while (*prefix)
		put(out, *prefix++);
	if (!spec->left && spec->zero)
		put_repeated(out, '0', pad);
	for (int i = 0; i < length; i++)
		put(out, text[i]);
	if (spec->left)
		put_repeated(out, ' ', pad);
}

static void put_number(struct out *out, const struct spec *spec, const char *prefix, u64 value, u32 base)
{
	const char *digits = spec->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[NUMBER_SIZE];
	char *at = text + sizeof(text);

	do {
		*--at = digits[value % base];
		value /= base;
	} while (value);
	put_field(out, spec, prefix, at, (int)(text + sizeof(text) - at));
}

static void put_string(struct out *out, const struct spec *spec, const char *s)
{
	struct spec plain = *spec;
	size_t length;

	if (!s)
		s = "(null)";
	length = spec->precision >= 0 ? strnlen(s, (size_t)spec->precision) : strlen(s);
	plain.zero = false;
	put_field(out, &plain, "", s, (int)length);
}

static u64 take_unsigned(const struct spec *spec, va_list *args)
{
	switch (spec->length) {
	case LENGTH_CHAR:
		return (u8)va_arg(*args, unsigned int);
	case LENGTH_SHORT:
		return (u16)va_arg(*args, unsigned int);
	case LENGTH_LONG:
		return va_arg(*args, u64);
	default:
		return va_arg(*args, unsigned int);
	}
}

static s64 take_signed(const struct spec *spec, va_list *args)
{
	switch (spec->length) {
	case LENGTH_CHAR:
		return (s8)va_arg(*args, int);
	case LENGTH_SHORT:
		return (s16)va_arg(*args, int);
	case LENGTH_LONG:
		return va_arg(*args, s64);
	default:
		return va_arg(*args, int);
	}
}

/* Digits, or * that takes an int argument. */
static int parse_count(const char **at, va_list *args)
{
	int count = 0;

	if (**at == '*') {
		(*at)++;
		return va_arg(*args, int);
	}
	/* Nothing sane is wider; the bound keeps the arithmetic from overflowing. */
	while (**at >= '0' && **at <= '9' && count < 100000)
		count = count * 10 + *(*at)++ - '0';
	return count;
}

static const char *parse_length(const char *at, struct spec *spec)
{
	spec->length = LENGTH_INT;
	if (*at == 'h') {
		spec->length = at[1] == 'h' ? LENGTH_CHAR : LENGTH_SHORT;
		return at + (at[1] == 'h' ? 2 : 1);
	}
	if (*at == 'l' || *at == 'z') {
		spec->length = LENGTH_LONG;
		return at + (at[0] == 'l' && at[1] == 'l' ? 2 : 1);
	}
	return at;
}

static const char *parse_spec(const char *at, struct spec *spec, va_list *args)
{
	*spec = (struct spec){.precision = -1};
	for (;; at++) {
		if (*at == '-')
			spec->left = true;
		else if (*at == '0')
			spec->zero = true;
		else
			break;
	}
	spec->width = parse_count(&at, args);
	if (spec->width < 0) {
		spec->left = true;
		spec->width = -spec->width;
	}
	if (*at == '.') {
		at++;
		spec->precision = parse_count(&at, args);
	}
	at = parse_length(at, spec);
	spec->conversion = *at;
	return at;
}

/* False: not a conversion we know. */
static bool convert(struct out *out, const struct spec *spec, va_list *args)
{
	s64 value;
	char c;

	switch (spec->conversion) {
	case '%':
		put(out, '%');
		return true;
	case 'c':
		c = (char)va_arg(*args, int);
		put_field(out, &(struct spec){.left = spec->left, .width = spec->width}, "", &c, 1);
		return true;
	case 's':
		put_string(out, spec, va_arg(*args, const char *));
		return true;
	case 'd':
	case 'i':
		value = take_signed(spec, args);
		put_number(out, spec, value < 0 ? "-" : "", value < 0 ? 0 - (u64)value : (u64)value, 10);
		return true;
	case 'u':
		put_number(out, spec, "", take_unsigned(spec, args), 10);
		return true;
	case 'x':
	case 'X':
		put_number(out, spec, "", take_unsigned(spec, args), 16);
		return true;
	case 'p':
		put_number(out, spec, "0x", (u64)(uintptr_t)va_arg(*args, void *), 16);
		return true;
	default:
		return false;
	}
}

int fmt_vprint(char *buf, size_t size, const char *format, va_list args)
{
	struct out out = {.buf = buf, .size = size};
	va_list rest;

	va_copy(rest, args);
	for (const char *at = format; *at; at++) {
		struct spec spec;
		const char *start = at;

		if (*at != '%') {
			put(&out, *at);
			continue;
		}
		at = parse_spec(at + 1, &spec, &rest);
		if (convert(&out, &spec, &rest))
			continue;
		/*
		 * The arguments' types are unknown from here on: the rest goes out as it stands, so that the mistake is
		 * seen.
		 */
		while (*start)
			put(&out, *start++);
		break;
	}
	va_end(rest);
	if (size)
		buf[MIN(out.length, size - 1)] = 0;
	return (int)out.length;
}

int fmt_print(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = fmt_vprint(buf, size, format, args);
	va_end(args);
	return length;
}
