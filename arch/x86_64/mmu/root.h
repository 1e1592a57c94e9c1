/*
 * Host address spaces. One base root, and one per VM that shares all its upper slots and adds the VM's window
 * (ARCHITECTURE.md "The memory it lives in").
 */
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

/*
 * Build the base root: the image's sections (W^X), the pool, and a table for every upper slot, so that no root's top
 * page need change later. Boot core, once, after frame_init() and features_collect(); then root_load() it. ERR_MEMORY,
 * ERR_INVALID (a broken image).
 */
int root_build_base(const struct boot_info *info);
/*
 * Load the base root or a VM's on this core and record it in percpu. The MOV to CR3 drops what the core remembers of
 * the root before; percpu->root is 0 while it happens: who looks for the holders of a root counts such a core in.
 */
void root_load(struct root *root);
/* A VM's root: upper slots shared, window empty. ERR_MEMORY. */
int root_create(struct root *root);
void root_destroy(struct root *root); /* no core may hold it (checked) */
/*
 * The VM's RAM slot appears in its root's window: user, not executable, not global, write-back. The VM's maker or lock
 * serializes the calls for one root. ERR_RANGE beyond WINDOW_SIZE; else as pt_map().
 */
int root_map_window(struct root *root, gpa_t gpa, paddr_t pa, u64 size);
/* The same for one 4 KiB page of RAM below WINDOW_SIZE, quick for the page next to the last one: as pt_map_page(). */
int root_map_window_page(struct root *root, gpa_t gpa, paddr_t pa);
/*
 * Take it out; when it returns no core can reach it and the frames may be freed. Waits for every core that holds the
 * root, so the caller holds no lock they may be waiting for. ERR_RANGE, or as pt_unmap().
 */
int root_unmap_window(struct root *root, gpa_t gpa, u64 size);

/*
 * Map device memory (UC) or framebuffer (WC) for good, supervisor, not executable. Any alignment; every root sees it at
 * once. Returns the address; NULL: no room.
 */
void *map_device(paddr_t pa, u64 size, enum memory_cache cache);
/* The loader's file, read-only, for good. */
const void *map_module(paddr_t pa, u64 size);
/* Zero [pa, pa+size) (4 KiB multiples) through this core's temporary mapping; on our own tables only. */
void zero_frames(paddr_t pa, u64 size);
void zero_frame(paddr_t pa); /* one, page aligned */
/*
 * Map the frame of pa temporarily on this core, write-back; the address of pa itself, valid to the end of its page
 * until the next temp_map there.
 */
void *temp_map(paddr_t pa);

/*
 * Per-core stacks, mapped in STACK_SLOT with unmapped guard pages on both sides. Returns the TOP (16-byte aligned,
 * first byte above); created at the first call for (core, which), the same one after. NULL: out of range or the pool is
 * full.
 */
enum stack {
	STACK_NORMAL, /* 16 KiB */
	STACK_NMI,    /* the rest 8 KiB each; for the IST */
	STACK_DF,
	STACK_MC,
	STACKS,
};
void *map_stack(u32 core, u32 which);

/*
 * Walk the live tables: no page writable and executable, none for user code outside the window, none in it executable,
 * global or closed to user accesses. True when that holds; else it panics and names the first page that breaks it.
 */
bool root_check_wx(const struct root *root);
/* Log how many pages of the base root have which rights. */
void root_report(void);

#endif
