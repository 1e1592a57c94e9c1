/*
 * trivisor.conf. The keys of each kind of section are a table; a setter judges its value and reports what it expected.
 * A VM is parsed into the next free entry, which counts only when its section ends without an error.
 */
#include "vmm/config.h"
#include "core/layout.h"
#include "lib/fmt.h"
#include "lib/ini.h"
#include "lib/string.h"

struct parser;

struct config_key {
	const char *name;
	/* What is wrong is reported and left as it was. */
	void (*set)(struct parser *parser, struct ini_text value);
};

struct parser {
	struct config *config;
	const struct config_limits *limits;
	config_error_t report;
	void *context;
	u32 errors;
	u32 line;
	u64 memory_left;
	const struct config_key *keys; /* of the section; NULL: none begun, or one whose head was wrong */
	u32 key_count;
	u32 seen;	      /* BIT(index in keys) */
	struct vm_config *vm; /* of the section; NULL: not a VM's */
	bool bad;	      /* the VM has an error */
	bool skip;	      /* the section's head was wrong: its lines mean nothing */
	bool trivisor_seen;
	bool own_stats[CONFIG_MAX_VMS];
};

#define DEFAULT_MEMORY (128 * MIB)
#define DEFAULT_SLICE  10u
#define DEFAULT_WEIGHT 256u

static void error(struct parser *parser, const char *format, ...) PRINTF(2, 3);
static void error(struct parser *parser, const char *format, ...)
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

/* A piece of the file within a message: bounded, so that the end of the sentence is seen too. */
#define PIECE	       "%.*s"
#define PIECE_OF(text) (int)MIN((text).length, (size_t)40), (text).start

/* Decimal digits at the start of *text, cut off it. False: none, or more than 64 bits. */
static bool take_number(struct ini_text *text, u64 *number)
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

static bool set_number(struct parser *parser, struct ini_text value, const char *key, u32 low, u32 high, u32 *number)
{
	struct ini_text rest = value;
	u64 n;

	if (!take_number(&rest, &n) || rest.length || n < low || n > high) {
		error(parser, "%s = " PIECE ": expected a number from %u to %u", key, PIECE_OF(value), low, high);
		return false;
	}
	*number = (u32)n;
	return true;
}

/* One of two words. */
static bool set_choice(struct parser *parser, struct ini_text value, const char *key, const char *no, const char *yes,
		       bool *choice)
{
	if (!ini_is(value, no) && !ini_is(value, yes)) {
		error(parser, "%s = " PIECE ": expected %s or %s", key, PIECE_OF(value), yes, no);
		return false;
	}
	*choice = ini_is(value, yes);
	return true;
}

static bool set_text(struct parser *parser, struct ini_text value, const char *key, char *text, size_t size)
{
	if (value.length >= size) {
		error(parser, "%s: expected at most %u characters, found %u", key, (u32)size - 1, (u32)value.length);
		return false;
	}
	memcpy(text, value.start, value.length);
	text[value.length] = 0;
	return true;
}

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static bool is_name(struct ini_text text, size_t size)
{
	if (!text.length || text.length >= size)
		return false;
	for (size_t i = 0; i < text.length; i++)
		if (!is_name_character(text.start[i]))
			return false;
	return true;
}

/* Which engines there are is for others to say: config.c knows none. */
static bool set_engine_name(struct parser *parser, struct ini_text value, char *engine, size_t size)
{
	if (!is_name(value, size)) {
		error(parser, "engine = " PIECE ": expected an engine's name, or auto", PIECE_OF(value));
		return false;
	}
	return set_text(parser, value, "engine", engine, size);
}

static void set_on_idle(struct parser *parser, struct ini_text value)
{
	bool stay = false;

	if (set_choice(parser, value, "on-idle", "poweroff", "stay", &stay))
		parser->config->on_idle = stay ? IDLE_STAY : IDLE_POWEROFF;
}

static void set_mitigations(struct parser *parser, struct ini_text value)
{
	bool wanted = true;

	if (set_choice(parser, value, "mitigations", "off", "auto", &wanted))
		parser->config->mitigations = wanted ? TOGGLE_AUTO : TOGGLE_OFF;
}

static void set_default_engine(struct parser *parser, struct ini_text value)
{
	set_engine_name(parser, value, parser->config->engine, sizeof(parser->config->engine));
}

static void set_slice(struct parser *parser, struct ini_text value)
{
	set_number(parser, value, "slice", 1, 1000, &parser->config->slice_ms);
}

static void set_default_stats(struct parser *parser, struct ini_text value)
{
	set_choice(parser, value, "stats", "off", "on", &parser->config->stats);
}

/* Whether a VM of this name comes is found out at the end of the file. */
static void set_console(struct parser *parser, struct ini_text value)
{
	if (!is_name(value, CONFIG_NAME_SIZE))
		error(parser, "console = " PIECE ": expected the name of a VM", PIECE_OF(value));
	else
		set_text(parser, value, "console", parser->config->console, sizeof(parser->config->console));
}

static bool set_file(struct parser *parser, struct ini_text value, const char *key, char *file)
{
	if (!value.length) {
		error(parser, "%s: expected the name of a file", key);
		return false;
	}
	return set_text(parser, value, key, file, CONFIG_FILE_SIZE);
}

static void set_kernel(struct parser *parser, struct ini_text value)
{
	set_file(parser, value, "kernel", parser->vm->kernel);
}

/* "file arguments, file, ...": each module with its own argument string. */
static void set_ramdisk(struct parser *parser, struct ini_text value)
{
	struct vm_config *vm = parser->vm;
	struct ini_text item, file, arguments;

	while (ini_next_item(&value, &item)) {
		struct config_module *module = &vm->module[vm->module_count];

		if (vm->module_count == CONFIG_MAX_MODULES) {
			error(parser, "ramdisk: expected at most %u files", CONFIG_MAX_MODULES);
			return;
		}
		ini_split_word(item, &file, &arguments);
		if (!set_file(parser, file, "ramdisk", module->file) ||
		    !set_text(parser, arguments, "ramdisk", module->arguments, sizeof(module->arguments)))
			return;
		vm->module_count++;
	}
}

static void set_extra(struct parser *parser, struct ini_text value)
{
	set_text(parser, value, "extra", parser->vm->extra, sizeof(parser->vm->extra));
}

/* K, M or G; without one MiB, as in xl.cfg. 0: no such unit. */
static u64 memory_unit(struct ini_text unit)
{
	if (!unit.length || ini_is(unit, "M") || ini_is(unit, "m"))
		return MIB;
	if (ini_is(unit, "K") || ini_is(unit, "k"))
		return KIB;
	if (ini_is(unit, "G") || ini_is(unit, "g"))
		return GIB;
	return 0;
}

static void set_memory(struct parser *parser, struct ini_text value)
{
	struct ini_text rest = value;
	u64 number, unit;

	if (!take_number(&rest, &number) || !(unit = memory_unit(rest)) || __builtin_mul_overflow(number, unit, &number)) {
		error(parser, "memory = " PIECE ": expected a number, with K, M or G behind it (none: M)", PIECE_OF(value));
		return;
	}
	if (number < CONFIG_MIN_MEMORY || number > CONFIG_MAX_MEMORY) {
		error(parser, "memory = " PIECE ": expected from %lluM to %lluG", PIECE_OF(value), CONFIG_MIN_MEMORY / MIB,
		      CONFIG_MAX_MEMORY / GIB);
		return;
	}
	if (number % PAGE_SIZE) {
		error(parser, "memory = " PIECE ": expected a multiple of 4K", PIECE_OF(value));
		return;
	}
	parser->vm->memory = number;
}

static void set_vcpus(struct parser *parser, struct ini_text value)
{
	set_number(parser, value, "vcpus", 1, CONFIG_MAX_VCPUS, &parser->vm->vcpus);
}

/* "2" or "2-5". */
static bool take_core_range(struct ini_text item, u64 *first, u64 *last)
{
	if (!take_number(&item, first))
		return false;
	*last = *first;
	if (!item.length)
		return true;
	if (item.start[0] != '-')
		return false;
	item.start++;
	item.length--;
	return take_number(&item, last) && !item.length && *first <= *last;
}

static void set_cpus(struct parser *parser, struct ini_text value)
{
	u32 cores = parser->limits->cores ? MIN(parser->limits->cores, MAX_CORES) : MAX_CORES;
	struct ini_text list = value, item;
	u64 first, last, mask = 0;

	if (ini_is(value, "all"))
		return;
	while (ini_next_item(&list, &item)) {
		if (!take_core_range(item, &first, &last)) {
			error(parser, "cpus = " PIECE ": expected cores as in 0,2-3, or all", PIECE_OF(value));
			return;
		}
		if (last >= cores) {
			error(parser, "cpus = " PIECE ": expected cores from 0 to %u", PIECE_OF(value), cores - 1);
			return;
		}
		mask |= BITS(last, first);
	}
	if (!mask) {
		error(parser, "cpus: expected cores as in 0,2-3, or all");
		return;
	}
	parser->vm->cpus = mask;
}

static void set_stats(struct parser *parser, struct ini_text value)
{
	parser->own_stats[parser->config->vm_count] = true;
	set_choice(parser, value, "stats", "off", "on", &parser->vm->stats);
}

static void set_engine(struct parser *parser, struct ini_text value)
{
	set_engine_name(parser, value, parser->vm->engine, sizeof(parser->vm->engine));
}

static void set_end(struct parser *parser, struct ini_text value, const char *key, enum config_end *end)
{
	bool restart = false;

	if (set_choice(parser, value, key, "destroy", "restart", &restart))
		*end = restart ? END_RESTART : END_DESTROY;
}

static void set_on_poweroff(struct parser *parser, struct ini_text value)
{
	set_end(parser, value, "on_poweroff", &parser->vm->on_poweroff);
}

static void set_on_reboot(struct parser *parser, struct ini_text value)
{
	set_end(parser, value, "on_reboot", &parser->vm->on_reboot);
}

static void set_on_crash(struct parser *parser, struct ini_text value)
{
	set_end(parser, value, "on_crash", &parser->vm->on_crash);
}

static void set_weight(struct parser *parser, struct ini_text value)
{
	set_number(parser, value, "cpu_weight", 1, CONFIG_MAX_WEIGHT, &parser->vm->weight);
}

static const struct config_key trivisor_keys[] = {
	{"on-idle", set_on_idle}, {"mitigations", set_mitigations}, {"engine", set_default_engine},
	{"slice", set_slice},	  {"stats", set_default_stats}, {"console", set_console},
};

static const struct config_key vm_keys[] = {
	{"kernel", set_kernel}, {"ramdisk", set_ramdisk}, {"extra", set_extra}, {"memory", set_memory}, {"vcpus", set_vcpus},
	{"cpus", set_cpus},	{"stats", set_stats},	  {"engine", set_engine}, {"cpu_weight", set_weight},
	{"on_poweroff", set_on_poweroff}, {"on_reboot", set_on_reboot}, {"on_crash", set_on_crash},
};

/* The section is over: the VM counts when nothing in it was wrong. */
static void end_section(struct parser *parser)
{
	struct vm_config *vm = parser->vm;

	parser->vm = NULL;
	if (!vm)
		return;
	parser->line = vm->line;
	if (!parser->bad && !vm->kernel[0])
		error(parser, "[%s]: expected kernel = FILE in it", vm->name);
	if (!parser->bad && parser->limits->memory && vm->memory > parser->memory_left)
		error(parser, "[%s]: memory = %lluK is too much: expected at most %lluK, which is what is left for guests", vm->name,
		      vm->memory / KIB, parser->memory_left / KIB);
	if (parser->bad)
		return;
	parser->memory_left -= MIN(vm->memory, parser->memory_left);
	parser->config->vm_count++;
}

static void begin_trivisor(struct parser *parser)
{
	if (parser->trivisor_seen) {
		error(parser, "expected one section [trivisor], this is another");
		return;
	}
	parser->trivisor_seen = true;
	parser->skip = false;
	parser->keys = trivisor_keys;
	parser->key_count = ARRAY_SIZE(trivisor_keys);
}

static const struct vm_config *find_vm(const struct config *config, struct ini_text name)
{
	for (u32 i = 0; i < config->vm_count; i++)
		if (ini_is(name, config->vm[i].name))
			return &config->vm[i];
	return NULL;
}

static void begin_vm(struct parser *parser, struct ini_text name)
{
	const struct vm_config *other = find_vm(parser->config, name);
	struct vm_config *vm = &parser->config->vm[parser->config->vm_count];

	if (!is_name(name, CONFIG_NAME_SIZE))
		error(parser, "[" PIECE "]: expected a name of 1 to %u letters, digits, - _ .", PIECE_OF(name), CONFIG_NAME_SIZE - 1);
	else if (other)
		error(parser, "[%s]: expected a new name, the VM of line %u has this one", other->name, other->line);
	else if (parser->config->vm_count == CONFIG_MAX_VMS)
		error(parser, "[" PIECE "]: expected at most %u VMs", PIECE_OF(name), CONFIG_MAX_VMS);
	else
		parser->skip = false;
	if (parser->skip)
		return;
	memset(vm, 0, sizeof(*vm));
	vm->line = parser->line;
	vm->memory = DEFAULT_MEMORY;
	vm->vcpus = 1;
	vm->weight = DEFAULT_WEIGHT;
	vm->on_reboot = END_RESTART;
	memcpy(vm->name, name.start, name.length);
	parser->vm = vm;
	parser->own_stats[parser->config->vm_count] = false;
	parser->keys = vm_keys;
	parser->key_count = ARRAY_SIZE(vm_keys);
}

/* Until a head is found to be good, the lines that follow mean nothing. */
static void leave_section(struct parser *parser)
{
	u32 line = parser->line;

	end_section(parser);
	parser->line = line;
	parser->seen = 0;
	parser->bad = false;
	parser->skip = true;
}

static void begin_section(struct parser *parser, struct ini_text name)
{
	leave_section(parser);
	if (ini_is(name, "trivisor"))
		begin_trivisor(parser);
	else
		begin_vm(parser, name);
}

static void unknown_key(struct parser *parser, struct ini_text key)
{
	char known[200];
	int length = 0;

	for (u32 i = 0; i < parser->key_count; i++)
		length += fmt_print(known + length, sizeof(known) - (size_t)length, "%s%s", i ? ", " : "", parser->keys[i].name);
	error(parser, "unknown key " PIECE ": expected one of %s", PIECE_OF(key), known);
}

static void set_pair(struct parser *parser, const struct ini_line *line)
{
	if (!parser->keys) {
		error(parser, "expected [trivisor] or the [name] of a VM before the first key");
		return;
	}
	for (u32 i = 0; i < parser->key_count; i++) {
		if (!ini_is(line->key, parser->keys[i].name))
			continue;
		if (parser->seen & BIT(i))
			error(parser, "%s: expected it once in a section, it is set already", parser->keys[i].name);
		else
			parser->keys[i].set(parser, line->value);
		parser->seen |= (u32)BIT(i);
		return;
	}
	unknown_key(parser, line->key);
}

static void parse_line(struct parser *parser, const struct ini_line *line)
{
	parser->line = line->number;
	switch (line->kind) {
	case INI_SECTION:
		begin_section(parser, line->key);
		break;
	case INI_PAIR:
		if (!parser->skip)
			set_pair(parser, line);
		break;
	default:
		/* What was to be a section's head ends the section before it, which is not to blame. */
		if (line->key.start[0] == '[')
			leave_section(parser);
		error(parser, "%s", line->error);
		break;
	}
}

/* Not a VM's mistake: it owns nothing then. */
static void check_console(struct parser *parser)
{
	struct ini_text name = {.start = parser->config->console, .length = strlen(parser->config->console)};

	if (!name.length || find_vm(parser->config, name))
		return;
	parser->line = 0;
	error(parser, "console = %s: expected the name of one of the VMs", name.start);
	parser->config->console[0] = 0;
}

u32 config_parse(struct config *config, const char *text, size_t size, const struct config_limits *limits,
		 config_error_t report, void *context)
{
	struct parser parser = {
		.config = config, .limits = limits, .report = report, .context = context, .memory_left = limits->memory,
	};
	struct ini ini;

	config->on_idle = IDLE_POWEROFF;
	config->mitigations = TOGGLE_AUTO;
	string_copy(config->engine, sizeof(config->engine), "auto");
	config->slice_ms = DEFAULT_SLICE;
	config->stats = false;
	config->console[0] = 0;
	config->vm_count = 0;
	ini_init(&ini, text, size);
	for (struct ini_line line = ini_next(&ini); line.kind != INI_END; line = ini_next(&ini))
		parse_line(&parser, &line);
	end_section(&parser);
	check_console(&parser);
	for (u32 i = 0; i < config->vm_count; i++)
		if (!parser.own_stats[i])
			config->vm[i].stats = config->stats;
	return parser.errors;
}
