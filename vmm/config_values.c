/* Values of trivisor.conf: numbers, words, names, and how a wrong one is reported. */
#include "lib/fmt.h"
#include "lib/string.h"
#include "vmm/config_parser.h"

void config_error(struct parser *parser, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	fmt_vprint(text, sizeof(text), format, args);
	va_end(args);
	parser->errors++;
	parser->bad = true;
	if (parser->report)
		parser->report(parser->context, parser->line, text);
}

/* Decimal digits at the start of *text, cut off it. False: none, or more than 64 bits. */
bool config_number(struct ini_text *text, u64 *number)
{
	size_t i = 0;

	*number = 0;
	for (; i < text->length && text->start[i] >= '0' && text->start[i] <= '9'; i++)
		if (__builtin_mul_overflow(*number, 10u, number) ||
		    __builtin_add_overflow(*number, (u64)(text->start[i] - '0'), number))
			return false;
	text->start += i;
	text->length -= i;
	return i > 0;
}

bool config_set_number(struct parser *parser, struct ini_text value, const char *key, u32 low, u32 high, u32 *number)
{
	struct ini_text rest = value;
	u64 n;

	if (!config_number(&rest, &n) || rest.length || n < low || n > high) {
		config_error(parser, "%s = " PIECE ": expected a number from %u to %u", key, PIECE_OF(value), low,
			     high);
		return false;
	}
	*number = (u32)n;
	return true;
}

/* One of two words. */
bool config_set_choice(struct parser *parser, struct ini_text value, const char *key, const char *no, const char *yes,
		       bool *choice)
{
	if (!ini_is(value, no) && !ini_is(value, yes)) {
		config_error(parser, "%s = " PIECE ": expected %s or %s", key, PIECE_OF(value), yes, no);
		return false;
	}
	*choice = ini_is(value, yes);
	return true;
}

bool config_set_text(struct parser *parser, struct ini_text value, const char *key, char *text, size_t size)
{
	if (value.length >= size) {
		config_error(parser, "%s: expected at most %u characters, found %u", key, (u32)size - 1,
			     (u32)value.length);
		return false;
	}
	memcpy(text, value.start, value.length);
	text[value.length] = 0;
	return true;
}

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.';
}

bool config_is_name(struct ini_text text, size_t size)
{
	if (!text.length || text.length >= size)
		return false;
	for (size_t i = 0; i < text.length; i++)
		if (!is_name_character(text.start[i]))
			return false;
	return true;
}
