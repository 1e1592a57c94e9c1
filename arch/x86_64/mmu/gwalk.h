/*
 * The walk a processor does over a guest's own page tables, for instructions we carry out in its place (SDM "32-Bit
 * Paging", "PAE Paging", "4-Level Paging and 5-Level Paging", "Access Rights", "Page-Fault Exceptions", "Accessed and
 * Dirty Flags"). Five-level paging is not offered to guests. Pure: tables are reached through callbacks.
 */
#ifndef ARCH_MMU_GWALK_H
#define ARCH_MMU_GWALK_H

#include "arch/x86_64/cpu/regs.h"
#include "lib/types.h"

/* What translation depends on: the guest's registers, as they are for the instruction in hand. */
struct gwalk_mode {
	u64 cr0, cr3, cr4, efer;
	u64 rflags;	   /* AC alone matters (SMAP) */
	u32 pkru;	   /* where CR4.PKE is set */
	u32 physical_bits; /* the guest's MAXPHYADDR, 32 to 52 */
	bool gib_pages;	   /* CPUID.80000001H:EDX.Page1GB [bit 26] of the guest */
	/* PAE: MOV to CR3 loaded pdpte[] (Intel); else they are read at each walk (AMD with nested paging). */
	bool pdptes_loaded;
	u64 pdpte[4];
};

/* At most one of write and fetch; both false: a data read. */
struct gwalk_access {
	bool write, fetch;
	bool user;     /* CPL 3, and not implicit */
	bool implicit; /* supervisor whatever the CPL: to GDT, IDT, LDT, TSS. SMAP holds whatever AC says */
};

struct gwalk_memory {
	/* Read an entry of 4 or 8 bytes by one access. False: no RAM of the guest's there. */
	bool (*read)(void *context, gpa_t gpa, u32 size, u64 *entry);
	/*
	 * Locked compare and exchange; *expected becomes what was there. False: no RAM, or not to be written. NULL:
	 * leave A and D alone.
	 */
	bool (*exchange)(void *context, gpa_t gpa, u32 size, u64 *expected, u64 desired);
	void *context;
};

enum gwalk_result {
	GWALK_OK,
	GWALK_FAULT,	     /* #PF with `error`; CR2 is the address asked for */
	GWALK_NOT_CANONICAL, /* no translation is tried: #GP, or #SS for the stack */
	GWALK_NO_MEMORY,     /* a table lies at `gpa`, where the guest has no RAM (or, for A and D, none to write) */
	GWALK_RETRY,	     /* another processor keeps changing the tables: run the guest's instruction once more */
};

#define GWALK_LEVELS 4u

/* An entry that was used: where it was read, and its value with the flags that were then set in it. */
struct gwalk_step {
	gpa_t gpa;
	u64 entry;
};

struct gwalk {
	gpa_t gpa;			 /* of the address itself */
	u64 page_size;			 /* 4 KiB, 2 MiB, 4 MiB or 1 GiB */
	bool writable, user, executable; /* what all levels together allow, before CR0.WP and the like */
	u32 error;
	/*
	 * GWALK_OK: what was read from memory, from the top. While all of these entries have these values, the same
	 * walk in the same mode has the same outcome, and changes nothing.
	 */
	u32 steps, entry_size;
	struct gwalk_step step[GWALK_LEVELS];
};

/*
 * Translate `gva` (without long mode its low 32 bits). Accessed flags of all entries used, and dirty for a write, are
 * set as the processor would set them, once the access is known to be allowed.
 */
enum gwalk_result gwalk(const struct gwalk_mode *mode, const struct gwalk_memory *memory, gva_t gva,
			struct gwalk_access access, struct gwalk *out);

#endif
