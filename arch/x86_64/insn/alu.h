/*
 * What arithmetic instructions compute: result and status flags (SDM vol. 1 "EFLAGS Cross-Reference", vol. 2 under each
 * instruction's "Flags Affected"). Pure.
 */
#ifndef ARCH_INSN_ALU_H
#define ARCH_INSN_ALU_H

#include "lib/types.h"

/*
 * Result of `a` op `b` in `size` bytes (1, 2, 4, 8), zero-extended; higher bits of the operands are ignored. *flags:
 * RFLAGS before and after. A flag the SDM leaves undefined is cleared by the logical operations (AF) and kept by the
 * bit tests, as processors do.
 */
typedef u64 (*alu_operation)(u64 a, u64 b, u32 size, u64 *flags);

u64 alu_add(u64 a, u64 b, u32 size, u64 *flags);
u64 alu_adc(u64 a, u64 b, u32 size, u64 *flags);
u64 alu_sub(u64 a, u64 b, u32 size, u64 *flags); /* and CMP */
u64 alu_sbb(u64 a, u64 b, u32 size, u64 *flags);
u64 alu_and(u64 a, u64 b, u32 size, u64 *flags); /* and TEST */
u64 alu_or(u64 a, u64 b, u32 size, u64 *flags);
u64 alu_xor(u64 a, u64 b, u32 size, u64 *flags);

/* `b` is ignored. */
u64 alu_inc(u64 a, u64 b, u32 size, u64 *flags);
u64 alu_dec(u64 a, u64 b, u32 size, u64 *flags);
u64 alu_not(u64 a, u64 b, u32 size, u64 *flags);
u64 alu_neg(u64 a, u64 b, u32 size, u64 *flags);

/* Bit `b` modulo the operand's width. */
u64 alu_bt(u64 a, u64 b, u32 size, u64 *flags);
u64 alu_bts(u64 a, u64 b, u32 size, u64 *flags);
u64 alu_btr(u64 a, u64 b, u32 size, u64 *flags);
u64 alu_btc(u64 a, u64 b, u32 size, u64 *flags);

/* The low `size` bytes, all ones. */
static inline u64 alu_mask(u32 size)
{
	return ~0ull >> (64 - 8 * size);
}
/* The condition of Jcc, SETcc and CMOVcc: the low four bits of the opcode (SDM vol. 1 "EFLAGS Condition Codes"). */
bool alu_condition(u32 code, u64 flags);

#endif
