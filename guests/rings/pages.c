/*
 * What paging knows of rings: two classes only, user (ring 3) and supervisor (rings 0 to 2). Each access from each ring
 * to each kind of page, under WP, SMEP, SMAP and NX. (SDM "Determination of Access Rights", "Page-Fault Exceptions")
 */
#include "guests/rings/rings.h"

#define CR0_WP	  BIT(16)
#define CR4_SMEP  BIT(20)
#define CR4_SMAP  BIT(21)
#define CPUID7_SMEP BIT(7)
#define CPUID7_SMAP BIT(20)

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

/* A probe: an access to PAGE_TEST, then the way home; without a stack, for there is none that every ring may use. */
static void write_probe(enum access access)
{
	static const u8 home[] = {0xcd, VECTOR_RING_RETURN}; /* INT */
	static const u8 jump[] = {0xff, 0xe0};		      /* JMP *eax */
	word address = PAGE_TEST + (access == ACCESS_FETCH ? 0 : 8);
	u8 *at = page_code;

	memcpy(page_test, home, sizeof(home));
	if (access == ACCESS_FETCH) {
		if (sizeof(word) == 8)
			*at++ = 0x48; /* REX.W */
		*at++ = 0xb8;	      /* MOV eax, address */
	} else {
		*at++ = access == ACCESS_READ ? 0xa1 : 0xa3; /* MOV eax, [address] or back */
	}
	memcpy(at, &address, sizeof(address));
	at += sizeof(address);
	if (access == ACCESS_FETCH) {
		memcpy(at, jump, sizeof(jump));
		at += sizeof(jump);
	}
	memcpy(at, home, sizeof(home));
}

static void print_cell(int ring, enum access access, word flags)
{
	word (*probe)(word) = (word(*)(word))(ring == 3 ? PAGE_CODE_USER : PAGE_CODE);

	write_probe(access);
	faults_in_ring(ring, probe, 0, FLAG_FIXED | flags, NULL);
	if (!fault.taken)
		print(" %-4s", "ok");
	else if (fault.vector == VECTOR_PF && fault.address / 4096 == PAGE_TEST / 4096)
		print(" 0x%02x", fault.error);
	else
		print(" %s!", vector_name(fault.vector));
}

/* One table: all kinds of pages and all rings, in the state that the caller has set. */
static void table(const char *title, word flags)
{
	print("  %s\n  %-14s", title, "page");
	for (int ring = 0; ring < 4; ring++)
		print(" | ring %d         ", ring);
	print("\n  %-14s", "");
	for (int ring = 0; ring < 4; ring++)
		print(" | R    W    X   ");
	print("\n");
	for (const struct page_kind *kind = page_kinds; kind->name; kind++) {
		maps_set(kind->bits);
		print("  %-14s", kind->name);
		for (int ring = 0; ring < 4; ring++) {
			print(" |");
			for (enum access access = ACCESS_READ; access <= ACCESS_FETCH; access++)
				print_cell(ring, access, flags);
		}
		print("\n");
	}
}

void lesson_pages(void)
{
	u32 features = cpuid(0, 0).eax >= 7 ? cpuid(7, 0).ebx : 0;
	word cr0 = read_cr0(), cr4;

	maps_start();
	cr4 = read_cr4();
	print("  Cells: ok, or the #PF's error code: 1 present, 2 write, 4 user, 0x10 fetch. U: user, W: writable.\n");
	table("WP = 0: supervisors write what they like", 0);
	write_cr0(read_cr0() | CR0_WP);
	table("WP = 1: read-only holds for supervisors too", 0);
	if (features & CPUID7_SMEP) {
		write_cr4(cr4 | CR4_SMEP);
		table("SMEP: no fetch from a user page by a supervisor", 0);
	}
	if (features & CPUID7_SMAP) {
		write_cr4(cr4 | CR4_SMAP);
		table("SMAP, AC = 0: no access to a user page by a supervisor", 0);
		table("SMAP, AC = 1: allowed for a while (STAC)", FLAG_AC);
	}
	write_cr4(cr4);
	maps_stop();
	write_cr0(cr0);
}
