/*
 * trivisor.conf. The keys of each kind of section are a table; a setter judges its value and reports what it expected.
 * A VM is parsed into the next free entry, which counts only when its section ends without an error.
 */
#include "core/layout.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "vmm/config_parser.h"

#define DEFAULT_MEMORY (128 * MIB)
#define DEFAULT_SLICE  10u
#define DEFAULT_WEIGHT 256u

/* Which engines there are is for others to say: config.c knows none. */
static bool set_engine_name(struct parser *parser, struct ini_text value, char *engine, size_t size)
{
	if (!config_is_name(value, size)) {
		config_error(parser, "engine = " PIECE ": expected an engine's name, or auto", PIECE_OF(value));
		return false;
	}
	return config_set_text(parser, value, "engine", engine, size);
}

static void set_on_idle(struct parser *parser, struct ini_text value)
{
	bool stay = false;

	if (config_set_choice(parser, value, "on-idle", "poweroff", "stay", &stay))
		parser->config->on_idle = stay ? IDLE_STAY : IDLE_POWEROFF;
}

static void set_mitigations(struct parser *parser, struct ini_text value)
{
	bool wanted = true;

	if (config_set_choice(parser, value, "mitigations", "off", "auto", &wanted))
		parser->config->mitigations = wanted ? TOGGLE_AUTO : TOGGLE_OFF;
}

static void set_default_engine(struct parser *parser, struct ini_text value)
{
	set_engine_name(parser, value, parser->config->engine, sizeof(parser->config->engine));
}

static void set_slice(struct parser *parser, struct ini_text value)
{
	config_set_number(parser, value, "slice", 1, 1000, &parser->config->slice_ms);
}

static void set_default_stats(struct parser *parser, struct ini_text value)
{
	config_set_choice(parser, value, "stats", "off", "on", &parser->config->stats);
}

/* Whether a VM of this name comes is found out at the end of the file. */
static void set_console(struct parser *parser, struct ini_text value)
{
	if (config_is_name(value, CONFIG_NAME_SIZE))
		config_set_text(parser, value, "console", parser->config->console, sizeof(parser->config->console));
	else
		config_error(parser, "console = " PIECE ": expected the name of a VM", PIECE_OF(value));
}

static bool set_file(struct parser *parser, struct ini_text value, const char *key, char *file)
{
	if (!value.length) {
		config_error(parser, "%s: expected the name of a file", key);
		return false;
	}
	return config_set_text(parser, value, key, file, CONFIG_FILE_SIZE);
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
			config_error(parser, "ramdisk: expected at most %u files", CONFIG_MAX_MODULES);
			return;
		}
		ini_split_word(item, &file, &arguments);
		if (!set_file(parser, file, "ramdisk", module->file) ||
		    !config_set_text(parser, arguments, "ramdisk", module->arguments, sizeof(module->arguments)))
			return;
		vm->module_count++;
	}
}

static void set_extra(struct parser *parser, struct ini_text value)
{
	config_set_text(parser, value, "extra", parser->vm->extra, sizeof(parser->vm->extra));
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

	if (!config_number(&rest, &number) || !(unit = memory_unit(rest)) ||
	    __builtin_mul_overflow(number, unit, &number)) {
		config_error(parser, "memory = " PIECE ": expected a number, with K, M or G behind it (none: M)",
			     PIECE_OF(value));
		return;
	}
	if (number < CONFIG_MIN_MEMORY || number > CONFIG_MAX_MEMORY) {
		config_error(parser, "memory = " PIECE ": expected from %lluM to %lluG", PIECE_OF(value),
			     CONFIG_MIN_MEMORY / MIB, CONFIG_MAX_MEMORY / GIB);
		return;
	}
	if (number % PAGE_SIZE) {
		config_error(parser, "memory = " PIECE ": expected a multiple of 4K", PIECE_OF(value));
		return;
	}
	parser->vm->memory = number;
}

static void set_memory_backing(struct parser *parser, struct ini_text value)
{
	bool demand = false;

	if (config_set_choice(parser, value, "memory_backing", "full", "demand", &demand))
		parser->vm->memory_backing = demand ? BACKING_DEMAND : BACKING_FULL;
}

static void set_vcpus(struct parser *parser, struct ini_text value)
{
	config_set_number(parser, value, "vcpus", 1, CONFIG_MAX_VCPUS, &parser->vm->vcpus);
}

/* "2" or "2-5". */
static bool take_core_range(struct ini_text item, u64 *first, u64 *last)
{
	if (!config_number(&item, first))
		return false;
	*last = *first;
	if (!item.length)
		return true;
	if (item.start[0] != '-')
		return false;
	item.start++;
	item.length--;
	return config_number(&item, last) && !item.length && *first <= *last;
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
			config_error(parser, "cpus = " PIECE ": expected cores as in 0,2-3, or all", PIECE_OF(value));
			return;
		}
		if (last >= cores) {
			config_error(parser, "cpus = " PIECE ": expected cores from 0 to %u", PIECE_OF(value),
				     cores - 1);
			return;
		}
		mask |= BITS(last, first);
	}
	if (!mask) {
		config_error(parser, "cpus: expected cores as in 0,2-3, or all");
		return;
	}
	parser->vm->cpus = mask;
}

static void set_stats(struct parser *parser, struct ini_text value)
{
	parser->own_stats[parser->config->vm_count] = true;
	config_set_choice(parser, value, "stats", "off", "on", &parser->vm->stats);
}

static void set_cpuid_accounting(struct parser *parser, struct ini_text value)
{
	static const char *const words[] = {
		[ACCOUNTING_OFF] = "off", [ACCOUNTING_ON] = "on", [ACCOUNTING_REVERSED] = "reversed"};

	for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
		if (ini_is(value, words[i])) {
			parser->vm->cpuid_accounting = (enum config_accounting)i;
			return;
		}
	}
	config_error(parser, "cpuid-accounting = " PIECE ": expected on, reversed or off", PIECE_OF(value));
}

static void set_engine(struct parser *parser, struct ini_text value)
{
	set_engine_name(parser, value, parser->vm->engine, sizeof(parser->vm->engine));
}

static void set_end(struct parser *parser, struct ini_text value)
{
	bool restart = false;

	if (config_set_choice(parser, value, parser->key->name, "destroy", "restart", &restart))
		*(enum config_end *)((u8 *)parser->vm + parser->key->offset) = restart ? END_RESTART : END_DESTROY;
}

static void set_weight(struct parser *parser, struct ini_text value)
{
	config_set_number(parser, value, "cpu_weight", 1, CONFIG_MAX_WEIGHT, &parser->vm->weight);
}

static void set_apic_virtualization(struct parser *parser, struct ini_text value)
{
	bool wanted = true;

	if (config_set_choice(parser, value, "apic_virtualization", "off", "auto", &wanted))
		parser->vm->apic_virtualization = wanted ? TOGGLE_AUTO : TOGGLE_OFF;
}

#define KEY(key, setter) {.name = key, .set = setter}
#define END_KEY(member)	 {.name = #member, .set = set_end, .offset = offsetof(struct vm_config, member)}

static const struct config_key trivisor_keys[] = {
	KEY("on-idle", set_on_idle), KEY("mitigations", set_mitigations), KEY("engine", set_default_engine),
	KEY("slice", set_slice),     KEY("stats", set_default_stats),	  KEY("console", set_console),
};

static const struct config_key vm_keys[] = {
	KEY("kernel", set_kernel), KEY("ramdisk", set_ramdisk), KEY("extra", set_extra),   KEY("memory", set_memory),
	KEY("vcpus", set_vcpus),   KEY("cpus", set_cpus),	KEY("stats", set_stats),   KEY("engine", set_engine),
	KEY("cpu_weight", set_weight), END_KEY(on_poweroff),	END_KEY(on_reboot),	   END_KEY(on_crash),
	KEY("memory_backing", set_memory_backing), KEY("apic_virtualization", set_apic_virtualization),
	KEY("cpuid-accounting", set_cpuid_accounting),
};

/*
 * What is backed on demand may be more than there is: that is for the machine to tell, and for the VM that finds
 * nothing left.
 */
static u64 memory_needed(const struct vm_config *vm)
{
	return vm->memory_backing == BACKING_DEMAND ? 0 : vm->memory;
}

/* The section is over: the VM counts when nothing in it was wrong. */
static void end_section(struct parser *parser)
{
	struct vm_config *vm = parser->vm;

	parser->vm = NULL;
	if (!vm)
		return;
	parser->line = vm->line;
	if (!parser->bad && !vm->kernel[0])
		config_error(parser, "[%s]: expected kernel = FILE in it", vm->name);
	if (!parser->bad && parser->limits->memory && memory_needed(vm) > parser->memory_left)
		config_error(
			parser,
			"[%s]: memory = %lluK is too much: expected at most %lluK, which is what is left for guests",
			vm->name, vm->memory / KIB, parser->memory_left / KIB);
	if (parser->bad)
		return;
	parser->memory_left -= MIN(memory_needed(vm), parser->memory_left);
	parser->config->vm_count++;
}

static void begin_trivisor(struct parser *parser)
{
	if (parser->trivisor_seen) {
		config_error(parser, "expected one section [trivisor], this is another");
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

	if (!config_is_name(name, CONFIG_NAME_SIZE))
		config_error(parser, "[" PIECE "]: expected a name of 1 to %u letters, digits, - _ .", PIECE_OF(name),
			     CONFIG_NAME_SIZE - 1);
	else if (other)
		config_error(parser, "[%s]: expected a new name, the VM of line %u has this one", other->name,
			     other->line);
	else if (parser->config->vm_count == CONFIG_MAX_VMS)
		config_error(parser, "[" PIECE "]: expected at most %u VMs", PIECE_OF(name), CONFIG_MAX_VMS);
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
		length += fmt_print(known + length, sizeof(known) - (size_t)length, "%s%s", i ? ", " : "",
				    parser->keys[i].name);
	config_error(parser, "unknown key " PIECE ": expected one of %s", PIECE_OF(key), known);
}

/* Xen writes keys with `_`, others with `-`: nobody should have to remember which key is whose. */
static bool is_key(struct ini_text text, const char *name)
{
	size_t i = 0;

	while (i < text.length && name[i] &&
	       (text.start[i] == '-' ? '_' : text.start[i]) == (name[i] == '-' ? '_' : name[i]))
		i++;
	return i == text.length && !name[i];
}

static void set_pair(struct parser *parser, const struct ini_line *line)
{
	if (!parser->keys) {
		config_error(parser, "expected [trivisor] or the [name] of a VM before the first key");
		return;
	}
	for (u32 i = 0; i < parser->key_count; i++) {
		if (!is_key(line->key, parser->keys[i].name))
			continue;
		parser->key = &parser->keys[i];
		if (parser->seen & BIT(i))
			config_error(parser, "%s: expected it once in a section, it is set already",
				     parser->keys[i].name);
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
		config_error(parser, "%s", line->error);
		break;
	}
}

/* An owner that does not come is a mistake of the file: nobody gets what is typed then. */
static void check_console(struct parser *parser)
{
	char *name = parser->config->console;

	if (!name[0] || find_vm(parser->config, (struct ini_text){.start = name, .length = strlen(name)}))
		return;
	parser->line = 0;
	config_error(parser, "console = %s: expected the name of one of the VMs", name);
	name[0] = 0;
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
