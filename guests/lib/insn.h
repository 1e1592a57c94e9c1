/*
 * Instructions as inline functions, named for the instruction, for 32-bit and 64-bit guests alike. Included by guest.h.
 */
#ifndef GUESTS_LIB_INSN_H
#define GUESTS_LIB_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned long word; /* a general register: 32 bits in a 32-bit guest, 64 in a 64-bit one */

/* Names of registers as wide as word, for inline assembly. */
#ifdef __x86_64__
#define ACCUMULATOR "rax"
#define STACK	    "rsp"
#else
#define ACCUMULATOR "eax"
#define STACK	    "esp"
#endif

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
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (u64)high << 32 | low;
}

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

struct cpuid_leaf {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid_leaf cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_leaf r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

#define DEFINE_REGISTER(name)                                                        \
	static inline word read_##name(void)                                         \
	{                                                                            \
		word value;                                                          \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(value) : : "memory");  \
		return value;                                                        \
	}                                                                            \
	static inline void write_##name(word value)                                  \
	{                                                                            \
		__asm__ volatile("mov %0, %%" #name : : "r"(value) : "memory");      \
	}
DEFINE_REGISTER(cr0)
DEFINE_REGISTER(cr2)
DEFINE_REGISTER(cr3)
DEFINE_REGISTER(cr4)
DEFINE_REGISTER(dr0)
DEFINE_REGISTER(dr1)
DEFINE_REGISTER(dr2)
DEFINE_REGISTER(dr3)
DEFINE_REGISTER(dr6)
DEFINE_REGISTER(dr7)
#undef DEFINE_REGISTER

#define DEFINE_PORT(name, type, suffix)                                                \
	static inline type in##name(u16 port)                                          \
	{                                                                              \
		type value;                                                            \
		__asm__ volatile("in" suffix " %1, %0" : "=a"(value) : "Nd"(port));    \
		return value;                                                          \
	}                                                                              \
	static inline void out##name(u16 port, type value)                             \
	{                                                                              \
		__asm__ volatile("out" suffix " %0, %1" : : "a"(value), "Nd"(port));   \
	}
DEFINE_PORT(8, u8, "b")
DEFINE_PORT(16, u16, "w")
DEFINE_PORT(32, u32, "l")
#undef DEFINE_PORT

static inline word read_flags(void)
{
	word value;

	__asm__ volatile("pushf; pop %0" : "=r"(value));
	return value;
}

static inline void write_flags(word value)
{
	__asm__ volatile("push %0; popf" : : "r"(value) : "memory", "cc");
}

static inline u16 read_cs(void)
{
	u16 value;

	__asm__ volatile("mov %%cs, %0" : "=r"(value));
	return value;
}

static inline void cli(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void sti(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void hlt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

/* STI and HLT as one: the interrupt shadow of STI leaves no gap for the interrupt we are going to wait for. */
static inline void sti_hlt(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

static inline void pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline void invlpg(const void *address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

struct table_pointer {
	u16 limit;
	word base;
} __attribute__((packed));

static inline void lgdt(const struct table_pointer *table)
{
	__asm__ volatile("lgdt %0" : : "m"(*table) : "memory");
}

static inline void lidt(const struct table_pointer *table)
{
	__asm__ volatile("lidt %0" : : "m"(*table) : "memory");
}

static inline void ltr(u16 selector)
{
	__asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

#endif
