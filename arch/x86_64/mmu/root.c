/* Roots: the base root's contents, a VM's root, and which root a core holds. */
#include "arch/x86_64/mmu/root.h"

#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/mmu/temp.h"
#include "core/layout.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/pool.h"
#include "lib/string.h"

#define ROOT_SLOTS	 512u
#define FIRST_UPPER_SLOT STACK_SLOT
#define UPPER_SLOTS	 (ROOT_SLOTS - FIRST_UPPER_SLOT)

#define RIGHTS_CODE   (PT_READ | PT_EXEC | PT_GLOBAL)
#define RIGHTS_RODATA (PT_READ | PT_GLOBAL)
#define RIGHTS_DATA   (PT_READ | PT_WRITE | PT_GLOBAL)
#define RIGHTS_WINDOW (PT_READ | PT_WRITE | PT_USER)

/* linker.ld */
extern const u8 image_start[], image_end[], text_start[], text_end[], rodata_start[], rodata_end[], data_start[],
	data_end[];

struct root base_root;

struct section {
	const u8 *start, *end;
	u32 rights;
};

static int map_image(struct pt *pt, const struct boot_info *info)
{
	const struct section sections[] = {
		{text_start, text_end, RIGHTS_CODE},
		{rodata_start, rodata_end, RIGHTS_RODATA},
		{data_start, data_end, RIGHTS_DATA},
	};
	int error = OK;

	if (info->image_pa % PAGE_SIZE != 0 || info->image_size < (u64)(image_end - image_start))
		return ERR_INVALID;
	for (u32 i = 0; i < ARRAY_SIZE(sections) && !error; i++) {
		u64 offset = (u64)(sections[i].start - image_start);
		u64 size = (u64)(sections[i].end - sections[i].start);

		if (size > 0)
			error = pt_map(pt, (u64)sections[i].start, info->image_pa + offset, size, sections[i].rights,
				       CACHE_WB, NULL);
	}
	return error;
}

static int map_pool(struct pt *pt)
{
	paddr_t start;
	u64 size;

	pool_range(&start, &size);
	return pt_map(pt, POOL_BASE + start, start, size, RIGHTS_DATA, CACHE_WB, NULL);
}

int root_build_base(const struct boot_info *info)
{
	struct pt *pt = &base_root.pt;
	int error = pt_init(pt, &pt_format_host, &pt_pool_allocator, cpu_has(FEATURE_1GIB_PAGES) ? 3 : 2);

	/* A table under every upper slot: VM roots copy the slots, so what is mapped later shows in them all. */
	for (u32 slot = FIRST_UPPER_SLOT; slot < ROOT_SLOTS && !error; slot++)
		error = pt_entry(pt, SLOT_BASE(slot), pt->format->levels - 1) ? OK : ERR_MEMORY;
	if (!error)
		error = map_image(pt, info);
	if (!error)
		error = map_pool(pt);
	if (!error)
		error = temp_init(pt);
	if (!error)
		base_root.cr3 = pool_pa(pt->root);
	return error;
}

void root_load(struct root *root)
{
	u64 *held = &this_core()->root;

	/*
	 * Between the two stores the core may still use the old root or already the new one; 0 stands for both. MOV to
	 * CR3 serializes, so whoever clears an entry after it read another root here is not read by this core
	 * afterwards.
	 */
	__atomic_store_n(held, 0, __ATOMIC_SEQ_CST);
	write_cr3(root->cr3);
	__atomic_store_n(held, root->cr3, __ATOMIC_SEQ_CST);
}

static bool any_core_holds(const struct root *root)
{
	/* Entries cleared before are seen by whoever loads the root after this. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (u32 i = 0; i < MAX_CORES; i++) {
		u64 held = __atomic_load_n(&percpu_table[i].root, __ATOMIC_SEQ_CST);
		bool online = __atomic_load_n(&percpu_table[i].online, __ATOMIC_SEQ_CST);

		if (held == root->cr3 || (online && held == 0))
			return true;
	}
	return false;
}

int root_create(struct root *root)
{
	int error = pt_init(&root->pt, &pt_format_host, &pt_pool_allocator, base_root.pt.largest);

	if (error)
		return error;
	memcpy((u64 *)root->pt.root + FIRST_UPPER_SLOT, (u64 *)base_root.pt.root + FIRST_UPPER_SLOT,
	       UPPER_SLOTS * sizeof(u64));
	root->cr3 = pool_pa(root->pt.root);
	return OK;
}

void root_destroy(struct root *root)
{
	for (u32 i = 0; i < MAX_CORES; i++) {
		if (__atomic_load_n(&percpu_table[i].root, __ATOMIC_SEQ_CST) == root->cr3)
			panic("root 0x%llx is freed while core %u holds it", (unsigned long long)root->cr3, i);
	}
	pt_destroy(&root->pt, FIRST_UPPER_SLOT, UPPER_SLOTS);
	root->cr3 = 0;
}

static bool in_window(gpa_t gpa, u64 size)
{
	return gpa < WINDOW_SIZE && size <= WINDOW_SIZE - gpa;
}

int root_map_window(struct root *root, gpa_t gpa, paddr_t pa, u64 size)
{
	if (!in_window(gpa, size))
		return ERR_RANGE;
	/*
	 * Only where nothing was: no core remembers that something is absent (SDM "Caching Translations in the TLBs").
	 */
	return pt_map(&root->pt, WINDOW_BASE + gpa, pa, size, RIGHTS_WINDOW, CACHE_WB, NULL);
}

int root_map_window_page(struct root *root, gpa_t gpa, paddr_t pa)
{
	return pt_map_page(&root->pt, WINDOW_BASE + gpa, pa, RIGHTS_WINDOW, CACHE_WB);
}

/* Window entries are not global and there is no PCID: CR3 loaded again drops them. */
static void flush_if_held(void *context)
{
	const struct root *root = context;

	if (this_core()->root == root->cr3)
		write_cr3(root->cr3);
}

/* INVAL_HOST_UNMAPPED. */
int root_unmap_window(struct root *root, gpa_t gpa, u64 size)
{
	struct pt_change change;
	int error;

	if (!in_window(gpa, size))
		return ERR_RANGE;
	error = pt_unmap(&root->pt, WINDOW_BASE + gpa, size, &change);
	if (error)
		return error;
	if ((change.any_removed || change.tables_freed) && any_core_holds(root))
		smp_call_all(flush_if_held, root);
	pt_reap(&root->pt);
	return OK;
}

static bool page_is_sound(u64 va, u32 rights)
{
	bool window = va >= WINDOW_BASE && va - WINDOW_BASE < WINDOW_SIZE;

	if ((rights & PT_WRITE) && (rights & PT_EXEC))
		return false;
	if (window)
		return (rights & PT_USER) && !(rights & (PT_EXEC | PT_GLOBAL));
	return !(rights & PT_USER);
}

static bool check_leaf(void *context UNUSED, u64 va, const struct pt_leaf *leaf)
{
	if (page_is_sound(va, leaf->rights))
		return true;
	panic("page tables: 0x%llx (%llu KiB at 0x%llx) must not have the rights %s%s%s%s", (unsigned long long)va,
	      (unsigned long long)(leaf->size / KIB), (unsigned long long)leaf->pa,
	      leaf->rights & PT_WRITE ? "rw" : "r", leaf->rights & PT_EXEC ? "x" : "",
	      leaf->rights & PT_USER ? " user" : "", leaf->rights & PT_GLOBAL ? " global" : "");
}

bool root_check_wx(const struct root *root)
{
	pt_walk(&root->pt, check_leaf, NULL);
	return true;
}

/* Bytes by PT_WRITE | PT_EXEC. */
struct rights_count {
	u64 bytes[8];
};

static bool count_leaf(void *context, u64 va UNUSED, const struct pt_leaf *leaf)
{
	struct rights_count *count = context;

	count->bytes[leaf->rights & (PT_READ | PT_WRITE | PT_EXEC)] += leaf->size;
	return true;
}

void root_report(void)
{
	struct rights_count count = {0};

	pt_walk(&base_root.pt, count_leaf, &count);
	log_line("page tables: %llu pages executable, %llu read-only, %llu writable, %llu both writable and executable",
		 (unsigned long long)(count.bytes[PT_READ | PT_EXEC] / PAGE_SIZE),
		 (unsigned long long)(count.bytes[PT_READ] / PAGE_SIZE),
		 (unsigned long long)(count.bytes[PT_READ | PT_WRITE] / PAGE_SIZE),
		 (unsigned long long)(count.bytes[PT_READ | PT_WRITE | PT_EXEC] / PAGE_SIZE));
}
