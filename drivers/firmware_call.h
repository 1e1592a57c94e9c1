/* One call into UEFI runtime services, from which we come back even when firmware faults or never returns. */
#ifndef DRIVERS_FIRMWARE_CALL_H
#define DRIVERS_FIRMWARE_CALL_H

#include "lib/types.h"

enum firmware_outcome {
	FIRMWARE_RETURNED = 0,
	FIRMWARE_FAULTED = 1,
	FIRMWARE_LATE = 2, /* HOST_VECTOR_TIMER came */
};

/* LIDT's operand. */
struct PACKED firmware_idtr {
	u16 limit;
	u64 base;
};

/* firmware_call.asm knows these offsets. */
struct firmware_call {
	u64 function; /* UEFI specification "x64 Platforms": Microsoft's calling convention */
	u64 cr3;      /* maps firmware 1:1 and us as always */
	const struct firmware_idtr *idtr;
	u64 argument[4];
};

/*
 * Call it on a stack of its own, interrupts on. Every gate of the given IDT must lead to firmware_call_faulted or
 * firmware_call_late. One core only, once at a time.
 */
u32 firmware_call(const struct firmware_call *call);
/* Not functions: where gates lead. */
void firmware_call_faulted(void);
void firmware_call_late(void);

#endif
