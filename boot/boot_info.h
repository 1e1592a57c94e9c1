/*
 * What the UEFI loader hands to the hypervisor. Plain data, versioned; both sides are built from this header.
 *
 * The loader enters kernel_entry (System V ABI, RDI = physical address of struct boot_info) with: long mode, 4-level
 * paging, interrupts off, DF clear, page tables that map
 *   - all RAM and the framebuffer 1:1 from address 0 (PML4 slot 0), writable and executable; a framebuffer above
 *     POOL_LIMIT as well, but then only 1:1: at boot reach it by its physical address,
 *   - the same tables again at POOL_BASE (core/layout.h), so that POOL_BASE + physical address works from the first
 *     instruction,
 *   - the hypervisor's image at the addresses its ELF program headers name.
 * These tables lie in EfiLoaderData and live until the hypervisor has its own.
 */
#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

#include "lib/types.h"

#define BOOT_INFO_MAGIC	  0x726f736976697274ull /* "trivisor" */
#define BOOT_INFO_VERSION 2u

#define BOOT_MAX_CPUS  256
#define BOOT_MAX_FILES 64
#define BOOT_NAME_SIZE 128

/* The AP trampoline: one page of code and the four levels of page tables it starts on, contiguous and below 1 MiB. */
#define BOOT_TRAMPOLINE_PAGES 5

enum boot_pixel_format {
	BOOT_PIXEL_NONE = 0, /* no framebuffer */
	BOOT_PIXEL_RGBX,     /* red in the byte of lowest address */
	BOOT_PIXEL_BGRX,     /* blue in the byte of lowest address */
	BOOT_PIXEL_MASK,     /* by the masks; 32 bits a pixel */
};

struct boot_framebuffer {
	u64 pa, size; /* bytes */
	u32 width, height;
	u32 stride; /* pixels a line in memory, >= width */
	u32 format; /* enum boot_pixel_format */
	u32 red_mask, green_mask, blue_mask;
	u32 reserved;
};

#define BOOT_CPU_BSP	 BIT(0)
#define BOOT_CPU_ENABLED BIT(1)
#define BOOT_CPU_HEALTHY BIT(2)

struct boot_cpu {
	u32 apic_id;
	u32 flags;
};

/* A file named in trivisor.conf, under the name it has there. pa 0: it could not be read (status is the EFI error). */
struct boot_file {
	char name[BOOT_NAME_SIZE];
	u64 pa, size;
	u64 status;
};

struct boot_info {
	u64 magic;
	u32 version;
	u32 size; /* sizeof(struct boot_info) */

	u64 image_pa, image_size; /* the hypervisor's image: one physical run, page aligned */
	u64 tables_pa, tables_size; /* the loader's page tables */

	u64 map_pa; /* EFI memory map as firmware gave it */
	u32 map_size, descriptor_size;
	u32 descriptor_version;
	u32 trampoline_pa;   /* below 1 MiB, page aligned, EfiLoaderCode */
	u32 trampoline_size; /* bytes: BOOT_TRAMPOLINE_PAGES pages; less, and the other cores stay off */
	u32 boot_flags;	     /* none yet */

	u64 system_table_pa; /* EFI system table: for ResetSystem */
	u64 rsdp_pa;	     /* 0: firmware has no ACPI */
	u64 config_pa, config_size;

	struct boot_framebuffer framebuffer;

	u32 cpu_count; /* 0: no MP Services */
	u32 file_count;
	struct boot_cpu cpus[BOOT_MAX_CPUS];
	struct boot_file files[BOOT_MAX_FILES];
	u64 time_seconds; /* the time of day, UTC, in seconds since 1970; 0: firmware does not know it */
	u64 time_tsc;	  /* the boot core's TSC then */
	char firmware[64]; /* vendor and revision, for the log */
};

#endif
