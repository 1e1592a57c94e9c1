// sources: boot/file_list.c lib/ini.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include "boot/file_list.h"

static struct boot_file files[BOOT_MAX_FILES];
static struct file_list list;

static void read_text(const char *text)
{
	memset(files, 0xee, sizeof(files));
	file_list_read(&list, files, text, strlen(text));
}

static void names_are_found_once_and_in_order(void **state)
{
	(void)state;
	read_text("[trivisor]\nslice = 10\n"
		  "[a]\nkernel = guests/hello\nramdisk = one.bin console=ttyS0, \"two\" ,guests/hello again\n"
		  "not a pair\n[b]\nkernel = \"guests/hello\"\r\nramdisk =\n# kernel = comment\nextra = kernel\n");
	assert_int_equal(list.count, 3);
	assert_string_equal(files[0].name, "guests/hello");
	assert_string_equal(files[1].name, "one.bin");
	assert_string_equal(files[2].name, "\"two\"");
	assert_int_equal(files[2].pa, 0);
	assert_int_equal(files[2].status, 0);
	assert_int_equal(list.bad_line, 0);
	assert_int_equal(list.left_out, 0);
}

static void bad_names_are_reported_by_line(void **state)
{
	char text[400], name[BOOT_NAME_SIZE + 1];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[BOOT_NAME_SIZE] = '\0';
	snprintf(text, sizeof(text), "kernel = %s\nkernel = ok\n", name);
	read_text(text);
	assert_int_equal(list.bad_line, 1);
	assert_int_equal(list.count, 1);
	name[BOOT_NAME_SIZE - 1] = '\0'; /* now the longest that fits */
	snprintf(text, sizeof(text), "kernel = %s\n", name);
	read_text(text);
	assert_int_equal(list.bad_line, 0);
	assert_string_equal(files[0].name, name);
	read_text("\n\nkernel = caf\xc3\xa9\n");
	assert_int_equal(list.bad_line, 3);
	assert_int_equal(list.count, 0);
	read_text("kernel =\n");
	assert_int_equal(list.bad_line, 1);
}

static void too_many_names_are_counted(void **state)
{
	char text[BOOT_MAX_FILES * 20] = "";
	size_t used = 0;

	(void)state;
	for (u32 i = 0; i < BOOT_MAX_FILES + 3; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "kernel=f%u\n", i);
	read_text(text);
	assert_int_equal(list.count, BOOT_MAX_FILES);
	assert_int_equal(list.left_out, 3);
	assert_string_equal(files[BOOT_MAX_FILES - 1].name, "f63");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_once_and_in_order),
		cmocka_unit_test(bad_names_are_reported_by_line),
		cmocka_unit_test(too_many_names_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
