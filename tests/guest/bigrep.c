// guest: 64
/*
 * INS and OUTS: repetitions of several pages go all the way, in both directions, with every address size and segment.
 * For both widths. (SDM "INS/INSB/INSW/INSD", "OUTS/OUTSB/OUTSW/OUTSD") Oracles: Bochs, QEMU.
 */
#include "guests/lib/guest.h"

#define PORT_MASK 0x21 /* the PIC's interrupt mask: what is written there can be read back */
#define MSR_FS_BASE 0xc0000100u
#define LARGE	  10000u /* more than what one exit does */
#define MARK	  0x5a
#define FOUND	  0xa5

static u8 area[LARGE + 64];

static bool all_are(const u8 *bytes, u32 count, u8 value)
{
	while (count && bytes[count - 1] == value)
		count--;
	return !count;
}

static void check_outs(void)
{
	const u8 *from = area;
	word count = LARGE;

	memset(area, 0, LARGE);
	area[LARGE - 1] = MARK;
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(PORT_MASK) : "memory");
	check_equal("rep-outs-count", count, 0);
	check_equal("rep-outs-index", from - area, LARGE);
	check_equal("rep-outs-last-byte", in8(PORT_MASK), MARK);
	count = 0;
	__asm__ volatile("rep outsb" : "+S"(from), "+c"(count) : "d"(PORT_MASK) : "memory");
	check_equal("rep-outs-nothing", from - area, LARGE);
}

static void check_ins(void)
{
	u8 *to = area;
	word count = LARGE;

	memset(area, 0, sizeof(area));
	__asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(PORT_MASK) : "memory");
	check_equal("rep-ins-count", count, 0);
	check_equal("rep-ins-index", to - area, LARGE);
	check("rep-ins-fills", all_are(area, LARGE, MARK) && !area[LARGE]);
	to = area + LARGE - 1;
	count = LARGE;
	out8(PORT_MASK, FOUND);
	__asm__ volatile("std; rep insb; cld" : "+D"(to), "+c"(count) : "d"(PORT_MASK) : "memory");
	check_equal("rep-ins-down-index", to - area, -1);
	check("rep-ins-down-fills", all_are(area, LARGE, FOUND) && !area[LARGE]);
}

/* With a smaller address size, what lies above it in the count does not count, and the index stays below it. */
static void check_address_size(void)
{
	word low = (word)area, count = 0;

#ifdef __x86_64__
	count = 1ull << 32 | 1;
	low |= 1ull << 32;
	area[0] = MARK;
	__asm__ volatile("rep outsb (%%esi), %%dx" : "+S"(low), "+c"(count) : "d"(PORT_MASK) : "memory");
	check_equal("outs-small-address-index", low, (word)area + 1);
#else
	u8 *where = (u8 *)0x8000, kept = *where;

	count = 1 << 16 | 1;
	low = 1 << 16 | 0x8000;
	*where = MARK;
	__asm__ volatile("rep outsb (%%si), %%dx" : "+S"(low), "+c"(count) : "d"(PORT_MASK) : "memory");
	*where = kept;
	check_equal("outs-small-address-index", low, 1 << 16 | 0x8001);
#endif
	check_equal("outs-small-address-byte", in8(PORT_MASK), MARK);
}

static void check_segment(void)
{
	const u8 *from = (const u8 *)0x10;

	area[0x10] = FOUND;
	area[0x20] = MARK;
#ifdef __x86_64__
	wrmsr(MSR_FS_BASE, (u64)area);
	__asm__ volatile("outsb %%fs:(%%rsi), %%dx" : "+S"(from) : "d"(PORT_MASK) : "memory");
#else
	gdt[SLOT_FREE] = descriptor((u32)area, 0xfffff, 0x93, 0xc);
	__asm__ volatile("push %%fs; mov %w2, %%fs; outsb %%fs:(%%esi), %%dx; pop %%fs"
			 : "+S"(from)
			 : "d"(PORT_MASK), "r"((u32)SELECTOR(SLOT_FREE))
			 : "memory");
#endif
	check_equal("outs-segment-byte", in8(PORT_MASK), FOUND);
	check_equal("outs-segment-index", (word)from, 0x11);
}

CHECKS(bigrep)
{
	u8 mask = in8(PORT_MASK);

	if (!timer_there()) {
		check_skip("bigrep", "no PIC here");
		return;
	}
	check_outs();
	check_ins();
	check_address_size();
	check_segment();
	out8(PORT_MASK, mask);
}
