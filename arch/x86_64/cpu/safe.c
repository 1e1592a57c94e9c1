#include "arch/x86_64/cpu/safe.h"

/* `ok` is set by the instruction after the one that may fault; a fault goes on behind both. */
#define OR_SKIP(instruction, ok)                           \
	"1: " instruction "\n\t"                           \
	"movl $1, " ok "\n"                                \
	"2:\n\t"                                           \
	".pushsection .fixups, \"a\"\n\t"                  \
	".quad 1b, 2b\n\t"                                 \
	".popsection"

bool rdmsr_safe(u32 msr, u64 *value)
{
	u32 low = 0, high = 0, ok = 0;

	__asm__ volatile(OR_SKIP("rdmsr", "%2") : "+a"(low), "+d"(high), "+r"(ok) : "c"(msr));
	*value = (u64)high << 32 | low;
	return ok;
}

bool wrmsr_safe(u32 msr, u64 value)
{
	u32 ok = 0;

	__asm__ volatile(OR_SKIP("wrmsr", "%0")
			 : "+r"(ok)
			 : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32))
			 : "memory");
	return ok;
}

bool peek(u64 address, u64 *value)
{
	u64 read = 0;
	u32 ok = 0;

	__asm__ volatile(OR_SKIP("movq (%2), %1", "%0") : "+r"(ok), "+r"(read) : "r"(address) : "memory");
	*value = read;
	return ok;
}
