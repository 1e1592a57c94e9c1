/*
 * RAM that is backed on demand: a page gets its frame when the guest, or the hypervisor for it, first touches it. What
 * is mapped in the VM's window is backed; there is no other record. A page that is there never comes here.
 */
#include "arch/x86_64/mmu/root.h"
#include "core/frame.h"
#include "core/log.h"
#include "core/pool.h"
#include "vmm/vm.h"

/* Frames are taken from all VMs' by so many bytes at a time: the lock over all of them is taken once for 64 pages. */
#define STOCK (64 * PAGE_SIZE)
#define LARGE (2 * MIB) /* what one table of pages is for */
/*
 * Of the pool, what tables for such RAM leave to others: a guest that touches a page here and there takes two of the
 * pool's for each.
 */
#define POOL_KEPT 4 /* a fourth */

static u64 owed;     /* (a) bytes of RAM on demand, of all VMs, for which no frames are taken yet */
static bool is_told; /* (a) that this is more than there is */

void guest_memory_owe(struct vm *vm, u64 size)
{
	vm->demand.untaken += size;
	__atomic_fetch_add(&owed, size, __ATOMIC_RELAXED);
}

void guest_memory_forgive(struct vm *vm)
{
	struct guest_demand *demand = &vm->demand;

	if (demand->stock.size)
		frame_free(demand->stock.pa, demand->stock.size, FRAME_VM(vm->id));
	__atomic_fetch_sub(&owed, demand->untaken, __ATOMIC_RELAXED);
	*demand = (struct guest_demand){.on = demand->on};
}

void guest_memory_tell_overcommit(void)
{
	u64 more = __atomic_load_n(&owed, __ATOMIC_RELAXED), free = frame_bytes_free();
	bool over = more > free;

	if (!__atomic_exchange_n(&is_told, over, __ATOMIC_RELAXED) && over)
		log_line("memory: VMs with memory_backing = demand may touch %llu MiB more, "
			 "the machine has %llu MiB free: one that finds none left ends",
			 (unsigned long long)(more / MIB), (unsigned long long)(free / MIB));
}

static bool is_backed(const struct vm *vm, gpa_t gpa)
{
	struct pt_leaf leaf;

	return pt_lookup(&vm->root.pt, WINDOW_BASE + gpa, &leaf);
}

static bool restock(struct vm *vm)
{
	struct guest_demand *demand = &vm->demand;
	u64 want = MIN(demand->untaken, STOCK), got = 0;

	if (want)
		demand->stock.pa = frame_take(want, &got, FRAME_VM(vm->id));
	demand->stock.size = got;
	demand->untaken -= got;
	__atomic_fetch_sub(&owed, got, __ATOMIC_RELAXED);
	return got;
}

static bool pool_has_room(void)
{
	paddr_t start;
	u64 size;

	pool_range(&start, &size);
	return pool_bytes_used() < size - size / POOL_KEPT;
}

/*
 * A frame for the page at gpa, zeroed before anyone can see it; the guest's own view comes last. ERR_EXISTS: it has
 * one, another core was quicker. ERR_MISSING: no frame is left. ERR_MEMORY: no tables. Lock held.
 */
static inline int back(struct vm *vm, gpa_t gpa)
{
	struct guest_demand *demand = &vm->demand;
	paddr_t pa;
	int error;

	if (UNLIKELY(!demand->stock.size) && !restock(vm))
		return is_backed(vm, gpa) ? ERR_EXISTS : ERR_MISSING;
	pa = demand->stock.pa;
	zero_frame(pa);
	error = root_map_window_page(&vm->root, gpa, pa);
	if (UNLIKELY(error))
		return error;
	demand->stock.pa = pa + PAGE_SIZE;
	demand->stock.size -= PAGE_SIZE;
	demand->backed += PAGE_SIZE;
	return vm->engine->map_page(vm, gpa, pa);
}

/* A hole of one page is one in a table that is there. */
static bool has_table(const struct vm *vm, gpa_t gpa)
{
	struct pt_leaf leaf;

	return pt_lookup(&vm->root.pt, WINDOW_BASE + gpa, &leaf) || leaf.size == PAGE_SIZE;
}

/*
 * The first page of 2 MiB needs tables: whether there may be any. Later ones are recognized by `region`, which also
 * says that all of it is RAM; so it is kept only for such.
 */
static bool __attribute__((noinline)) enter_region(struct vm *vm, gpa_t gpa)
{
	gpa_t start = ALIGN_DOWN(gpa, LARGE);

	if (!pool_has_room() && !has_table(vm, gpa))
		return false;
	if (guest_memory_contains(&vm->memory, start, LARGE, false))
		__atomic_store_n(&vm->demand.region, GUEST_REGION(gpa), __ATOMIC_RELAXED);
	return true;
}

static inline int back_locked(struct vm *vm, gpa_t gpa)
{
	struct guest_demand *demand = &vm->demand;
	int error = ERR_MEMORY;

	lock_acquire(&demand->lock);
	if (LIKELY(demand->region == GUEST_REGION(gpa)) || enter_region(vm, gpa))
		error = back(vm, gpa);
	lock_release(&demand->lock);
	return error;
}

static int __attribute__((noinline)) fail(struct vm *vm, int error, gpa_t gpa)
{
	const char *what;

	if (error == ERR_EXISTS)
		return OK;
	what = error == ERR_MISSING ? "the machine has no memory" : "the hypervisor's pool has no room for tables";

	vm_end(vm, VM_END_ERROR, gpa,
	       "%s left for gpa 0x%llx: %llu of %llu MiB are backed; run fewer VMs or give them less memory", what,
	       (unsigned long long)gpa, (unsigned long long)(vm->demand.backed / MIB),
	       (unsigned long long)(vm->memory.total / MIB));
	return ERR_MEMORY;
}

int guest_memory_touch(struct vm *vm, gpa_t gpa)
{
	int error = back_locked(vm, ALIGN_DOWN(gpa, PAGE_SIZE));

	return LIKELY(!error) ? OK : fail(vm, error, gpa);
}

int guest_memory_back(struct vm *vm, gpa_t gpa, u64 size)
{
	gpa_t end = gpa + size;
	int error = OK;

	if (!vm->demand.on)
		return ERR_RANGE;
	for (gpa = ALIGN_DOWN(gpa, PAGE_SIZE); gpa < end && !error; gpa += PAGE_SIZE)
		if (!is_backed(vm, gpa))
			error = guest_memory_touch(vm, gpa);
	return error;
}
