#include "arch/x86_64/mmu/gwalk.h"

#define ENTRY_PRESENT  BIT(0)
#define ENTRY_WRITE    BIT(1)
#define ENTRY_USER     BIT(2)
#define ENTRY_ACCESSED BIT(5)
#define ENTRY_DIRTY    BIT(6)
#define ENTRY_LARGE    BIT(7)
#define ENTRY_NX       BIT(63)

#define PF_KEY BIT(5) /* protection key */

#define TRIES 16u

/* The geometry of a paging mode; level 1 is the table of 4 KiB entries. */
struct paging {
	u32 levels, entry_size;
	u8 shift[GWALK_LEVELS + 1]; /* by level: lowest address bit of the index */
	u16 entries[GWALK_LEVELS + 1];
};

static const struct paging paging_32 = {2, 4, {0, 12, 22}, {0, 1024, 1024}};
static const struct paging paging_pae = {3, 8, {0, 12, 21, 30}, {0, 512, 512, 4}};
static const struct paging paging_long = {4, 8, {0, 12, 21, 30, 39}, {0, 512, 512, 512, 512}};

struct state {
	const struct gwalk_mode *mode;
	const struct gwalk_memory *memory;
	const struct paging *paging;
	struct gwalk_access access;
	gva_t gva;
	struct gwalk_step step[GWALK_LEVELS + 1]; /* by level: the entries used */
	u32 leaf;				  /* level of the last of them */
	bool writable, user, no_execute;
};

static const struct paging *paging_of(const struct gwalk_mode *mode)
{
	if (mode->efer & EFER_LMA)
		return &paging_long;
	return mode->cr4 & CR4_PAE ? &paging_pae : &paging_32;
}

/* What every fault of this access reports (SDM "Page-Fault Exceptions"). */
static u32 access_error(const struct state *s)
{
	bool nx = (s->mode->efer & EFER_NXE) && (s->mode->cr4 & CR4_PAE);
	u64 error = 0;

	if (s->access.write)
		error |= PF_WRITE;
	if (s->access.user)
		error |= PF_USER;
	if (s->access.fetch && (nx || (s->mode->cr4 & CR4_SMEP)))
		error |= PF_FETCH;
	return (u32)error;
}

static bool is_pdpte(const struct state *s, u32 level)
{
	return s->paging == &paging_pae && level == 3;
}

/* Not in memory any more, as far as the processor goes. */
static bool is_loaded(const struct state *s, u32 level)
{
	return is_pdpte(s, level) && s->mode->pdptes_loaded;
}

static bool is_large(const struct state *s, u64 entry, u32 level)
{
	if (!(entry & ENTRY_LARGE))
		return false;
	if (level == 2)
		return s->paging != &paging_32 || (s->mode->cr4 & CR4_PSE);
	return level == 3 && s->paging == &paging_long && s->mode->gib_pages;
}

/*
 * 4 MiB pages have address bits 39:32 in bits 20:13, as many as there are; the rest up to bit 21 is reserved (PSE-36).
 */
static u64 reserved_32(const struct state *s, bool large)
{
	return large ? BITS(21, MIN(s->mode->physical_bits, 40) - 19) : 0;
}

static u64 reserved_bits(const struct state *s, u64 entry, u32 level)
{
	bool large = is_large(s, entry, level);
	u32 bits = s->mode->physical_bits;
	u64 reserved = bits < 52 ? BITS(51, bits) : 0;

	if (s->paging == &paging_32)
		return reserved_32(s, large);
	/*
	 * Bit 5 is reserved too, but QEMU's software emulation sets it as if it were the accessed bit; a processor
	 * would have faulted.
	 */
	if (is_pdpte(s, level))
		return reserved | BITS(63, 52) | BITS(8, 6) | BITS(2, 1);
	if (s->paging == &paging_pae)
		reserved |= BITS(62, 52);
	if (!(s->mode->efer & EFER_NXE))
		reserved |= ENTRY_NX;
	if (large)
		reserved |= BITS(s->paging->shift[level] - 1, 13);
	else if (level > 2)
		reserved |= ENTRY_LARGE; /* a PML4E's, or a PDPTE's without 1 GiB pages */
	return reserved;
}

static gpa_t first_table(const struct state *s)
{
	if (s->paging == &paging_32)
		return s->mode->cr3 & BITS(31, 12);
	if (s->paging == &paging_pae)
		return s->mode->cr3 & BITS(31, 5);
	return s->mode->cr3 & BITS(51, 12);
}

static enum gwalk_result fault(const struct state *s, u64 why, struct gwalk *out)
{
	out->error = access_error(s) | (u32)why;
	return GWALK_FAULT;
}

/* Fetch the entry of a level from the table at `table`, and see that it can be used. */
static enum gwalk_result take_step(struct state *s, gpa_t table, u32 level, struct gwalk *out)
{
	struct gwalk_step *step = &s->step[level];
	u64 index = (s->gva >> s->paging->shift[level]) % s->paging->entries[level];
	bool loaded = is_loaded(s, level);

	step->gpa = table + index * s->paging->entry_size;
	if (loaded) {
		step->entry = s->mode->pdpte[index];
	} else if (!s->memory->read(s->memory->context, step->gpa, s->paging->entry_size, &step->entry)) {
		out->gpa = step->gpa;
		return GWALK_NO_MEMORY;
	}
	if (!(step->entry & ENTRY_PRESENT))
		return fault(s, 0, out);
	/* Loaded ones were checked when they were loaded (SDM "PDPTE Registers"). */
	if (!loaded && (step->entry & reserved_bits(s, step->entry, level)))
		return fault(s, PF_PRESENT | PF_RSVD, out);
	if (!is_pdpte(s, level)) {
		s->writable &= (step->entry & ENTRY_WRITE) != 0;
		s->user &= (step->entry & ENTRY_USER) != 0;
		s->no_execute |= s->paging != &paging_32 && (step->entry & ENTRY_NX);
	}
	return GWALK_OK;
}

static enum gwalk_result descend(struct state *s, struct gwalk *out)
{
	gpa_t table = first_table(s);
	enum gwalk_result result;

	for (u32 level = s->paging->levels;; level--) {
		result = take_step(s, table, level, out);
		if (result != GWALK_OK)
			return result;
		s->leaf = level;
		if (level == 1 || is_large(s, s->step[level].entry, level))
			return GWALK_OK;
		table = s->step[level].entry & (s->paging == &paging_32 ? BITS(31, 12) : BITS(51, 12));
	}
}

/* SDM "Protection Keys": for data in user pages, whoever accesses it. */
static bool key_denies(const struct state *s)
{
	u32 key = (u32)(s->step[s->leaf].entry >> 59) & 15;
	u32 rights = s->mode->pkru >> key * 2;

	if (s->paging != &paging_long || !(s->mode->cr4 & CR4_PKE) || !s->user || s->access.fetch)
		return false;
	return (rights & 1) || ((rights & 2) && s->access.write && (s->access.user || (s->mode->cr0 & CR0_WP)));
}

/* SDM "Determination of Access Rights". */
static bool rights_deny(const struct state *s)
{
	const struct gwalk_mode *mode = s->mode;

	if (s->access.fetch && s->no_execute)
		return true;
	if (s->access.user)
		return !s->user || (s->access.write && !s->writable);
	if (s->access.fetch)
		return s->user && (mode->cr4 & CR4_SMEP);
	if (s->user && (mode->cr4 & CR4_SMAP) && (s->access.implicit || !(mode->rflags & RFLAGS_AC)))
		return true;
	return s->access.write && !s->writable && (mode->cr0 & CR0_WP);
}

/* GWALK_RETRY: an entry changed since it was read, so what was decided on it may be wrong. */
static enum gwalk_result set_flags(struct state *s, struct gwalk *out)
{
	if (!s->memory->exchange)
		return GWALK_OK;
	for (u32 level = s->paging->levels; level >= s->leaf; level--) {
		struct gwalk_step *step = &s->step[level];
		u64 flags = level == s->leaf && s->access.write ? ENTRY_ACCESSED | ENTRY_DIRTY : ENTRY_ACCESSED;
		u64 found = step->entry;

		if (is_pdpte(s, level) || (step->entry & flags) == flags)
			continue;
		if (!s->memory->exchange(s->memory->context, step->gpa, s->paging->entry_size, &found,
					 step->entry | flags)) {
			out->gpa = step->gpa;
			return GWALK_NO_MEMORY;
		}
		if (found != step->entry)
			return GWALK_RETRY;
		step->entry |= flags;
	}
	return GWALK_OK;
}

static gpa_t page_address(const struct state *s)
{
	u64 entry = s->step[s->leaf].entry;
	u64 size = 1ull << s->paging->shift[s->leaf];

	if (s->paging != &paging_32)
		return ALIGN_DOWN(entry & BITS(51, 12), size);
	/* Of a 4 MiB page: bits 39:32 from bits 20:13. */
	return s->leaf == 2 ? (entry & BITS(31, 22)) | (entry & BITS(20, 13)) << 19 : entry & BITS(31, 12);
}

static void tell(const struct state *s, struct gwalk *out)
{
	u64 size = 1ull << s->paging->shift[s->leaf];

	*out = (struct gwalk){.gpa = page_address(s) | (s->gva & (size - 1)),
			      .page_size = size,
			      .writable = s->writable,
			      .user = s->user,
			      .executable = !s->no_execute,
			      .entry_size = s->paging->entry_size};
	for (u32 level = s->paging->levels; level >= s->leaf; level--)
		if (!is_loaded(s, level))
			out->step[out->steps++] = s->step[level];
}

static enum gwalk_result walk_once(struct state *s, struct gwalk *out)
{
	enum gwalk_result result;
	bool denied, key;

	s->writable = s->user = true;
	s->no_execute = false;
	result = descend(s, out);
	if (result != GWALK_OK)
		return result;
	key = key_denies(s);
	denied = rights_deny(s);
	if (denied || key)
		return fault(s, PF_PRESENT | (key ? PF_KEY : 0), out);
	result = set_flags(s, out);
	if (result == GWALK_OK)
		tell(s, out);
	return result;
}

static bool is_canonical(gva_t gva)
{
	return (u64)((s64)(gva << 16) >> 16) == gva;
}

enum gwalk_result gwalk(const struct gwalk_mode *mode, const struct gwalk_memory *memory, gva_t gva,
			struct gwalk_access access, struct gwalk *out)
{
	struct state s = {.mode = mode, .memory = memory, .paging = paging_of(mode), .access = access, .gva = gva};
	enum gwalk_result result = GWALK_RETRY;

	*out = (struct gwalk){0};
	if (s.paging != &paging_long)
		s.gva = (u32)gva;
	else if (!is_canonical(gva))
		return GWALK_NOT_CANONICAL;
	if (!(mode->cr0 & CR0_PG)) {
		*out = (struct gwalk){
			.gpa = s.gva, .page_size = PAGE_SIZE, .writable = true, .user = true, .executable = true};
		return GWALK_OK;
	}
	for (u32 i = 0; i < TRIES && result == GWALK_RETRY; i++)
		result = walk_once(&s, out);
	return result;
}
