/*
 * The hypervisor's virtual address space: every PML4 slot in use is named here and nowhere else.
 * Slots above the window are filled at boot, stand in every root and never change after (ARCHITECTURE.md "The memory it
 * lives in").
 */
#ifndef CORE_LAYOUT_H
#define CORE_LAYOUT_H

#define SLOT_BASE(slot) (0xffff000000000000ull | ((unsigned long long)(slot) << 39))
#define SLOT_SIZE	(1ull << 39)

#define WINDOW_SLOT 256 /* the current VM's RAM: WINDOW_BASE + guest-physical address; only in that VM's root */
#define STACK_SLOT  506 /* per-core stacks between guard pages */
#define MODULE_SLOT 507 /* guests' files from the loader, read-only */
#define DEVICE_SLOT 508 /* MMIO and framebuffer */
#define POOL_SLOT   509 /* POOL_BASE + physical address, for the hypervisor's own frames only */
#define TEMP_SLOT   510 /* per-core temporary mappings */
#define IMAGE_SLOT  511 /* the image, at -2 GiB */

#define WINDOW_BASE SLOT_BASE(WINDOW_SLOT)
#define STACK_BASE  SLOT_BASE(STACK_SLOT)
#define MODULE_BASE SLOT_BASE(MODULE_SLOT)
#define DEVICE_BASE SLOT_BASE(DEVICE_SLOT)
#define POOL_BASE   SLOT_BASE(POOL_SLOT)
#define TEMP_BASE   SLOT_BASE(TEMP_SLOT)
#define IMAGE_BASE  0xffffffff80000000ull

/* Guest-physical and host-physical addresses are below this: one slot. */
#define WINDOW_SIZE SLOT_SIZE
#define POOL_LIMIT  SLOT_SIZE

#define MAX_CORES 64

#endif
