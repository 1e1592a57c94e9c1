/* A small formatted print; guest.h says what it knows. */
#include <stdarg.h>

#include "guests/lib/guest.h"

struct spec {
	bool left, zero;
	int width;
	int longs; /* 0: int, 1: long, 2: long long */
};

static void put_padded(const struct spec *spec, const char *text, size_t length)
{
	char pad = spec->zero && !spec->left ? '0' : ' ';
	int blank = spec->width - (int)length;

	for (; !spec->left && blank > 0; blank--)
		put_char(pad);
	for (size_t i = 0; i < length; i++)
		put_char(text[i]);
	for (; blank > 0; blank--)
		put_char(' ');
}

static void put_number(const struct spec *spec, u64 value, u32 base, bool negative)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		digits[--at] = '-';
	put_padded(spec, digits + at, sizeof(digits) - at);
}

static const char *parse_spec(const char *format, struct spec *spec)
{
	*spec = (struct spec){0};
	for (;; format++) {
		if (*format == '-')
			spec->left = true;
		else if (*format == '0')
			spec->zero = true;
		else
			break;
	}
	for (; *format >= '0' && *format <= '9'; format++)
		spec->width = spec->width * 10 + (*format - '0');
	for (; *format == 'l' || *format == 'z'; format++)
		spec->longs += 1;
	return format;
}

static u64 take_unsigned(const struct spec *spec, va_list *arguments)
{
	if (spec->longs == 0)
		return va_arg(*arguments, unsigned int);
	return spec->longs == 1 ? va_arg(*arguments, unsigned long) : va_arg(*arguments, unsigned long long);
}

static void put_signed(const struct spec *spec, va_list *arguments)
{
	long long value;

	if (spec->longs == 0)
		value = va_arg(*arguments, int);
	else
		value = spec->longs == 1 ? va_arg(*arguments, long) : va_arg(*arguments, long long);
	put_number(spec, value < 0 ? 0 - (u64)value : (u64)value, 10, value < 0);
}

static void put_conversion(char conversion, const struct spec *spec, va_list *arguments)
{
	const char *text;
	char c;

	switch (conversion) {
	case 's':
		text = va_arg(*arguments, const char *);
		put_padded(spec, text, strlen(text));
		break;
	case 'c':
		c = (char)va_arg(*arguments, int);
		put_padded(spec, &c, 1);
		break;
	case 'd':
	case 'i':
		put_signed(spec, arguments);
		break;
	case 'u':
		put_number(spec, take_unsigned(spec, arguments), 10, false);
		break;
	case 'x':
		put_number(spec, take_unsigned(spec, arguments), 16, false);
		break;
	case 'p':
		put_number(spec, (word)va_arg(*arguments, void *), 16, false);
		break;
	default:
		put_char(conversion);
	}
}

void print(const char *format, ...)
{
	struct spec spec;
	va_list arguments;

	va_start(arguments, format);
	for (; *format; format++) {
		if (*format != '%') {
			put_char(*format);
			continue;
		}
		format = parse_spec(format + 1, &spec);
		put_conversion(*format, &spec, &arguments);
	}
	va_end(arguments);
}
