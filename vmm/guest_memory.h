/*
 * Guest RAM and the only way to touch it: checked copies that read each byte once. A slot is a run of guest-physical
 * addresses backed by frames of the VM. The copies assert that the VM's root is the one in use (another VM: with_vm()).
 */
#ifndef VMM_GUEST_MEMORY_H
#define VMM_GUEST_MEMORY_H

#include "core/layout.h"
#include "lib/types.h"

struct vm;

#define GUEST_MEMORY_SLOTS 16
/* No guest-physical address of RAM is above the window. */
#define GUEST_MEMORY_LIMIT WINDOW_SIZE

struct guest_slot {
	gpa_t gpa;
	u64 size; /* bytes, page aligned */
	bool writable;
};

/* Slots sorted by address, not overlapping. */
struct guest_memory {
	u32 count;
	struct guest_slot slot[GUEST_MEMORY_SLOTS];
	u64 total;
};

/* What the copies check: OK, ERR_RANGE, or ERR_DENIED for a write to a read-only slot. Slots that touch count as one. Pure. */
int guest_memory_check(const struct guest_memory *memory, gpa_t gpa, u64 size, bool write);
/* Whether [gpa, gpa+size) lies within RAM (and may be written). Pure. */
bool guest_memory_contains(const struct guest_memory *memory, gpa_t gpa, u64 size, bool write);
/* Enter a slot in its place. ERR_INVALID: not page aligned, empty, above the limit; ERR_EXISTS: overlaps; ERR_MEMORY: no slot left. Pure. */
int guest_memory_insert(struct guest_memory *memory, gpa_t gpa, u64 size, bool writable);

/* 0, or ERR_RANGE when any byte lies outside RAM (nothing is copied then), ERR_DENIED for a write to a read-only slot. */
int guest_read(struct vm *vm, gpa_t gpa, void *to, u64 size);
int guest_write(struct vm *vm, gpa_t gpa, const void *from, u64 size);
/*
 * Add RAM at gpa: frames owned by the VM (zeroed), mapped by the engine and in the root's window. Errors of guest_memory_insert(),
 * ERR_MEMORY when the machine has not that much left (nothing is added then), and those of the engine's map().
 */
int guest_memory_add(struct vm *vm, gpa_t gpa, u64 size);
/* Take all RAM away and free its frames. No core holds the VM's root or runs a vCPU of it. */
void guest_memory_free(struct vm *vm);
/* Run work with another VM's root loaded on this core, then come back. Returns what work returned. */
int with_vm(struct vm *vm, int (*work)(struct vm *vm, void *context), void *context);

#endif
