/*
 * GDT, TSS and IDT, flat, as far as both widths have them alike; the rest is in i386/segments.c and amd64/segments.c.
 */
#include "guests/lib/segments.h"

#define ACCESS_CODE 0x9a /* present, code, readable; DPL in bits 6:5 */
#define ACCESS_DATA 0x92
#define ACCESS_TSS  0x89
#define FLAGS_DATA  0xc /* 4 KiB granularity, 32-bit */
#define GATE_SIZE   (2 * sizeof(word))

u64 gdt[GDT_SLOTS] ALIGNED(8);
u8 idt[256 * GATE_SIZE] ALIGNED(16);
u8 tss[TSS_SIZE + IO_BITMAP + 1] ALIGNED(4096);
struct table_pointer gdt_pointer = {sizeof(gdt) - 1, (word)gdt};
struct table_pointer idt_pointer = {sizeof(idt) - 1, (word)idt};

u64 descriptor(u32 base, u32 limit, u8 access, u8 flags)
{
	return (u64)(base >> 24) << 56 | (u64)flags << 52 | (u64)(limit >> 16 & 0xf) << 48 | (u64)access << 40 |
	       (u64)(base & 0xffffff) << 16 | (limit & 0xffff);
}

/* With the bitmap beyond the limit, no port is open to ring 3. */
static void load_tss(u32 limit)
{
	u16 bitmap = TSS_SIZE;

	memcpy(tss + 102, &bitmap, sizeof(bitmap));
	gdt[SLOT_TSS] = descriptor((u32)(word)tss, limit, ACCESS_TSS, 0);
	gdt[SLOT_TSS + 1] = (u64)(word)tss >> 32; /* in long mode the second half of it, else null */
	ltr(SELECTOR(SLOT_TSS));
}

u8 *tss_io_bitmap(bool wanted)
{
	memset(tss + TSS_SIZE, 0xff, IO_BITMAP + 1); /* one byte more: a word access at the last port looks at it */
	load_tss(wanted ? TSS_SIZE + IO_BITMAP : TSS_SIZE - 1);
	return wanted ? tss + TSS_SIZE : NULL;
}

void segments_init(void)
{
	for (u32 ring = 0; ring < 4; ring++) {
		u8 dpl = (u8)(ring << 5);

		gdt[CODE(ring) / 8] = descriptor(0, 0xfffff, ACCESS_CODE | dpl, segments_code_flags);
		gdt[DATA(ring) / 8] = descriptor(0, 0xfffff, ACCESS_DATA | dpl, FLAGS_DATA);
	}
	lgdt(&gdt_pointer);
	lidt(&idt_pointer);
	segments_load_code();
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss; mov %0, %%fs; mov %0, %%gs"
			 : : "r"(DATA(0)) : "memory");
	load_tss(TSS_SIZE - 1);
}
