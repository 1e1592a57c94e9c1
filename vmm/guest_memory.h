/*
 * Guest RAM and the only way to touch it: checked copies that read each byte once. A slot is a run of guest-physical
 * addresses backed by frames of the VM. The copies assert that the VM's root is the one in use (another VM: with_vm()).
 */
#ifndef VMM_GUEST_MEMORY_H
#define VMM_GUEST_MEMORY_H

#include "core/frame.h"
#include "core/layout.h"
#include "core/lock.h"
#include "lib/types.h"

struct vm;
struct window_word; /* arch/x86_64/mmu/window.h */

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

/*
 * Of a VM whose RAM is backed on demand (guest_memory_demand.c). (l): its lock, under which the VM's pages appear one
 * by one.
 */
struct guest_demand {
	bool on; /* set when the VM is made */
	struct spinlock lock;
	struct frame_run stock; /* (l) frames of the VM that nothing is mapped to yet */
	u64 untaken;		/* (l) bytes of RAM for which it has no frames yet */
	u64 backed;		/* (l) bytes; anyone may look */
	u64 region;		/* (a) where a page was backed last: GUEST_REGION(), when all of it is RAM */
};
/* The 2 MiB around an address, as a name that is not 0. */
#define GUEST_REGION(gpa) (ALIGN_DOWN(gpa, 2 * MIB) | 1)

/*
 * What the copies check: OK, ERR_RANGE, or ERR_DENIED for a write to a read-only slot. Slots that touch count as one.
 * Pure.
 */
int guest_memory_check(const struct guest_memory *memory, gpa_t gpa, u64 size, bool write);
/* Whether [gpa, gpa+size) lies within RAM (and may be written). Pure. */
bool guest_memory_contains(const struct guest_memory *memory, gpa_t gpa, u64 size, bool write);
/*
 * Enter a slot in its place. ERR_INVALID: not page aligned, empty, above the limit; ERR_EXISTS: overlaps; ERR_MEMORY:
 * no slot left. Pure.
 */
int guest_memory_insert(struct guest_memory *memory, gpa_t gpa, u64 size, bool writable);

/*
 * 0, or ERR_RANGE when any byte lies outside RAM (nothing is copied then), ERR_DENIED for a write to a read-only slot.
 * RAM on demand that was not touched yet is backed; ERR_MEMORY when that cannot be done, and the VM is ending.
 */
int guest_read(struct vm *vm, gpa_t gpa, void *to, u64 size);
int guest_write(struct vm *vm, gpa_t gpa, const void *from, u64 size);
/* As window_compare_exchange() (arch/x86_64/mmu/window.h), and the errors of guest_write(). */
int guest_compare_exchange(struct vm *vm, gpa_t gpa, u32 size, u64 *expected, u64 desired);
/*
 * Whether words that guest_read() has given are still what they were: what was concluded from them holds then. Once
 * RAM, always RAM, so the slots need not be asked again. At least one; they are read in their order, once each.
 */
bool guest_unchanged(struct vm *vm, const struct window_word *word, u32 count);
/*
 * Add RAM at gpa: frames owned by the VM (zeroed), mapped by the engine and in the root's window; on demand none yet.
 * Errors of guest_memory_insert(), ERR_MEMORY when the machine has not that much left (nothing is added then), and
 * those of the engine's map().
 */
int guest_memory_add(struct vm *vm, gpa_t gpa, u64 size);
/* Take all RAM away and free its frames. No core holds the VM's root or runs a vCPU of it. */
void guest_memory_free(struct vm *vm);
/*
 * RAM on demand: see that the page at gpa, which is RAM, is backed. Any core; of several that come for one page one
 * takes a frame, and the others find it. ERR_MEMORY: no frame or no table is left; the VM is ending, and its end says
 * so.
 */
int guest_memory_touch(struct vm *vm, gpa_t gpa);
/*
 * Whether gpa is RAM. RAM is never taken away while the VM runs, so where a page was backed last needs no second look.
 */
static inline bool guest_memory_is_ram(const struct guest_memory *memory, const struct guest_demand *demand, gpa_t gpa)
{
	return LIKELY(__atomic_load_n(&demand->region, __ATOMIC_RELAXED) == GUEST_REGION(gpa)) ||
	       guest_memory_contains(memory, gpa, 1, false);
}
/* The same for a range of RAM, for the copies. ERR_RANGE: this VM's RAM is not on demand. */
int guest_memory_back(struct vm *vm, gpa_t gpa, u64 size);
/*
 * So much of the VM's RAM is to be backed on demand; and none any more, what it has in stock is given back. For
 * guest_memory.c.
 */
void guest_memory_owe(struct vm *vm, u64 size);
void guest_memory_forgive(struct vm *vm);
/* Say so when all that VMs may still touch has become more than what is free. */
void guest_memory_tell_overcommit(void);
/* Run work with another VM's root loaded on this core, then come back. Returns what work returned. */
int with_vm(struct vm *vm, int (*work)(struct vm *vm, void *context), void *context);

#endif
