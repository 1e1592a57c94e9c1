/* Host address spaces. One base root, and one per VM that shares all its upper slots and adds the VM's window (DESIGN: Memory). */
#ifndef ARCH_MMU_ROOT_H
#define ARCH_MMU_ROOT_H

#include "arch/x86_64/mmu/pt.h"
#include "boot/boot_info.h"
#include "lib/types.h"

struct root {
	struct pt pt;
	paddr_t cr3;
};

extern struct root base_root;

/* Build the base root from the image's sections (W^X), the pool, stacks, modules and temporary mappings. Boot core, once. */
int root_build_base(const struct boot_info *info);
/* Load the base root or a VM's on this core and record it in percpu. */
void root_load(struct root *root);
/* A VM's root: upper slots shared, window empty. */
int root_create(struct root *root);
void root_destroy(struct root *root); /* no core may hold it */
/* The VM's RAM slot appears in its root's window: user, not executable, not global, write-back. */
int root_map_window(struct root *root, gpa_t gpa, paddr_t pa, u64 size);
int root_unmap_window(struct root *root, gpa_t gpa, u64 size);

/* Map device memory (UC) or framebuffer (WC) for good, before the cores start. Returns the address; NULL: no room. */
void *map_device(paddr_t pa, u64 size, enum memory_cache cache);
/* The loader's file, read-only, for good. */
const void *map_module(paddr_t pa, u64 size);
/* Zero [pa, pa+size) through this core's temporary mapping. */
void zero_frames(paddr_t pa, u64 size);
/* Map one frame temporarily on this core; valid until the next temp_map there. */
void *temp_map(paddr_t pa);

/*
 * Per-core stacks, mapped in STACK_SLOT with unmapped guard pages on both sides. Returns the TOP (16-byte aligned, first byte above);
 * created at the first call for (core, which), the same one after. NULL: out of range or the pool is full.
 */
enum stack {
	STACK_NORMAL, /* 16 KiB */
	STACK_NMI,    /* the rest 8 KiB each; for the IST */
	STACK_DF,
	STACK_MC,
	STACKS,
};
void *map_stack(u32 core, u32 which);

/* Walk the live tables; panic message names the first page that is writable and executable. True when there is none. */
bool root_check_wx(const struct root *root);
/* Log how many pages of the base root have which rights. */
void root_report(void);

#endif
