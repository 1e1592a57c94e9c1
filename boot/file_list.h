/* Which files trivisor.conf names. Pure. */
#ifndef BOOT_FILE_LIST_H
#define BOOT_FILE_LIST_H

#include "boot/boot_info.h"
#include "lib/types.h"

struct file_list {
	u32 count;
	u32 left_out;	 /* names that found no room: more than BOOT_MAX_FILES */
	u32 bad_line;	 /* first line with a name that is empty, too long or not plain ASCII; 0: none */
	struct boot_file *file;
};

/*
 * Put the names of every `kernel` and every item of every `ramdisk` into file[BOOT_MAX_FILES], each once, with pa 0.
 * Lines it does not understand are passed over: the hypervisor reads the same text and reports them.
 */
void file_list_read(struct file_list *list, struct boot_file *file, const char *text, u64 size);

#endif
