/*
 * The one page-table engine. A format is data: host tables, EPT and AMD's nested tables (and, later, shadow tables) are
 * each a const struct pt_format. Pure: table memory comes and is reached through callbacks.
 */
#ifndef ARCH_MMU_PT_H
#define ARCH_MMU_PT_H

#include "arch/x86_64/cpu/regs.h"
#include "lib/types.h"

/* Rights and attributes, neutral; a format translates them. */
#define PT_READ	  BIT(0)
#define PT_WRITE  BIT(1)
#define PT_EXEC	  BIT(2)
#define PT_USER	  BIT(3) /* host and nested format */
#define PT_GLOBAL BIT(4) /* host format; never for window entries */

struct pt_format {
	const char *name;
	u32 levels;	    /* 4 */
	u32 largest;	    /* largest leaf level allowed: 1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB */
	bool sign_extended; /* addresses are canonical linear ones (host); else they are below 2^48 */
	u64 address_mask;   /* physical address bits of an entry */
	u64 sticky;	    /* bits the CPU sets in a leaf (accessed, dirty): they outlive splitting and protecting */
	u64 (*leaf)(paddr_t pa, u32 level, u32 rights, enum memory_cache cache);
	u64 (*table)(paddr_t pa);
	bool (*present)(u64 entry);
	bool (*is_leaf)(u64 entry, u32 level);
	u32 (*rights)(u64 entry);
	enum memory_cache (*cache)(u64 entry, u32 level);
};

extern const struct pt_format pt_format_host, pt_format_ept, pt_format_npt;

struct pt_allocator {
	void *(*alloc)(void *context); /* one zeroed page or NULL */
	void (*free)(void *context, void *page);
	paddr_t (*pa)(void *context, const void *page);
	void *(*va)(void *context, paddr_t pa);
	void *context;
};

/* Structure pages from the pool. */
extern const struct pt_allocator pt_pool_allocator;

/*
 * What one call changed, for arch/x86_64/mmu/inval.h to decide on. Overwritten by the call; may be NULL where nobody
 * asks.
 */
struct pt_change {
	bool any_removed;  /* a present leaf was removed, moved or lost rights */
	bool any_relaxed;  /* a present leaf gained rights */
	bool any_added;	   /* a leaf appeared where nothing was present */
	bool tables_freed; /* structure pages were detached: pt_reap() frees them, only after the flush */
};

/*
 * One translation. The caller serializes all calls that change it; pt_lookup() and pt_walk() too, against tables being
 * freed. The CPU may walk the tables at any time: a page is filled before it is linked and an entry changes by one
 * store.
 */
struct pt {
	const struct pt_format *format;
	const struct pt_allocator *allocator;
	void *root;	/* page of the top level */
	u32 largest;	/* the largest leaf level this machine has; <= format->largest */
	void *detached; /* structure pages waiting for pt_reap() */
	struct {
		u64 key;	/* the 2 MiB it is for, and the rights and type of its leaves; 0: none */
		u64 *table;
		u64 attributes; /* of a leaf, all but the address */
	} last; /* the table that pt_map_page() used last */
};

/* An empty translation. ERR_INVALID: largest is 0 or above the format's; ERR_MEMORY: no page for the root. */
int pt_init(struct pt *pt, const struct pt_format *format, const struct pt_allocator *allocator, u32 largest);
/*
 * Free all structure pages (not what the leaves point to). Slots [keep_first, keep_first+keep_count) of the root are
 * shared: left alone.
 */
void pt_destroy(struct pt *pt, u32 keep_first, u32 keep_count);
/*
 * Map [va, va+size) to [pa, ...): page aligned, canonical, size > 0, rights with PT_READ (EPT takes W and X only with
 * it). Uses the largest leaves that alignment allows. ERR_INVALID, ERR_EXISTS when something is mapped there,
 * ERR_MEMORY when tables could not be had; nothing is left half done.
 */
int pt_map(struct pt *pt, u64 va, paddr_t pa, u64 size, u32 rights, enum memory_cache cache, struct pt_change *change);
/*
 * Map one page, with a 4 KiB leaf: as pt_map() with the range inside the format's, which is the caller's to know. It
 * remembers the table, so that the next page of the same 2 MiB costs one look and one store: for RAM that is backed
 * page by page. ERR_EXISTS, ERR_MEMORY.
 */
int pt_map_page(struct pt *pt, u64 va, paddr_t pa, u32 rights, enum memory_cache cache);
/*
 * Unmap whatever is mapped in the range, splitting larger leaves at its ends. ERR_INVALID; ERR_MEMORY when splitting
 * needs tables that could not be had: nothing has changed then. A table the root points to stays once it is there,
 * empty or not, until pt_destroy(): roots that share it need not follow.
 */
int pt_unmap(struct pt *pt, u64 va, u64 size, struct pt_change *change);
/* Change the rights of what is mapped in the range, splitting at its ends; holes stay holes. Errors as pt_unmap(). */
int pt_protect(struct pt *pt, u64 va, u64 size, u32 rights, struct pt_change *change);
/* Free detached structure pages: after the flush that pt_change asked for. */
void pt_reap(struct pt *pt);
/*
 * The entry for `va` in the table of `level` (1: the 4 KiB entry), tables above it made as needed: for temporary
 * mappings, which are changed too often to go through pt_map(), and (level 3) to fill a root's slot for good. NULL: no
 * memory, or a larger leaf is there.
 */
u64 *pt_entry(struct pt *pt, u64 va, u32 level);
/* Look one address up. False: not mapped (*size still says how large the hole is at that level). */
struct pt_leaf {
	paddr_t pa;
	u64 size; /* of the leaf */
	u32 rights;
	enum memory_cache cache;
};
bool pt_lookup(const struct pt *pt, u64 va, struct pt_leaf *leaf);
/* Call `visit` for every leaf in rising order; stops when it returns false. For the W^X check and dumps. */
void pt_walk(const struct pt *pt, bool (*visit)(void *context, u64 va, const struct pt_leaf *leaf), void *context);

#endif
