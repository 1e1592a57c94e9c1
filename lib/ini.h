/* The line grammar of trivisor.conf, shared by the UEFI loader (which only wants file names) and vmm/config.c. Pure. */
#ifndef LIB_INI_H
#define LIB_INI_H

#include "lib/types.h"

enum ini_kind {
	INI_END,     /* no more lines */
	INI_SECTION, /* [name]: in `key` */
	INI_PAIR,    /* key = value; value may be empty and may stand in double quotes, which are removed */
	INI_ERROR,   /* neither; `error` says what was expected, `key` is the whole line */
};

/* A piece of the text, not NUL-terminated. */
struct ini_text {
	const char *start;
	size_t length;
};

struct ini_line {
	enum ini_kind kind;
	u32 number; /* from 1 */
	struct ini_text key, value;
	const char *error;
};

struct ini {
	const char *next, *end;
	u32 line;
};

/* Read `size` bytes at `text` (may lack a final newline; CR LF is accepted; NUL is an error of its line). */
void ini_init(struct ini *ini, const char *text, size_t size);
/* The next line that is neither empty nor a comment (# or ; first). After INI_ERROR reading may go on. */
struct ini_line ini_next(struct ini *ini);
/* Whether the piece is exactly the C string `s`. */
bool ini_is(struct ini_text text, const char *s);
/* Cut the next comma-separated item off *list, spaces trimmed; false when none is left. */
bool ini_next_item(struct ini_text *list, struct ini_text *item);
/* Split an item at its first run of spaces: the word before, the rest after (trimmed, may be empty). */
void ini_split_word(struct ini_text item, struct ini_text *word, struct ini_text *rest);

#endif
