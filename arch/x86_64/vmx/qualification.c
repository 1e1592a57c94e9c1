#include "arch/x86_64/vmx/qualification.h"

#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/vmx/controls.h"
#include "arch/x86_64/vmx/reason.h"
#include "vmm/devices/apic_view.h"
#include "vmm/vcpu_state.h"

/*
 * SDM "Format of the VM-Exit Instruction-Information Field as Used for INS and OUTS": bits 9:7 address size, 17:15
 * segment (OUTS).
 */
void vmx_decode_string_io(u64 qualification, u32 information, struct exit_io *io)
{
	io->rep = qualification & BIT(5);
	io->address_size = (u8)(2u << (information >> 7 & 3));
	io->segment = io->in ? SEG_ES : (u8)(information >> 15 & 7);
}

struct exit_cr vmx_decode_cr(u64 qualification)
{
	static const enum cr_access access[4] = {CR_WRITE, CR_READ, CR_CLTS, CR_LMSW};

	return (struct exit_cr){
		.cr = qualification & 15,
		.access = access[qualification >> 4 & 3],
		.gpr = qualification >> 8 & 15,
		.source = (u16)(qualification >> 16),
	};
}

struct exit_dr vmx_decode_dr(u64 qualification)
{
	return (struct exit_dr){
		.dr = qualification & 7,
		.read = qualification & BIT(4),
		.gpr = qualification >> 8 & 15,
	};
}

struct exit_task_switch vmx_decode_task_switch(u64 qualification, u32 vectoring, u32 error)
{
	static const enum task_switch_source source[4] = {TASK_CALL, TASK_IRET, TASK_JMP, TASK_GATE};
	struct exit_task_switch task = {
		.selector = (u16)qualification,
		.source = source[qualification >> 30 & 3],
		.by_instruction = true,
	};

	if (task.source != TASK_GATE)
		return task;
	task.by_instruction = INTERRUPTION_TYPE(vectoring) >= TYPE_SOFTWARE_INTERRUPT;
	task.has_error = vectoring & INTERRUPTION_ERROR_VALID;
	task.error = task.has_error ? error : 0;
	return task;
}

struct exit_apic vmx_decode_apic(u32 reason, u64 qualification)
{
	switch (reason) {
	case REASON_VIRTUAL_EOI:
		return (struct exit_apic){.event = APIC_ENDED, .detail = qualification & 0xff};
	case REASON_APIC_WRITE:
		return (struct exit_apic){.event = APIC_WRITTEN, .detail = qualification & (PAGE_SIZE - 1)};
	default:
		return (struct exit_apic){.event = APIC_TPR_FELL};
	}
}

/*
 * SDM "Exit Qualification for APIC-Access VM Exits": bits 11:0 the offset, 15:12 the kind of access; from 10 on by
 * physical address.
 */
struct exit_memory vmx_decode_apic_access(u64 qualification)
{
	static const u8 access[16] = {
		[0] = (u8)MEMORY_READ, [1] = (u8)MEMORY_WRITE, [2] = (u8)MEMORY_EXECUTE, [3] = (u8)MEMORY_READ,
		[10] = (u8)MEMORY_READ, [15] = (u8)MEMORY_READ,
	};
	u32 type = qualification >> 12 & 15;

	return (struct exit_memory){
		.gpa = LAPIC_ADDRESS + (qualification & (PAGE_SIZE - 1)),
		.access = access[type],
		.page_walk = type >= 10,
		.present = true,
	};
}

/* SDM "Exit Qualification for Debug Exceptions": bits 3:0, 13 and 14 are as in DR6. */
u64 vmx_decode_debug(u64 qualification)
{
	return qualification & (BITS(3, 0) | BIT(13) | BIT(14));
}
