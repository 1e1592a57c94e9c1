/* GDT, TSS and IDT of a 32-bit guest. (SDM "Protected-Mode Memory Management", "Task Management", "Interrupt Descriptor Table") */
#include "guests/lib/guest.h"

#define ACCESS_CODE 0x9a /* present, code, readable; DPL in bits 6:5 */
#define ACCESS_DATA 0x92
#define ACCESS_TSS  0x89
#define FLAGS_FLAT  0xc /* 4 KiB granularity, 32-bit */

u64 gdt[GDT_SLOTS] ALIGNED(8);
u8 idt[256 * 8] ALIGNED(8);
u8 tss[TSS_SIZE + IO_BITMAP + 1] ALIGNED(4096);
struct table_pointer gdt_pointer = {sizeof(gdt) - 1, (word)gdt};
struct table_pointer idt_pointer = {sizeof(idt) - 1, (word)idt};

u64 descriptor(u32 base, u32 limit, u8 access, u8 flags)
{
	return (u64)(base >> 24) << 56 | (u64)flags << 52 | (u64)(limit >> 16 & 0xf) << 48 | (u64)access << 40 |
	       (u64)(base & 0xffffff) << 16 | (limit & 0xffff);
}

void idt_gate(u8 vector, u16 selector, const void *target, u8 type, u8 dpl)
{
	u32 offset = (u32)target;
	u64 gate = (u64)(offset >> 16) << 48 | (u64)(0x80u | (u32)dpl << 5 | type) << 40 | (u64)selector << 16 |
		   (offset & 0xffff);

	memcpy(idt + vector * 8, &gate, sizeof(gate));
}

void call_gate(u32 slot, u16 selector, const void *target, u8 count, u8 dpl)
{
	u32 offset = (u32)target;

	gdt[slot] = (u64)(offset >> 16) << 48 | (u64)(0x8cu | (u32)dpl << 5) << 40 | (u64)(count & 31u) << 32 |
		    (u64)selector << 16 | (offset & 0xffff);
}

void tss_stack(int ring, word top)
{
	u32 pair[2] = {top, DATA(ring)};

	memcpy(tss + 4 + 8 * ring, pair, sizeof(pair));
}

/* With the bitmap beyond the limit, no port is open to ring 3. */
static void load_tss(u32 limit)
{
	u16 bitmap = TSS_SIZE;

	memcpy(tss + 102, &bitmap, sizeof(bitmap));
	gdt[SLOT_TSS] = descriptor((u32)tss, limit, ACCESS_TSS, 0);
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

		gdt[CODE(ring) / 8] = descriptor(0, 0xfffff, ACCESS_CODE | dpl, FLAGS_FLAT);
		gdt[DATA(ring) / 8] = descriptor(0, 0xfffff, ACCESS_DATA | dpl, FLAGS_FLAT);
	}
	lgdt(&gdt_pointer);
	lidt(&idt_pointer);
	__asm__ volatile("ljmp %0, $1f\n1:" : : "i"(CODE(0)));
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%ss; mov %0, %%fs; mov %0, %%gs" : : "r"(DATA(0)) : "memory");
	load_tss(TSS_SIZE - 1);
}
