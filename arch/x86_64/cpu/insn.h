/* Privileged and special instructions as inline functions, one each, named for the instruction. Not pure. */
#ifndef ARCH_CPU_INSN_H
#define ARCH_CPU_INSN_H

#include "lib/types.h"

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u64 low, high; /* both come zero-extended */

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return high << 32 | low;
}

/*
 * `n` 8-byte words. As fast as STOSB where processors have ERMSB, and faster where they, or emulators of them, go word
 * by word.
 */
static inline void rep_stosq(void *at, u64 value, u64 n)
{
	__asm__ volatile("rep stosq" : "+D"(at), "+c"(n) : "a"(value) : "memory");
}

struct cpuid_leaf {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid_leaf cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_leaf r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

#define DEFINE_CR(n)                                                                 \
	static inline u64 read_cr##n(void)                                           \
	{                                                                            \
		u64 value;                                                           \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(value) : : "memory");   \
		return value;                                                        \
	}                                                                            \
	static inline void write_cr##n(u64 value)                                    \
	{                                                                            \
		__asm__ volatile("mov %0, %%cr" #n : : "r"(value) : "memory");       \
	}
DEFINE_CR(0)
DEFINE_CR(2)
DEFINE_CR(3)
DEFINE_CR(4)
#undef DEFINE_CR

#define DEFINE_DR(n)                                                               \
	static inline u64 read_dr##n(void)                                         \
	{                                                                          \
		u64 value;                                                         \
		__asm__ volatile("mov %%dr" #n ", %0" : "=r"(value));              \
		return value;                                                      \
	}                                                                          \
	static inline void write_dr##n(u64 value)                                  \
	{                                                                          \
		__asm__ volatile("mov %0, %%dr" #n : : "r"(value));                \
	}
DEFINE_DR(0)
DEFINE_DR(1)
DEFINE_DR(2)
DEFINE_DR(3)
DEFINE_DR(6)
DEFINE_DR(7)
#undef DEFINE_DR

static inline u64 xgetbv(u32 index)
{
	u32 low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(index));
	return (u64)high << 32 | low;
}

static inline void xsetbv(u32 index, u64 value)
{
	__asm__ volatile("xsetbv" : : "c"(index), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u8 in8(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void out8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u16 in16(u16 port)
{
	u16 value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void out16(u16 port, u16 value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline u32 in32(u16 port)
{
	u32 value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void out32(u16 port, u32 value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline void invlpg(u64 address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" : : : "memory");
}

static inline void cpu_pause(void)
{
	__builtin_ia32_pause();
}

static inline void interrupts_on(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void interrupts_off(void)
{
	__asm__ volatile("cli" : : : "memory");
}

/*
 * Enable interrupts and halt until one came, without losing one in between (STI blocks for one instruction); off again
 * after.
 */
static inline void halt_until_interrupt(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

#endif
