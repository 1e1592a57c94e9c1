#include "arch/x86_64/insn/alu.h"

#include "arch/x86_64/cpu/regs.h"

#define STATUS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

static bool negative(u64 value, u32 size)
{
	return value >> (8 * size - 1) & 1;
}

static u64 flag_if(bool condition, u64 flag)
{
	return condition ? flag : 0;
}

/* ZF, SF and PF; PF looks at the low byte alone. */
static u64 result_flags(u64 result, u32 size)
{
	u32 parity = (u32)result & 0xff;

	parity ^= parity >> 4;
	parity ^= parity >> 2;
	parity ^= parity >> 1;
	return flag_if(!result, RFLAGS_ZF) | flag_if(negative(result, size), RFLAGS_SF) |
	       flag_if(!(parity & 1), RFLAGS_PF);
}

static u64 add(u64 a, u64 b, u64 carry, u32 size, u64 *flags)
{
	u64 mask = alu_mask(size), result;

	a &= mask;
	b &= mask;
	result = (a + b + carry) & mask;
	*flags = (*flags & ~STATUS) | result_flags(result, size) | ((a ^ b ^ result) & RFLAGS_AF) |
		 flag_if(result < a || (carry && result == a), RFLAGS_CF) |
		 flag_if(negative((a ^ result) & (b ^ result), size), RFLAGS_OF);
	return result;
}

static u64 subtract(u64 a, u64 b, u64 borrow, u32 size, u64 *flags)
{
	u64 mask = alu_mask(size), result;

	a &= mask;
	b &= mask;
	result = (a - b - borrow) & mask;
	*flags = (*flags & ~STATUS) | result_flags(result, size) | ((a ^ b ^ result) & RFLAGS_AF) |
		 flag_if(a < b || (borrow && a == b), RFLAGS_CF) |
		 flag_if(negative((a ^ b) & (a ^ result), size), RFLAGS_OF);
	return result;
}

static u64 logic(u64 result, u32 size, u64 *flags)
{
	result &= alu_mask(size);
	*flags = (*flags & ~STATUS) | result_flags(result, size);
	return result;
}

u64 alu_add(u64 a, u64 b, u32 size, u64 *flags)
{
	return add(a, b, 0, size, flags);
}

u64 alu_adc(u64 a, u64 b, u32 size, u64 *flags)
{
	return add(a, b, *flags & RFLAGS_CF, size, flags);
}

u64 alu_sub(u64 a, u64 b, u32 size, u64 *flags)
{
	return subtract(a, b, 0, size, flags);
}

u64 alu_sbb(u64 a, u64 b, u32 size, u64 *flags)
{
	return subtract(a, b, *flags & RFLAGS_CF, size, flags);
}

u64 alu_and(u64 a, u64 b, u32 size, u64 *flags)
{
	return logic(a & b, size, flags);
}

u64 alu_or(u64 a, u64 b, u32 size, u64 *flags)
{
	return logic(a | b, size, flags);
}

u64 alu_xor(u64 a, u64 b, u32 size, u64 *flags)
{
	return logic(a ^ b, size, flags);
}

/* INC and DEC leave CF alone. */
u64 alu_inc(u64 a, u64 b UNUSED, u32 size, u64 *flags)
{
	u64 carry = *flags & RFLAGS_CF, result = add(a, 1, 0, size, flags);

	*flags = (*flags & ~RFLAGS_CF) | carry;
	return result;
}

u64 alu_dec(u64 a, u64 b UNUSED, u32 size, u64 *flags)
{
	u64 carry = *flags & RFLAGS_CF, result = subtract(a, 1, 0, size, flags);

	*flags = (*flags & ~RFLAGS_CF) | carry;
	return result;
}

u64 alu_not(u64 a, u64 b UNUSED, u32 size, u64 *flags UNUSED)
{
	return ~a & alu_mask(size);
}

u64 alu_neg(u64 a, u64 b UNUSED, u32 size, u64 *flags)
{
	return subtract(0, a, 0, size, flags);
}

static u64 bit_test(u64 a, u64 b, u32 size, u64 *flags, u64 *bit)
{
	*bit = BIT(b & (8 * size - 1));
	*flags = (*flags & ~RFLAGS_CF) | flag_if(a & *bit, RFLAGS_CF);
	return a & alu_mask(size);
}

u64 alu_bt(u64 a, u64 b, u32 size, u64 *flags)
{
	u64 bit;

	return bit_test(a, b, size, flags, &bit);
}

u64 alu_bts(u64 a, u64 b, u32 size, u64 *flags)
{
	u64 bit, value = bit_test(a, b, size, flags, &bit);

	return value | bit;
}

u64 alu_btr(u64 a, u64 b, u32 size, u64 *flags)
{
	u64 bit, value = bit_test(a, b, size, flags, &bit);

	return value & ~bit;
}

u64 alu_btc(u64 a, u64 b, u32 size, u64 *flags)
{
	u64 bit, value = bit_test(a, b, size, flags, &bit);

	return value ^ bit;
}

bool alu_condition(u32 code, u64 flags)
{
	bool carry = flags & RFLAGS_CF, zero = flags & RFLAGS_ZF, sign = flags & RFLAGS_SF,
	     overflow = flags & RFLAGS_OF;
	const bool table[8] = {
		overflow,
		carry,
		zero,
		carry || zero,
		sign,
		flags & RFLAGS_PF,
		sign != overflow,
		zero || sign != overflow,
	};

	return table[code >> 1 & 7] != (code & 1);
}
