/* Nested page tables and the invalidations a change of them needs (APM vol. 2 "Nested Paging", "TLB Management"). */
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/mmu/inval.h"
#include "arch/x86_64/mmu/root.h"
#include "arch/x86_64/svm/maps.h"
#include "arch/x86_64/svm/svm.h"
#include "core/panic.h"
#include "core/pool.h"
#include "lib/string.h"

static struct svm_vm *vm_of(struct vm *vm)
{
	return vm->engine_state;
}

int svm_vm_create(struct vm *vm)
{
	struct svm_vm *svm = pool_new(sizeof(*svm));

	if (!svm)
		return ERR_MEMORY;
	svm->io_map = pool_alloc(IO_MAP_SIZE / PAGE_SIZE);
	if (!svm->io_map) {
		pool_delete(svm, sizeof(*svm));
		return ERR_MEMORY;
	}
	memset(svm->io_map, 0xff, IO_MAP_SIZE);
	if (pt_init(&svm->tables, &pt_format_npt, &pt_pool_allocator, cpu_has(FEATURE_1GIB_PAGES) ? 3 : 2) != OK) {
		pool_free(svm->io_map, IO_MAP_SIZE / PAGE_SIZE);
		pool_delete(svm, sizeof(*svm));
		return ERR_MEMORY;
	}
	vm->engine_state = svm;
	return OK;
}

void svm_vm_destroy(struct vm *vm)
{
	struct svm_vm *svm = vm_of(vm);

	/*
	 * No core runs it, and its vCPUs' ASIDs are never used again in their generation: nothing to flush
	 * (INVAL_ROOT_REUSED).
	 */
	pt_destroy(&svm->tables, 0, 0);
	pool_free(svm->io_map, IO_MAP_SIZE / PAGE_SIZE);
	pool_delete(svm, sizeof(*svm));
	vm->engine_state = NULL;
}

/* The VM's vCPUs forget their translations at their next VMRUN, wherever that is: asid_assign() decides how. */
static void forget(void *context)
{
	const struct vm *vm = context;

	for (u32 i = 0; i < vm->vcpu_count; i++) {
		if (!vm->vcpu[i] || !vm->vcpu[i]->engine_state)
			continue; /* the VM is being made or unmade: it has not run or never will again */
		__atomic_store_n(&svm_of(vm->vcpu[i])->renew, true, __ATOMIC_RELEASE);
	}
}

/*
 * Do what inval_steps() lists for a change of this VM's nested tables. Each core leaves guest mode to answer the kick,
 * and does the step behind it before it can enter again: a step done by us alone, after the kick, would come too late
 * for a core that was quick.
 */
static void invalidate(struct vm *vm, enum inval_event event)
{
	const struct inval_machine machine = {
		.engine = INVAL_SVM, .has_tag = true, .has_single = svm_features.flush_by_asid};
	struct svm_vm *svm = vm_of(vm);
	bool kicked = false;

	for (const enum inval_step *step = inval_steps(event, &machine); *step != INVAL_END; step++) {
		switch (*step) {
		case INVAL_KICK_HOLDERS:
			smp_call_all(forget, vm);
			kicked = true;
			break;
		case INVAL_ASID_NEW:
		case INVAL_ASID_FLUSH:
			if (!kicked)
				forget(vm);
			break;
		case INVAL_FREE_FRAMES:
			pt_reap(&svm->tables);
			break;
		default:
			panic("AMD-V was given the invalidation step \"%s\"", inval_step_name(*step));
		}
	}
}

int svm_map(struct vm *vm, gpa_t gpa, paddr_t pa, u64 size, u32 rights, enum memory_cache cache)
{
	struct pt_change change = {0};
	int error = pt_map(&vm_of(vm)->tables, gpa, pa, size, rights | PT_USER, cache, &change);

	if (error == OK)
		invalidate(vm, INVAL_GUEST_MAPPED);
	return error;
}

/*
 * As in svm_map(), but that INVAL_GUEST_MAPPED asks for no step is known here: tests/unit/test_inval.c holds it to
 * that.
 */
int svm_map_page(struct vm *vm, gpa_t gpa, paddr_t pa)
{
	return pt_map_page(&vm_of(vm)->tables, gpa, pa, PT_READ | PT_WRITE | PT_EXEC | PT_USER, CACHE_WB);
}

int svm_unmap(struct vm *vm, gpa_t gpa, u64 size)
{
	struct pt_change change = {0};
	int error = pt_unmap(&vm_of(vm)->tables, gpa, size, &change);

	if (change.any_removed)
		invalidate(vm, INVAL_GUEST_UNMAPPED);
	return error;
}

int svm_protect(struct vm *vm, gpa_t gpa, u64 size, u32 rights)
{
	struct pt_change change = {0};
	int error = pt_protect(&vm_of(vm)->tables, gpa, size, rights | PT_USER, &change);

	invalidate(vm, change.any_removed ? INVAL_GUEST_PROTECTED : INVAL_GUEST_RELAXED);
	return error;
}

void svm_memory_written(struct vm *vm UNUSED, gpa_t gpa UNUSED, u64 size UNUSED)
{
	/* The processor runs the guest's code from memory itself: nothing is kept of it. */
}
