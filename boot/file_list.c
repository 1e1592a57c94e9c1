#include "boot/file_list.h"
#include "lib/ini.h"
#include "lib/string.h"

static bool plain_name(struct ini_text name)
{
	if (name.length == 0 || name.length >= BOOT_NAME_SIZE)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		if (name.start[i] < ' ' || name.start[i] > '~')
			return false;
	}
	return true;
}

static bool is_listed(const struct file_list *list, struct ini_text name)
{
	for (u32 i = 0; i < list->count; i++) {
		if (ini_is(name, list->file[i].name))
			return true;
	}
	return false;
}

static void add_name(struct file_list *list, struct ini_text name, u32 line)
{
	struct boot_file *file;

	if (!plain_name(name)) {
		if (list->bad_line == 0)
			list->bad_line = line;
		return;
	}
	if (is_listed(list, name))
		return;
	if (list->count == BOOT_MAX_FILES) {
		list->left_out++;
		return;
	}
	file = &list->file[list->count++];
	memset(file, 0, sizeof(*file));
	memcpy(file->name, name.start, name.length);
}

void file_list_read(struct file_list *list, struct boot_file *file, const char *text, u64 size)
{
	struct ini ini;

	*list = (struct file_list){.file = file};
	ini_init(&ini, text, size);
	for (;;) {
		struct ini_line line = ini_next(&ini);
		struct ini_text item, name, arguments;

		if (line.kind == INI_END)
			return;
		if (line.kind != INI_PAIR)
			continue;
		if (ini_is(line.key, "kernel"))
			add_name(list, line.value, line.number);
		if (!ini_is(line.key, "ramdisk"))
			continue;
		while (ini_next_item(&line.value, &item)) {
			ini_split_word(item, &name, &arguments);
			add_name(list, name, line.number);
		}
	}
}
