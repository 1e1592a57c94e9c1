/*
 * Guest-physical memory: one EPT hierarchy a VM, made by the page-table engine (SDM vol. 3 "The Extended Page Table
 * Mechanism (EPT)").
 */
#include "arch/x86_64/vmx/vmx.h"
#include "core/panic.h"
#include "core/pool.h"

/* EPTP: memory type of the tables, walk length minus one. Accessed and dirty flags stay off: nobody reads them. */
#define EPTP_WRITE_BACK ((u64)CACHE_WB)
#define EPTP_LEVELS(n)	((u64)((n) - 1) << 3)


int vmx_vm_create(struct vm *vm)
{
	struct vmx_vm *x;
	int error;

	vmx_decide();
	x = pool_new(sizeof(*x));
	if (!x)
		return ERR_MEMORY;
	error = pt_init(&x->ept, &pt_format_ept, &pt_pool_allocator, vmx_setup.ept_largest);
	if (error) {
		pool_delete(x, sizeof(*x));
		return error;
	}
	x->ept_pointer = pool_pa(x->ept.root) | EPTP_WRITE_BACK | EPTP_LEVELS(pt_format_ept.levels);
	vm->engine_state = x;
	return OK;
}

static void free_tables(void *context)
{
	struct vmx_vm *x = context;

	pt_destroy(&x->ept, 0, 0);
}

/*
 * Translations carry the EPT pointer as their tag, so a page used as a root again would bring the old ones back to
 * life.
 */
void vmx_vm_destroy(struct vm *vm)
{
	struct vmx_vm *x = vmx_vm_of(vm);
	const struct flush_target target = {.ept_pointer = x ? x->ept_pointer : 0, .free_frames = free_tables,
					    .context = x};

	if (!x)
		return;
	vmx_flush(INVAL_ROOT_REUSED, &target);
	if (x->apic_access)
		pool_free(x->apic_access, 1);
	pool_delete(x, sizeof(*x));
	vm->engine_state = NULL;
}

static u32 pt_rights(u32 rights)
{
	return (rights & GUEST_READ ? (u32)PT_READ : 0) | (rights & GUEST_WRITE ? (u32)PT_WRITE : 0) |
	       (rights & GUEST_EXEC ? (u32)PT_EXEC : 0);
}

static void reap(void *context)
{
	pt_reap(context);
}

/*
 * The lock is let go before other cores are waited for: one of them may be waiting for the lock, with interrupts off.
 * What was detached under the lock is taken along, so that nobody else frees it before this flush is done.
 */
static void flush_and_reap(struct vmx_vm *x, enum inval_event event, void *detached)
{
	struct pt taken = x->ept;
	const struct flush_target target = {.ept_pointer = x->ept_pointer, .free_frames = reap, .context = &taken};

	taken.detached = detached;
	vmx_flush(event, &target);
	ASSERT(!taken.detached); /* the list of a removal ends with freeing */
}

static void *take_detached(struct vmx_vm *x)
{
	void *detached = x->ept.detached;

	x->ept.detached = NULL;
	return detached;
}

int vmx_map(struct vm *vm, gpa_t gpa, paddr_t pa, u64 size, u32 rights, enum memory_cache cache)
{
	struct vmx_vm *x = vmx_vm_of(vm);
	const struct flush_target target = {.ept_pointer = x->ept_pointer};
	struct pt_change change = {0};
	int error;

	lock_acquire(&x->lock);
	error = pt_map(&x->ept, gpa, pa, size, pt_rights(rights), cache, &change);
	lock_release(&x->lock);
	if (change.any_added)
		vmx_flush(INVAL_GUEST_MAPPED, &target);
	return error;
}

/*
 * Of what was not present nothing is remembered: INVAL_GUEST_MAPPED asks for no step, which tests/unit/test_inval.c
 * holds it to.
 */
int vmx_map_page(struct vm *vm, gpa_t gpa, paddr_t pa)
{
	struct vmx_vm *x = vmx_vm_of(vm);
	int error;

	lock_acquire(&x->lock);
	error = pt_map_page(&x->ept, gpa, pa, PT_READ | PT_WRITE | PT_EXEC, CACHE_WB);
	lock_release(&x->lock);
	return error;
}

int vmx_unmap(struct vm *vm, gpa_t gpa, u64 size)
{
	struct vmx_vm *x = vmx_vm_of(vm);
	struct pt_change change = {0};
	void *detached;
	int error;

	lock_acquire(&x->lock);
	error = pt_unmap(&x->ept, gpa, size, &change);
	detached = take_detached(x);
	lock_release(&x->lock);
	if (change.any_removed || detached)
		flush_and_reap(x, INVAL_GUEST_UNMAPPED, detached);
	return error;
}

/* Rights may be taken away and added by one call: the stronger flush is right for both. */
int vmx_protect(struct vm *vm, gpa_t gpa, u64 size, u32 rights)
{
	struct vmx_vm *x = vmx_vm_of(vm);
	struct pt_change change = {0};
	void *detached;
	int error;

	lock_acquire(&x->lock);
	error = pt_protect(&x->ept, gpa, size, pt_rights(rights), &change);
	detached = take_detached(x);
	lock_release(&x->lock);
	if (detached)
		flush_and_reap(x, INVAL_GUEST_UNMAPPED, detached);
	else if (change.any_removed || change.any_added)
		flush_and_reap(x, INVAL_GUEST_PROTECTED, NULL);
	return error;
}

/* The hardware keeps no copy of guest memory. */
void vmx_memory_written(UNUSED struct vm *vm, UNUSED gpa_t gpa, UNUSED u64 size)
{
}
