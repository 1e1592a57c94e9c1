/*
 * What an exit qualification and its companions say, in the neutral terms of vmm/exit.h (SDM vol. 3 "Exit Qualification
 * for ..." tables). Pure.
 */
#ifndef ARCH_VMX_QUALIFICATION_H
#define ARCH_VMX_QUALIFICATION_H

#include "vmm/exit.h"

#define QUALIFICATION_STRING_IO BIT(4)

/* But for what string I/O has more; vmx_decode_string_io() fills that in. */
static inline void vmx_decode_io(u64 qualification, struct exit_io *io)
{
	io->port = (u16)(qualification >> 16);
	io->size = (u8)((qualification & 7) + 1);
	io->in = qualification & BIT(3);
	io->string = qualification & QUALIFICATION_STRING_IO;
}

/* `information`: the VM-exit instruction information. */
void vmx_decode_string_io(u64 qualification, u32 information, struct exit_io *io);

struct exit_cr vmx_decode_cr(u64 qualification);
struct exit_dr vmx_decode_dr(u64 qualification);
/*
 * Of an EPT violation: bits 2:0 the access, 5:3 what the tables allow, 7 a linear address is there, 8 the access was to
 * its translation, not a page walk's. Addresses are left alone; `gva_valid` says whether the guest-linear address field
 * is to be read.
 */
static inline void vmx_decode_memory(u64 qualification, struct exit_memory *memory)
{
	_Static_assert(MEMORY_READ == BIT(0) && MEMORY_WRITE == BIT(1) && MEMORY_EXECUTE == BIT(2),
		       "the qualification's own bits");
	memory->access = qualification & BITS(2, 0);
	memory->gva_valid = qualification & BIT(7);
	memory->page_walk = (qualification & (BIT(8) | BIT(7))) == BIT(7);
	memory->present = qualification & BITS(5, 3);
}

/* Of a TPR-below-threshold, EOI-induced or APIC-write exit. */
struct exit_apic vmx_decode_apic(u32 reason, u64 qualification);
/* Of an APIC-access exit. */
struct exit_memory vmx_decode_apic_access(u64 qualification);
/* `vectoring`, `error`: IDT-vectoring information and error code, which count for a task gate only. */
struct exit_task_switch vmx_decode_task_switch(u64 qualification, u32 vectoring, u32 error);
/* The DR6 bits a debug exception would have set: B0-B3, BD, BS. */
u64 vmx_decode_debug(u64 qualification);

#define MEMORY_NMI_UNBLOCKED BIT(12) /* of an EPT violation: it met an IRET that had just ended NMI blocking */

#endif
