/*
 * Guest RAM and the only way to touch it: checked copies that read each byte once. A slot is a run of guest-physical
 * addresses backed by frames of the VM. The copies assert that the VM's root is the one in use (another VM: with_vm()).
 */
#ifndef VMM_GUEST_MEMORY_H
#define VMM_GUEST_MEMORY_H

#include "lib/types.h"

struct vm;

#define GUEST_MEMORY_SLOTS 16

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

/* 0, or ERR_RANGE when any byte lies outside RAM (nothing is copied then), ERR_DENIED for a write to a read-only slot. */
int guest_read(struct vm *vm, gpa_t gpa, void *to, u64 size);
int guest_write(struct vm *vm, gpa_t gpa, const void *from, u64 size);
int guest_fill(struct vm *vm, gpa_t gpa, u8 byte, u64 size);
/* Whether [gpa, gpa+size) lies within RAM; slots that touch count as one. Pure. */
bool guest_memory_contains(const struct guest_memory *memory, gpa_t gpa, u64 size, bool write);
/* Add RAM at gpa: frames owned by the VM (zeroed), mapped by the engine and in the root's window. */
int guest_memory_add(struct vm *vm, gpa_t gpa, u64 size);
/* Run work with another VM's root loaded on this core, then come back. */
int with_vm(struct vm *vm, int (*work)(struct vm *vm, void *context), void *context);

#endif
