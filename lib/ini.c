/* Line grammar of trivisor.conf. */
#include "lib/ini.h"
#include "lib/string.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct ini_text trim(const char *start, const char *end)
{
	while (start < end && is_space(*start))
		start++;
	while (end > start && is_space(end[-1]))
		end--;
	return (struct ini_text){start, (size_t)(end - start)};
}

/* First `c` in the piece, or NULL. */
static const char *find(struct ini_text text, char c)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.start[i] == c)
			return text.start + i;
	return NULL;
}

void ini_init(struct ini *ini, const char *text, size_t size)
{
	/* Editors on Windows like to begin a file with a UTF-8 byte order mark. */
	if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		size -= 3;
	}
	*ini = (struct ini){.next = text, .end = text + size};
}

/* Cut the next line off, without its end and outer spaces. */
static struct ini_text next_line(struct ini *ini)
{
	const char *start = ini->next, *end = start;

	while (end < ini->end && *end != '\n')
		end++;
	ini->next = end < ini->end ? end + 1 : end;
	ini->line++;
	if (end > start && end[-1] == '\r')
		end--;
	return trim(start, end);
}

/* Quotes go around the whole value or are part of it: anything between would be a guess. NULL, or what was expected. */
static const char *unquote(struct ini_text *value)
{
	struct ini_text inner;

	if (!value->length || value->start[0] != '"')
		return NULL;
	if (value->length < 2 || value->start[value->length - 1] != '"')
		return "expected the closing double quote at the end of the value";
	inner = (struct ini_text){value->start + 1, value->length - 2};
	if (find(inner, '"'))
		return "expected no double quote inside a value that begins with one";
	*value = inner;
	return NULL;
}

static void parse_section(struct ini_line *line, struct ini_text text)
{
	if (text.length < 2 || text.start[text.length - 1] != ']') {
		line->error = "expected ] at the end of the section's name";
		return;
	}
	line->key = trim(text.start + 1, text.start + text.length - 1);
	if (!line->key.length) {
		line->error = "expected a name between [ and ]";
		return;
	}
	line->kind = INI_SECTION;
}

static void parse_pair(struct ini_line *line, struct ini_text text)
{
	const char *equals = find(text, '=');

	if (!equals) {
		line->error = "expected [name] or key = value";
		return;
	}
	line->key = trim(text.start, equals);
	line->value = trim(equals + 1, text.start + text.length);
	if (!line->key.length) {
		line->error = "expected a key before =";
		return;
	}
	line->error = unquote(&line->value);
	if (!line->error)
		line->kind = INI_PAIR;
}

struct ini_line ini_next(struct ini *ini)
{
	while (ini->next < ini->end) {
		struct ini_text text = next_line(ini);
		struct ini_line line = {.kind = INI_ERROR, .number = ini->line};

		if (!text.length || text.start[0] == '#' || text.start[0] == ';')
			continue;
		if (find(text, 0))
			line.error = "expected text, found a NUL byte";
		else if (text.start[0] == '[')
			parse_section(&line, text);
		else
			parse_pair(&line, text);
		if (line.kind == INI_ERROR)
			line.key = text;
		return line;
	}
	return (struct ini_line){.kind = INI_END, .number = ini->line};
}

bool ini_is(struct ini_text text, const char *s)
{
	return strlen(s) == text.length && (!text.length || !memcmp(text.start, s, text.length));
}

bool ini_next_item(struct ini_text *list, struct ini_text *item)
{
	struct ini_text text = {NULL, 0};
	const char *end, *comma;

	if (list->length)
		text = trim(list->start, list->start + list->length);
	if (!text.length) {
		*list = text;
		return false;
	}
	end = text.start + text.length;
	comma = find(text, ',');
	*item = trim(text.start, comma ? comma : end);
	*list = comma ? trim(comma + 1, end) : (struct ini_text){end, 0};
	return true;
}

void ini_split_word(struct ini_text item, struct ini_text *word, struct ini_text *rest)
{
	size_t i = 0;

	*word = *rest = item;
	if (!item.length)
		return;
	while (i < item.length && !is_space(item.start[i]))
		i++;
	word->length = i;
	*rest = trim(item.start + i, item.start + item.length);
}
