/* What the files of the config's parser share. */
#ifndef VMM_CONFIG_PARSER_H
#define VMM_CONFIG_PARSER_H

#include "lib/ini.h"
#include "vmm/config.h"

struct parser;

struct config_key {
	const char *name;
	/* What is wrong is reported and left as it was. */
	void (*set)(struct parser *parser, struct ini_text value);
	size_t offset; /* in struct vm_config, for a setter of several keys */
};

struct parser {
	struct config *config;
	const struct config_limits *limits;
	config_error_t report;
	void *context;
	u32 errors;
	u32 line;
	u64 memory_left;
	const struct config_key *key; /* the one being set */
	const struct config_key *keys; /* of the section; NULL: none begun, or one whose head was wrong */
	u32 key_count;
	u32 seen;	      /* BIT(index in keys) */
	struct vm_config *vm; /* of the section; NULL: not a VM's */
	bool bad;	      /* the VM has an error */
	bool skip;	      /* the section's head was wrong: its lines mean nothing */
	bool trivisor_seen;
	bool own_stats[CONFIG_MAX_VMS];
};

/* A piece of the file within a message: bounded, so that the end of the sentence is seen too. */
#define PIECE	       "%.*s"
#define PIECE_OF(text) (int)MIN((text).length, (size_t)40), (text).start

/* Report a mistake in the line at hand; the VM it belongs to is left out. */
void config_error(struct parser *parser, const char *format, ...) PRINTF(2, 3);
/* Decimal digits at the start of *text, cut off it. False: none, or more than 64 bits. */
bool config_number(struct ini_text *text, u64 *number);
/* The setters report what is wrong, leave the place as it was and return false. */
bool config_set_number(struct parser *parser, struct ini_text value, const char *key, u32 low, u32 high, u32 *number);
/* One of two words. */
bool config_set_choice(struct parser *parser, struct ini_text value, const char *key, const char *no, const char *yes,
		       bool *choice);
bool config_set_text(struct parser *parser, struct ini_text value, const char *key, char *text, size_t size);
/* Letters, digits, - _ . and shorter than `size`. */
bool config_is_name(struct ini_text text, size_t size);

#endif
