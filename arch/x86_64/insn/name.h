/* Instructions by name, for messages about those that are refused. Pure. */
#ifndef ARCH_INSN_NAME_H
#define ARCH_INSN_NAME_H

#include "arch/x86_64/insn/decode.h"

/*
 * The name of the instruction that begins at bytes[0], or of its family; "?" when its opcode lies behind `count` or has
 * no name here. Prefixes choose no other name.
 */
const char *insn_name(const u8 *bytes, u32 count, enum insn_mode mode);

#endif
