/* What the loader's files share: the firmware's tables, messages, memory and files. */
#ifndef BOOT_LOADER_H
#define BOOT_LOADER_H

#include <efi.h>
#include "boot/boot_info.h"
#include "boot/paging.h"
#include "lib/types.h"

struct loader {
	EFI_HANDLE image;
	EFI_SYSTEM_TABLE *table;
	EFI_BOOT_SERVICES *services;
	bool leaving; /* ExitBootServices() has been called at least once: most of firmware may be gone */
};

extern struct loader loader;

/* boot/report.c: one line on the screen, and on COM1 where firmware does not mirror the screen to it. */
void report_init(void);
void say(const char *format, ...) PRINTF(1, 2);
/* Say it with the status in words, wait for a key or ten seconds, give back all memory and return to firmware. */
NORETURN void fail(EFI_STATUS status, const char *format, ...) PRINTF(2, 3);
/* A status in words; never NULL. */
const char *status_name(EFI_STATUS status);

/* boot/serial.c: COM1 without firmware. A line ends in "\r\n". */
void serial_init(bool set_line);
void serial_write(const char *text);

/* boot/pages.c: whole pages below `limit`. 0: none left. All of them are given back by pages_free_all(). */
u64 pages_take(u64 bytes, EFI_MEMORY_TYPE type, u64 limit);
/*
 * As pages_take() for EfiLoaderData that the hypervisor can reach; zeroed. Fails with `what` in the sentence when there
 * is none.
 */
void *pages_need(u64 bytes, const char *what);
void pages_free_all(void);

/* boot/volume.c: files under \trivisor on the volume the loader came from. */
void volume_open(void);
/* Read the whole file `name` (relative to \trivisor, '/' separates folders) into pages of its own. */
EFI_STATUS volume_read(const char *name, u64 *pa, u64 *size);

/* boot/firmware.c: what firmware knows. Each fills its part of `info` and says what it found. */
void find_firmware(struct boot_info *info);
void find_acpi(struct boot_info *info);
void find_time(struct boot_info *info);
void find_cpus(struct boot_info *info);
void find_trampoline(struct boot_info *info);

/* boot/screen.c */
void find_framebuffer(struct boot_info *info);

/* boot/leave.c: refuse machines we could not leave firmware on; build the tables; leave and jump to `entry`. */
void check_machine(void);
void build_tables(struct boot_info *info, u64 image_va);
NORETURN void leave(struct boot_info *info, u64 entry);

#endif
