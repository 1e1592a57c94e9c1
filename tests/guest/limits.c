// guest: 32
/* Segment limits, types and presence, through FS. (SDM "Limit Checking", "Type Checking", "Exception and Interrupt
 * Reference") Oracle: Bochs; QEMU TCG does not enforce limits and types of segments once they are loaded. */
#include "guests/lib/guest.h"

#define PROBE SELECTOR(SLOT_FREE)

static u8 bytes[8192] ALIGNED(4096);

static void segment(u32 limit, u8 access, u8 flags)
{
	gdt[SLOT_FREE] = descriptor((u32)bytes, limit, access, flags);
}

static void load_fs(void)
{
	__asm__ volatile("mov %0, %%fs" : : "r"(PROBE) : "memory");
}

static void read_at(u32 offset)
{
	load_fs();
	__asm__ volatile("movl %%fs:(%0), %%eax" : : "r"(offset) : "eax", "memory");
}

static void write_at(u32 offset)
{
	load_fs();
	__asm__ volatile("movl $0, %%fs:(%0)" : : "r"(offset) : "memory");
}

CHECKS(limits)
{
	segment(99, 0x92, 4);
	expect_none("limit-inside", read_at(96));
	expect_fault("limit-crossing", VECTOR_GP, 0, read_at(97));
	expect_fault("limit-beyond", VECTOR_GP, 0, read_at(100));
	expect_fault("limit-wraps", VECTOR_GP, 0, read_at(0xfffffffe));
	segment(0, 0x92, 0xc);
	expect_none("limit-page-granular", read_at(4092));
	expect_fault("limit-page-granular-beyond", VECTOR_GP, 0, read_at(4093));
	segment(99, 0x96, 4);
	expect_fault("expand-down-inside", VECTOR_GP, 0, read_at(96));
	expect_none("expand-down-above", read_at(100));
	segment(0xfffff, 0x90, 0xc);
	expect_fault("write-to-read-only", VECTOR_GP, 0, write_at(0));
	segment(0xfffff, 0x9a, 0xc);
	expect_fault("write-to-code", VECTOR_GP, 0, write_at(0));
	expect_fault("load-execute-only", VECTOR_GP, PROBE, segment(0xfffff, 0x98, 0xc); load_fs());
	expect_fault("load-absent", VECTOR_NP, PROBE, segment(0xfffff, 0x12, 0xc); load_fs());
	expect_fault("load-system-segment", VECTOR_GP, SELECTOR(SLOT_TSS),
		     __asm__ volatile("mov %0, %%fs" : : "r"(SELECTOR(SLOT_TSS))));
	gdt[SLOT_FREE] = descriptor(0, 0xfffff, 0x12, 0xc);
	expect_fault("load-ss-absent", VECTOR_SS, PROBE, __asm__ volatile("mov %0, %%ss" : : "r"(PROBE)));
	expect_fault("load-ss-null", VECTOR_GP, 0, __asm__ volatile("mov %0, %%ss" : : "r"(0)));
	expect_fault("null-used", VECTOR_GP, 0,
		     __asm__ volatile("mov %0, %%fs; movl %%fs:0, %%eax" : : "r"(0) : "eax"));
	segment(99, 0x92, 4);
	load_fs();
	check("accessed-bit-set-by-load", gdt[SLOT_FREE] & BIT(40));
}
