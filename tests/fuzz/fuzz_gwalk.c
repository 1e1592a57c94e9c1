// sources: arch/x86_64/mmu/gwalk.c
/*
 * A guest's page tables, hostile or torn: the input begins with the registers, the address and the access; the rest is
 * the guest's RAM, repeated over all its physical addresses below a limit. Entries may change at each exchange, as by
 * another processor.
 */
#include <string.h>
#include "arch/x86_64/mmu/gwalk.h"
#include "tests/fuzz/fuzz.h"

#define RAM 0x8000u

struct header {
	u64 gva, cr3;
	u32 pkru;
	u8 controls, access, physical_bits, race;
	u8 limit; /* log2 of the RAM's end */
};

static u8 ram[RAM];
static u32 races;
static u64 limit;
static u8 times_read[RAM]; /* by the first byte of the entry */
static bool overlap; /* some entry serves two levels: setting its accessed flag for one changes it for the other */

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool read_entry(void *context, gpa_t gpa, u32 size, u64 *entry)
{
	(void)context;
	require((size == 4 || size == 8) && gpa % size == 0);
	*entry = 0;
	if (gpa >= limit)
		return false;
	memcpy(entry, ram + gpa % RAM, size);
	return true;
}

static bool read_once(void *context, gpa_t gpa, u32 size, u64 *entry)
{
	overlap |= times_read[gpa % RAM]++ > 0;
	return read_entry(context, gpa, size, entry);
}

static bool exchange_entry(void *context, gpa_t gpa, u32 size, u64 *expected, u64 desired)
{
	u64 now;

	require(read_entry(context, gpa, size, &now));
	/* only accessed and dirty are ever added */
	require((desired & ~0x60ull) == (*expected & ~0x60ull) && (desired & *expected) == *expected &&
		desired != *expected);
	if (races & 1) {
		now ^= 1ull << (races % (size * 8));
		memcpy(ram + gpa % RAM, &now, size);
	}
	races >>= 1;
	if (now == *expected)
		memcpy(ram + gpa % RAM, &desired, size);
	*expected = now;
	return true;
}

static void read_header(const struct header *h, struct gwalk_mode *mode, struct gwalk_access *access)
{
	*mode = (struct gwalk_mode){.cr3 = h->cr3, .pkru = h->pkru, .physical_bits = 32 + h->physical_bits % 21};
	mode->cr0 = CR0_PE | (h->access & 32 ? 0 : CR0_PG) | (h->controls & 1 ? CR0_WP : 0);
	mode->cr4 = (h->controls & 2 ? CR4_PAE : 0) | (h->controls & 4 ? CR4_PSE : 0) |
		    (h->controls & 8 ? CR4_SMEP : 0) | (h->controls & 16 ? CR4_SMAP : 0) |
		    (h->controls & 32 ? CR4_PKE : 0);
	mode->efer = (h->controls & 64 ? EFER_NXE : 0) |
		     (h->controls & 128 && (mode->cr0 & CR0_PG) ? EFER_LMA | EFER_LME : 0);
	if (mode->efer & EFER_LMA)
		mode->cr4 |= CR4_PAE;
	mode->rflags = h->access & 1 ? RFLAGS_AC : 0;
	mode->gib_pages = h->access & 2;
	mode->pdptes_loaded = h->access & 64;
	memcpy(mode->pdpte, ram, sizeof(mode->pdpte));
	*access = (struct gwalk_access){
		.write = (h->access & 12) == 4, .fetch = (h->access & 12) == 8, .user = h->access & 16};
	access->implicit = !access->user && !access->fetch && (h->access & 128);
}

static void check_ok(const struct gwalk_mode *mode, const struct header *h, const struct gwalk_access *access,
		     const struct gwalk *out)
{
	require(out->page_size >= PAGE_SIZE && (out->page_size & (out->page_size - 1)) == 0);
	require((out->gpa ^ h->gva) % out->page_size == 0);
	if ((mode->cr0 & CR0_PG) && !mode->pdptes_loaded)
		require(out->gpa < BIT(mode->physical_bits) || mode->physical_bits < 36);
	if (access->user)
		require(out->user && (!access->write || out->writable) && (!access->fetch || out->executable));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static u8 before[RAM];
	struct gwalk_memory memory = {read_once, exchange_entry, NULL};
	struct gwalk_access access;
	struct gwalk_mode mode;
	struct gwalk out, again;
	struct header h;
	enum gwalk_result result;

	if (size < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	memset(ram, 0, RAM);
	memcpy(ram, data + sizeof(h), MIN(size - sizeof(h), RAM));
	memcpy(before, ram, RAM);
	memset(times_read, 0, RAM);
	overlap = false;
	races = h.race;
	limit = BIT(12 + h.limit % 41);
	read_header(&h, &mode, &access);
	result = gwalk(&mode, &memory, h.gva, access, &out);
	switch (result) {
	case GWALK_OK:
		check_ok(&mode, &h, &access, &out);
		break;
	case GWALK_FAULT:
		require(!(out.error & ~0x3fu) && !(out.error & PF_WRITE) == !access.write &&
			!(out.error & PF_USER) == !access.user);
		require(!(out.error & (PF_RSVD | BIT(5))) || (out.error & PF_PRESENT));
		break;
	case GWALK_NO_MEMORY:
		require(out.gpa >= limit);
		break;
	case GWALK_NOT_CANONICAL:
		require(mode.efer & EFER_LMA);
		break;
	case GWALK_RETRY:
		require(h.race != 0 || overlap);
		break;
	}
	/* Without a race: a refusal leaves the tables alone, and looking on gives the same answer as doing it. */
	if (h.race || overlap)
		return 0;
	memory.read = read_entry;
	require(result == GWALK_OK || memcmp(before, ram, RAM) == 0);
	memory.exchange = NULL;
	memcpy(before, ram, RAM);
	require(gwalk(&mode, &memory, h.gva, access, &again) == result || result == GWALK_OK);
	/* And what it was concluded from is what is there. */
	require(result != GWALK_OK || (again.gpa == out.gpa && again.steps == out.steps));
	for (u32 i = 0; i < out.steps; i++) {
		u64 entry;

		require(read_entry(NULL, out.step[i].gpa, out.entry_size, &entry) && entry == out.step[i].entry);
	}
	require(memcmp(before, ram, RAM) == 0);
	return 0;
}
