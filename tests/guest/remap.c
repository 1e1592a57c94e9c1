// guest: 64
/*
 * A device's registers read by code whose page, or whose own bytes, change from one read to the next, at every level of
 * the tables; and their page likewise. (SDM "Invalidation of TLBs and Paging-Structure Caches", "Self-Modifying Code")
 * Oracles: Bochs, QEMU.
 */
#include "guests/lib/guest.h"

#define P	 1u
#define W	 2u
#define NX	 BIT(63)
#define MSR_EFER 0xc0000080u
#define EFER_NXE BIT(11)
#define TEST	 0x210000000000ull
#define PAGE	 4096u
#define IOAPIC	 0xfec00000u
#define IOWIN	 0x10u
#define VERSION	 1u /* index of a register that is neither 0 nor 1 */

/* Pages from TEST on. */
enum { CODE, NEXT_CODE, DEVICE, PAGES };

static u64 top[512] ALIGNED(4096), pointers[2][512] ALIGNED(4096), directory[2][512] ALIGNED(4096),
	table[2][512] ALIGNED(4096);
static u8 reads_index[2 * PAGE] ALIGNED(4096), reads_window[2 * PAGE] ALIGNED(4096);
static u32 ram[PAGE / 4] ALIGNED(4096);

/* mov eax, [rdi + offset]; ret */
static void put_code(u8 *at, u8 offset)
{
	memcpy(at, (const u8[]){0x8b, 0x47, offset, 0xc3}, 4);
}

static u32 call_at(u32 offset)
{
	return ((u32(*)(word))(TEST + offset))(TEST + DEVICE * PAGE);
}

static void fill(u64 *pages, const u8 *code)
{
	pages[CODE] = (word)code | P | W;
	pages[NEXT_CODE] = (word)(code + PAGE) | P | W;
	pages[DEVICE] = IOAPIC | P | W;
}

/* Two sets of tables: by the first the code reads the index, by the second the register. */
static void make_tables(u64 *root)
{
	fill(table[0], reads_index);
	fill(table[1], reads_window);
	for (u32 i = 0; i < 2; i++) {
		directory[i][0] = (word)table[i] | P | W;
		pointers[i][0] = (word)directory[i] | P | W;
	}
	memcpy(top, root, PAGE);
	top[TEST >> 39] = (word)pointers[1] | P | W;
	root[TEST >> 39] = (word)pointers[0] | P | W;
}

static void set(u64 *entry, u64 value, u32 page)
{
	*entry = value;
	invlpg((void *)(TEST + page * PAGE));
}

static void check_code(u64 *root, u32 version)
{
	u64 *const entries[] = {&table[0][CODE], &directory[0][0], &pointers[0][0], &root[TEST >> 39]};
	const u64 others[] = {(word)reads_window, (word)table[1], (word)directory[1], (word)pointers[1]};
	static const char *const names[] = {"remap-code-pte", "remap-code-pde", "remap-code-pdpte", "remap-code-pml4e"};

	for (u32 i = 0; i < 4; i++) {
		u64 before = *entries[i];
		u32 wrong = call_at(0) != VERSION;

		set(entries[i], others[i] | P | W, CODE);
		wrong += call_at(0) != version;
		wrong += call_at(0) != version;
		set(entries[i], before, CODE);
		wrong += call_at(0) != VERSION;
		check_equal(names[i], wrong, 0);
	}
	write_cr3((word)top);
	check_equal("remap-code-cr3", call_at(0), version);
	write_cr3((word)root);
	check_equal("remap-code-cr3-back", call_at(0), VERSION);
}

static void check_bytes(u32 version)
{
	put_code(reads_index, IOWIN);
	check_equal("remap-code-written", call_at(0), version);
	put_code(reads_index, 0);
	check_equal("remap-code-written-back", call_at(0), VERSION);
	/* Of an instruction that reaches into the next page, that one is another. */
	put_code(reads_index + PAGE - 2, 0);
	put_code(reads_window + PAGE - 2, IOWIN);
	check_equal("remap-code-crossing", call_at(PAGE - 2), VERSION);
	set(&table[0][NEXT_CODE], (word)(reads_window + PAGE) | P, NEXT_CODE);
	check_equal("remap-code-crossing-changed", call_at(PAGE - 2), version);
	set(&table[0][CODE], (word)reads_index | P | NX, CODE);
	expect_fault("remap-code-nx", VECTOR_PF, 0x11, call_at(0));
	set(&table[0][CODE], (word)reads_index | P, CODE);
	check_equal("remap-code-nx-gone", call_at(0), VERSION);
}

static void check_device(void)
{
	set(&table[0][DEVICE], (word)ram | P, DEVICE);
	check_equal("remap-device-to-ram", call_at(0), 0x77777777);
	set(&table[0][DEVICE], IOAPIC | P, DEVICE);
	check_equal("remap-device-back", call_at(0), VERSION);
	set(&table[0][DEVICE], 0, DEVICE);
	expect_fault("remap-device-absent", VECTOR_PF, 0, call_at(0));
	check_equal("remap-device-cr2", fault.address, TEST + DEVICE * PAGE);
}

CHECKS(remap)
{
	u64 *root = (u64 *)(read_cr3() & ~(word)(PAGE - 1));
	volatile u32 *ioapic = (volatile u32 *)(word)IOAPIC;
	u32 version;

	if (!ioapic_there()) {
		check_skip("remap", "no IOAPIC here");
		return;
	}
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
	ioapic[0] = VERSION;
	version = ioapic[IOWIN / 4];
	check("remap-registers-differ", version != VERSION && version != 0);
	ram[0] = 0x77777777;
	put_code(reads_index, 0);
	put_code(reads_window, IOWIN);
	make_tables(root);
	check_code(root, version);
	check_bytes(version);
	check_device();
	root[TEST >> 39] = 0;
	write_cr3((word)root);
}
