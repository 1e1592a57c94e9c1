// sources: vmm/config.c vmm/config_values.c lib/ini.c lib/fmt.c lib/string_copy.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "vmm/config.h"

static struct config config;
static u32 last_line;
static char messages[4096];

static void collect(void *context, u32 line, const char *message)
{
	size_t used = strlen(messages);

	(void)context;
	last_line = line;
	snprintf(messages + used, sizeof(messages) - used, "%u: %s\n", line, message);
}

/* Parse a text in memory of exactly its size. */
static u32 parse_limited(const char *text, u64 memory, u32 cores)
{
	struct config_limits limits = {.memory = memory, .cores = cores};
	size_t size = strlen(text);
	char *copy = malloc(size ? size : 1);
	u32 errors;

	assert_non_null(copy);
	memcpy(copy, text, size);
	memset(&config, 0xa5, sizeof(config));
	messages[0] = 0;
	last_line = 0;
	errors = config_parse(&config, copy, size, &limits, collect, NULL);
	free(copy);
	return errors;
}

static u32 parse(const char *text)
{
	return parse_limited(text, 0, 4);
}

static void assert_says(const char *what)
{
	if (!strstr(messages, what))
		fail_msg("no \"%s\" in: %s", what, messages);
}

/* One wrong line in a VM: it is left out, its neighbour is not, and the message names line and expectation. */
static void assert_bad_line(const char *line, const char *expected)
{
	char text[2048];

	snprintf(text, sizeof(text), "[good]\nkernel = a\n[bad]\nkernel = b\n%s\n[other]\nkernel = c\n", line);
	assert_int_equal(parse(text), 1);
	assert_int_equal(last_line, 5);
	assert_says(expected);
	assert_int_equal(config.vm_count, 2);
	assert_string_equal(config.vm[0].name, "good");
	assert_string_equal(config.vm[1].name, "other");
}

static void test_everything(void **state)
{
	(void)state;
	assert_int_equal(
		parse("[one]\nkernel = hello.elf\n"
		      "[trivisor]\non-idle = stay\nmitigations = off\nengine = vmx\nslice = 25\nstats = on\n"
		      "[two]\nkernel = k\nramdisk = a.img x=1 y, b.img\nextra = console=\"ttyS0\" quiet\nmemory = 64M\n"
		      "vcpus = 2\ncpus = 0,2-3\nstats = off\nengine = svm\ncpu_weight = 512\n"
		      "apic-virtualization = off\ncpuid_accounting = on\n"),
		0);
	assert_int_equal(config.on_idle, IDLE_STAY);
	assert_int_equal(config.mitigations, TOGGLE_OFF);
	assert_string_equal(config.engine, "vmx");
	assert_int_equal(config.slice_ms, 25);
	assert_int_equal(config.vm_count, 2);
	assert_string_equal(config.vm[0].name, "one");
	assert_string_equal(config.vm[0].kernel, "hello.elf");
	assert_int_equal(config.vm[0].line, 1);
	assert_int_equal(config.vm[0].memory, 128 * MIB);
	assert_int_equal(config.vm[0].vcpus, 1);
	assert_int_equal(config.vm[0].cpus, 0);
	assert_int_equal(config.vm[0].weight, 256);
	assert_string_equal(config.vm[0].engine, "");
	assert_string_equal(config.vm[0].extra, "");
	assert_int_equal(config.vm[0].module_count, 0);
	assert_true(config.vm[0].stats); /* the default, though it came later */
	assert_false(config.vm[1].stats);
	assert_int_equal(config.vm[0].cpuid_accounting, ACCOUNTING_OFF);
	assert_int_equal(config.vm[1].cpuid_accounting, ACCOUNTING_ON);
	assert_int_equal(config.vm[1].module_count, 2);
	assert_string_equal(config.vm[1].module[0].file, "a.img");
	assert_string_equal(config.vm[1].module[0].arguments, "x=1 y");
	assert_string_equal(config.vm[1].module[1].file, "b.img");
	assert_string_equal(config.vm[1].module[1].arguments, "");
	assert_string_equal(config.vm[1].extra, "console=\"ttyS0\" quiet");
	assert_int_equal(config.vm[1].memory, 64 * MIB);
	assert_int_equal(config.vm[1].vcpus, 2);
	assert_int_equal(config.vm[1].cpus, 0xd);
	assert_string_equal(config.vm[1].engine, "svm");
	assert_int_equal(config.vm[1].weight, 512);
	assert_int_equal(config.vm[0].apic_virtualization, TOGGLE_AUTO);
	assert_int_equal(config.vm[1].apic_virtualization, TOGGLE_OFF);
}

static void test_empty_file_gives_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_int_equal(config.vm_count, 0);
	assert_int_equal(config.on_idle, IDLE_POWEROFF);
	assert_int_equal(config.mitigations, TOGGLE_AUTO);
	assert_string_equal(config.engine, "auto");
	assert_int_equal(config.slice_ms, 10);
	assert_false(config.stats);
}

static void test_memory_units(void **state)
{
	static const struct {
		const char *text;
		u64 bytes;
	} good[] = {{"2", 2 * MIB},	  {"1M", MIB},		{"1024k", MIB},	     {"2048K", 2 * MIB},
		    {"1G", GIB},	  {"256g", 256 * GIB},	{"262144", 256 * GIB}, {"1028K", 1028 * KIB}};
	static const char *const bad[] = {"", "M", "x", "1T", "1 M", "-1", "0x10", "0", "1023K", "257G", "1025K",
					  "18446744073709551616", "18446744073709551615G", "1MB"};
	char line[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(line, sizeof(line), "[a]\nkernel=k\nmemory = %s", good[i].text);
		assert_int_equal(parse(line), 0);
		assert_int_equal(config.vm[0].memory, good[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(line, sizeof(line), "memory = %s", bad[i]);
		assert_bad_line(line, "memory = ");
		assert_says("expected");
	}
}

static void test_cpus(void **state)
{
	static const char *const bad[] = {
		"", "a", "0,", "1-", "-1", "3-1", "0-4", "4", "64", "0;1", "0-1-2", "1,,2", "99999999999999999999"};
	char line[64];

	(void)state;
	assert_int_equal(parse("[a]\nkernel=k\ncpus = 3"), 0);
	assert_int_equal(config.vm[0].cpus, 8);
	assert_int_equal(parse("[a]\nkernel=k\ncpus = 0 , 1-2"), 0);
	assert_int_equal(config.vm[0].cpus, 7);
	assert_int_equal(parse("[a]\nkernel=k\ncpus = all"), 0);
	assert_int_equal(config.vm[0].cpus, 0);
	assert_int_equal(parse_limited("[a]\nkernel=k\ncpus = 0-63", 0, 0), 0);
	assert_true(config.vm[0].cpus == ~0ull);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!strcmp(bad[i], "0,"))
			continue; /* a comma at the end is harmless */
		snprintf(line, sizeof(line), "cpus = %s", bad[i]);
		assert_bad_line(line, "cpus");
	}
	assert_bad_line("cpus = 4", "expected cores from 0 to 3");
}

static void test_bad_lines(void **state)
{
	char line[900];

	(void)state;
	assert_bad_line("kernal = x", "unknown key kernal: expected one of kernel, ramdisk, extra");
	assert_bad_line("on-idle = stay", "unknown key on-idle");
	assert_bad_line("vcpu = 1", "unknown key vcpu");
	assert_bad_line("vcpuss = 1", "unknown key vcpuss");
	assert_bad_line("cpu+weight = 1", "unknown key cpu+weight");
	assert_bad_line("word", "expected [name] or key = value");
	assert_bad_line("vcpus = 0", "vcpus = 0: expected a number from 1 to 32");
	assert_bad_line("vcpus = 33", "expected a number from 1 to 32");
	assert_bad_line("vcpus = two", "vcpus = two");
	assert_bad_line("vcpus = 2x", "vcpus = 2x");
	assert_bad_line("cpu_weight = 65536", "from 1 to 65535");
	assert_bad_line("cpuid-accounting = yes", "on, reversed or off");
	assert_bad_line("stats = yes", "stats = yes: expected on or off");
	assert_bad_line("kernel = c", "kernel: expected it once");
	assert_bad_line("engine = v m x", "engine");
	assert_bad_line("engine = abcdefghijklmnop", "engine");
	assert_bad_line("ramdisk = a,,b", "ramdisk: expected the name of a file");
	assert_bad_line("ramdisk = 1,2,3,4,5,6,7,8,9", "at most 8 files");
	snprintf(line, sizeof(line), "extra = %0512d", 0);
	assert_bad_line(line, "extra: expected at most 511 characters, found 512");
	snprintf(line, sizeof(line), "ramdisk = %0128d", 0);
	assert_bad_line(line, "ramdisk: expected at most 127 characters");
}

static void test_limits_hold_exactly(void **state)
{
	char text[900];

	(void)state;
	snprintf(text, sizeof(text), "[a]\nkernel = %0127d\nextra = %0511d\nramdisk = 1,2,3,4,5,6,7,8\n", 0, 0);
	assert_int_equal(parse(text), 0);
	assert_int_equal(strlen(config.vm[0].kernel), 127);
	assert_int_equal(strlen(config.vm[0].extra), 511);
	assert_int_equal(config.vm[0].module_count, 8);
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(parse("[a b]\nkernel = x\nnonsense = 1\n[A-z_0.9]\nkernel = y"), 1);
	assert_int_equal(last_line, 1);
	assert_says("expected a name");
	assert_int_equal(config.vm_count, 1);
	assert_string_equal(config.vm[0].name, "A-z_0.9");
	assert_int_equal(parse("[abcdefghijklmnopqrstuvwxyz012345]\nkernel = x"), 1);
	assert_int_equal(parse("[abcdefghijklmnopqrstuvwxyz01234]\nkernel = x"), 0);
}

static void test_duplicates(void **state)
{
	(void)state;
	assert_int_equal(parse("[a]\nkernel = x\n[a]\nkernel = y\nbad\n[b]\nkernel = z"), 2);
	assert_says("3: [a]: expected a new name, the VM of line 1 has this one");
	assert_int_equal(config.vm_count, 2);
	assert_string_equal(config.vm[0].kernel, "x");
	assert_int_equal(parse("[trivisor]\nslice = 5\n[trivisor]\nslice = 7"), 1);
	assert_says("3: expected one section [trivisor]");
	assert_int_equal(config.slice_ms, 5);
}

static void test_broken_head_ends_the_section_before(void **state)
{
	(void)state;
	assert_int_equal(parse("[a]\nkernel = x\n[b\nkernel = y\n[c]\nkernel = z"), 1);
	assert_int_equal(last_line, 3);
	assert_int_equal(config.vm_count, 2);
	assert_string_equal(config.vm[0].kernel, "x");
	assert_string_equal(config.vm[1].name, "c");
}

static void test_missing_kernel_and_lost_key(void **state)
{
	(void)state;
	assert_int_equal(parse("[a]\nmemory = 4M\n[b]\nkernel = k"), 1);
	assert_says("1: [a]: expected kernel = FILE");
	assert_int_equal(config.vm_count, 1);
	assert_int_equal(parse("kernel = k"), 1);
	assert_says("1: expected [trivisor] or the [name]");
}

static void test_bad_setting_keeps_default(void **state)
{
	(void)state;
	assert_int_equal(parse("[trivisor]\nslice = 0\nslice = 5\non-idle = no\nmitigations = on\nstats = 1\nfoo = "
			       "1\n[a]\nkernel=k"),
			 6);
	assert_int_equal(config.slice_ms, 10);
	assert_int_equal(config.on_idle, IDLE_POWEROFF);
	assert_int_equal(config.mitigations, TOGGLE_AUTO);
	assert_int_equal(config.vm_count, 1);
}

static void test_memory_is_shared_out(void **state)
{
	(void)state;
	assert_int_equal(parse_limited("[a]\nkernel=k\nmemory=60M\n[b]\nkernel=k\nmemory=50M\n"
				       "[c]\nkernel=k\nmemory=40M", 100 * MIB, 1), 1);
	assert_says("4: [b]: memory = 51200K is too much: expected at most 40960K");
	assert_int_equal(config.vm_count, 2);
	assert_string_equal(config.vm[1].name, "c");
}

/* RAM on demand may be more than there is, and takes nothing from others. */
static void test_memory_on_demand(void **state)
{
	(void)state;
	assert_int_equal(parse_limited("[a]\nkernel=k\nmemory=160M\nmemory_backing=demand\n"
				       "[b]\nkernel=k\nmemory=100M\nmemory-backing=full\n"
				       "[c]\nkernel=k\nmemory_backing=lazy", 100 * MIB, 1), 1);
	assert_says("11: memory_backing = lazy: expected demand or full");
	assert_int_equal(config.vm_count, 2);
	assert_int_equal(config.vm[0].memory_backing, BACKING_DEMAND);
	assert_int_equal(config.vm[0].memory, 160 * MIB);
	assert_int_equal(config.vm[1].memory_backing, BACKING_FULL);
}

static void test_too_many_vms(void **state)
{
	char *text = malloc(1 << 16), *at = text;

	(void)state;
	for (u32 i = 0; i < CONFIG_MAX_VMS + 1; i++)
		at += sprintf(at, "[v%u]\nkernel = k\n", i);
	assert_int_equal(parse(text), 1);
	assert_says("257: [v128]: expected at most 128 VMs");
	assert_int_equal(config.vm_count, CONFIG_MAX_VMS);
	free(text);
}

static void test_ends(void **state)
{
	(void)state;
	assert_int_equal(parse("[a]\nkernel = k\n"
			       "[b]\nkernel = k\non_poweroff = restart\non_reboot = destroy\non_crash = restart\n"
			       "[c]\nkernel = k\non_crash = destroy\n"),
			 0);
	assert_int_equal(config.vm[0].on_poweroff, END_DESTROY);
	assert_int_equal(config.vm[0].on_reboot, END_RESTART);
	assert_int_equal(config.vm[0].on_crash, END_DESTROY);
	assert_int_equal(config.vm[1].on_poweroff, END_RESTART);
	assert_int_equal(config.vm[1].on_reboot, END_DESTROY);
	assert_int_equal(config.vm[1].on_crash, END_RESTART);
	assert_int_equal(config.vm[2].on_poweroff, END_DESTROY);
	assert_int_equal(config.vm[2].on_reboot, END_RESTART);
	assert_int_equal(config.vm[2].on_crash, END_DESTROY);
	assert_bad_line("on_crash = preserve", "5: on_crash = preserve: expected restart or destroy");
	assert_bad_line("on_poweroff =", "5: on_poweroff = : expected restart or destroy");
	assert_int_equal(parse("[a]\nkernel = k\non_reboot = restart\non_reboot = restart\n"), 1);
	assert_says("4: on_reboot: expected it once");
}

/* The owner may stand before or behind its own section, and must be there at the end. */
static void test_console(void **state)
{
	(void)state;
	assert_int_equal(parse("[a]\nkernel = k\n"), 0);
	assert_string_equal(config.console, "");
	assert_int_equal(parse("[trivisor]\nconsole = b\n[a]\nkernel = k\n[b]\nkernel = k\n"), 0);
	assert_string_equal(config.console, "b");
	assert_int_equal(parse("[a]\nkernel = k\n[trivisor]\nconsole = a\n"), 0);
	assert_string_equal(config.console, "a");
	assert_int_equal(parse("[trivisor]\nconsole = c\n[a]\nkernel = k\n"), 1);
	assert_says("0: console = c: expected the name of one of the VMs");
	assert_string_equal(config.console, "");
	assert_int_equal(parse("[trivisor]\nconsole = a b\n[a]\nkernel = k\n"), 1);
	assert_says("2: console = a b: expected the name of a VM");
	/* A VM that is left out is no owner. */
	assert_int_equal(parse("[trivisor]\nconsole = a\n[a]\nkernel = k\nmemory = 1\nvcpus = 0\n"), 2);
	assert_string_equal(config.console, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_empty_file_gives_defaults),
		cmocka_unit_test(test_memory_units),
		cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_limits_hold_exactly),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_broken_head_ends_the_section_before),
		cmocka_unit_test(test_missing_kernel_and_lost_key),
		cmocka_unit_test(test_bad_setting_keeps_default),
		cmocka_unit_test(test_memory_is_shared_out), cmocka_unit_test(test_memory_on_demand),
		cmocka_unit_test(test_too_many_vms),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_console),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
