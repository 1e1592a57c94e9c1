/*
 * The instruction at the guest's RIP: its bytes through the guest's page tables, decoded. For exits that come without a
 * length.
 */
#ifndef VMM_FETCH_H
#define VMM_FETCH_H

#include "arch/x86_64/insn/decode.h"

struct vcpu;

/*
 * Decode the instruction at CS:RIP as the processor would fetch it now. OK, or: ERR_RANGE the bytes cannot be read (the
 * guest unmapped its code meanwhile), ERR_INVALID, ERR_UNSUPPORTED as insn_decode().
 */
int fetch_instruction(struct vcpu *vcpu, struct insn *insn);
/* The bytes from CS:RIP on and the mode they are for, for messages. Returns how many could be read. */
u32 fetch_bytes(struct vcpu *vcpu, u8 bytes[INSN_MAX_LENGTH], enum insn_mode *mode);

#endif
