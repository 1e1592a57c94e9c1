/* Guest RAM: copies through the window of the current root, and where the frames come from. */
#include "vmm/guest_memory.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/mmu/window.h"
#include "core/frame.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "vmm/vm.h"

/* On another root the window would show another VM's memory: that is our bug, never the guest's. */
static void assert_current(const struct vm *vm)
{
	ASSERT(this_core()->root == vm->root.cr3);
}

/*
 * A copy that fails where RAM is has met a page on demand. It begins again: the guest cannot tell that from one that
 * came later.
 */
int guest_read(struct vm *vm, gpa_t gpa, void *to, u64 size)
{
	int error = guest_memory_check(&vm->memory, gpa, size, false);

	assert_current(vm);
	if (error)
		return error;
	error = window_read(to, gpa, size);
	if (UNLIKELY(error) && (error = guest_memory_back(vm, gpa, size)) == OK)
		error = window_read(to, gpa, size);
	return error;
}

bool guest_unchanged(struct vm *vm, const struct window_word *word, u32 count)
{
	assert_current(vm);
	return window_unchanged(word, count);
}

int guest_write(struct vm *vm, gpa_t gpa, const void *from, u64 size)
{
	int error = guest_memory_check(&vm->memory, gpa, size, true);

	assert_current(vm);
	if (error)
		return error;
	error = window_write(gpa, from, size);
	if (UNLIKELY(error) && (error = guest_memory_back(vm, gpa, size)) == OK)
		error = window_write(gpa, from, size);
	if (!error)
		vm->engine->memory_written(vm, gpa, size);
	return error;
}

int guest_compare_exchange(struct vm *vm, gpa_t gpa, u32 size, u64 *expected, u64 desired)
{
	int error = guest_memory_check(&vm->memory, gpa, size, true);

	assert_current(vm);
	if (error)
		return error;
	error = window_compare_exchange(gpa, size, expected, desired);
	if (UNLIKELY(error == ERR_RANGE) && (error = guest_memory_back(vm, gpa, size)) == OK)
		error = window_compare_exchange(gpa, size, expected, desired);
	if (!error)
		vm->engine->memory_written(vm, gpa, size);
	return error;
}

/*
 * How far a run of small pages goes: to where a larger one can begin, if one fits behind it. RAM above the VGA window
 * begins unaligned, and all of it would be small pages otherwise.
 */
static u64 up_to_larger(gpa_t gpa, u64 size, u64 larger)
{
	u64 left = ALIGN_UP(gpa, larger) - gpa;

	return left && left < size && size - left >= larger ? left : size;
}

/*
 * A run of frames for guest-physical `gpa`, at most `size` bytes: as large, and aligned for as large pages, as there
 * is.
 */
static paddr_t alloc_run(struct vm *vm, gpa_t gpa, u64 size, u64 *got)
{
	static const u64 page_sizes[] = {GIB, 2 * MIB, PAGE_SIZE};

	for (u32 i = 0; i < ARRAY_SIZE(page_sizes); i++) {
		u64 page = page_sizes[i], most = i ? up_to_larger(gpa, size, page_sizes[i - 1]) : size;

		if (gpa & (page - 1))
			continue;
		for (u64 run = ALIGN_DOWN(most, page); run; run = ALIGN_DOWN(run / 2, page)) {
			paddr_t pa = frame_alloc(run, page, FRAME_VM(vm->id));

			if (pa) {
				*got = run;
				return pa;
			}
		}
	}
	return 0;
}

/* Zeroed before anyone can see it; the guest's own view last. */
static int map_run(struct vm *vm, gpa_t gpa, paddr_t pa, u64 size)
{
	u64 start = rdtsc();
	int error;

	zero_frames(pa, size);
	vm->zero_ticks += rdtsc() - start;
	error = root_map_window(&vm->root, gpa, pa, size);
	if (error)
		return error;
	error = vm->engine->map(vm, gpa, pa, size, GUEST_READ | GUEST_WRITE | GUEST_EXEC, CACHE_WB);
	if (error)
		root_unmap_window(&vm->root, gpa, size);
	return error;
}

/* As many leaves as one flush of the window is for: each flush waits for every other core. */
#define RELEASE_BATCH 64u

/* Up to RELEASE_BATCH leaves of the window from gpa on are gone, and their frames free. Returns where it stopped. */
static gpa_t release_batch(struct vm *vm, gpa_t gpa, gpa_t end)
{
	struct pt_leaf leaf[RELEASE_BATCH];
	gpa_t next = gpa;
	u32 count = 0;

	while (next < end && count < RELEASE_BATCH) {
		bool there = pt_lookup(&vm->root.pt, WINDOW_BASE + next, &leaf[count]);
		gpa_t after = ALIGN_DOWN(next, leaf[count].size) + leaf[count].size;

		/* What nobody touched is a hole; a leaf is all of this VM's RAM. */
		ASSERT(there ? !(next & (leaf[count].size - 1)) && after <= end : vm->demand.on);
		next = MIN(after, end);
		count += there;
	}
	ASSERT(root_unmap_window(&vm->root, gpa, next - gpa) == OK);
	for (u32 i = 0; i < count; i++)
		frame_free(leaf[i].pa, leaf[i].size, FRAME_VM(vm->id));
	return next;
}

/* The frames behind a range are found by the window's own leaves, so that no second record can disagree with them. */
static void release_range(struct vm *vm, gpa_t gpa, u64 size)
{
	gpa_t end = gpa + size;

	if (size)
		ASSERT(vm->engine->unmap(vm, gpa, size) == OK);
	while (gpa < end)
		gpa = release_batch(vm, gpa, end);
}

static int add_backed(struct vm *vm, gpa_t gpa, u64 size)
{
	u64 done = 0, run = 0;

	for (; done < size; done += run) {
		paddr_t pa = alloc_run(vm, gpa + done, size - done, &run);
		int error = pa ? map_run(vm, gpa + done, pa, run) : ERR_MEMORY;

		if (error) {
			if (pa)
				frame_free(pa, run, FRAME_VM(vm->id));
			release_range(vm, gpa, done);
			return error;
		}
	}
	return OK;
}

int guest_memory_add(struct vm *vm, gpa_t gpa, u64 size)
{
	struct guest_memory after = vm->memory;
	int error = guest_memory_insert(&after, gpa, size, true);

	if (!error && !vm->demand.on)
		error = add_backed(vm, gpa, size);
	if (error)
		return error;
	if (vm->demand.on)
		guest_memory_owe(vm, size);
	vm->memory = after;
	return OK;
}

void guest_memory_free(struct vm *vm)
{
	while (vm->memory.count) {
		const struct guest_slot *slot = &vm->memory.slot[--vm->memory.count];

		release_range(vm, slot->gpa, slot->size);
	}
	vm->memory.total = 0;
	guest_memory_forgive(vm);
}

int with_vm(struct vm *vm, int (*work)(struct vm *vm, void *context), void *context)
{
	/* Only the CR3 value of the root in use is known here, and only that is needed to come back. */
	struct root before = {.cr3 = this_core()->root};
	int result;

	if (before.cr3 == vm->root.cr3)
		return work(vm, context);
	root_load(&vm->root);
	result = work(vm, context);
	root_load(&before);
	return result;
}
