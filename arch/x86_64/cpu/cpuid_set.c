#include "arch/x86_64/cpu/cpuid_set.h"

enum rule {
	FIRST,	   /* the boot core's: identification, topology, sizes */
	AND,	   /* feature bits */
	OR,	   /* bits that say something is missing */
	MIN_VALUE, /* largest leaf, counts */
	MIN_BYTES, /* each byte apart: address sizes */
};

struct row {
	u32 leaf, first, last; /* subleaves */
	enum rule eax, ebx, ecx, edx;
};

/* SDM vol. 2 "CPUID—CPU Identification"; APM vol. 3 "Obtaining Processor Information Via the CPUID Instruction". */
static const struct row rows[] = {
	{0x00000000, 0, 0, MIN_VALUE, FIRST, FIRST, FIRST},
	{0x00000001, 0, 0, FIRST, FIRST, AND, AND},
	{0x00000002, 0, 0, FIRST, FIRST, FIRST, FIRST},
	{0x00000004, 0, 7, FIRST, FIRST, FIRST, FIRST},
	{0x00000005, 0, 0, FIRST, FIRST, AND, FIRST},
	{0x00000006, 0, 0, AND, FIRST, AND, FIRST},
	{0x00000007, 0, 0, MIN_VALUE, AND, AND, AND},
	{0x00000007, 1, 2, AND, AND, AND, AND},
	{0x0000000a, 0, 0, MIN_BYTES, OR, AND, MIN_VALUE},
	{0x0000000b, 0, 2, FIRST, FIRST, FIRST, FIRST},
	{0x0000000d, 0, 0, AND, FIRST, FIRST, AND},
	{0x0000000d, 1, 1, AND, FIRST, AND, AND},
	{0x0000000d, 2, 19, FIRST, FIRST, FIRST, FIRST},
	{0x00000015, 0, 0, FIRST, FIRST, FIRST, FIRST},
	{0x00000016, 0, 0, FIRST, FIRST, FIRST, FIRST},
	{0x80000000, 0, 0, MIN_VALUE, FIRST, FIRST, FIRST},
	{0x80000001, 0, 0, FIRST, FIRST, AND, AND},
	{0x80000002, 0, 0, FIRST, FIRST, FIRST, FIRST},
	{0x80000003, 0, 0, FIRST, FIRST, FIRST, FIRST},
	{0x80000004, 0, 0, FIRST, FIRST, FIRST, FIRST},
	{0x80000005, 0, 0, FIRST, FIRST, FIRST, FIRST},
	{0x80000006, 0, 0, FIRST, FIRST, FIRST, FIRST},
	{0x80000007, 0, 0, AND, AND, FIRST, AND},
	{0x80000008, 0, 0, MIN_BYTES, AND, FIRST, FIRST},
	{0x8000000a, 0, 0, MIN_VALUE, MIN_VALUE, AND, AND},
	{0x8000001d, 0, 4, FIRST, FIRST, FIRST, FIRST},
	{0x8000001e, 0, 0, FIRST, FIRST, FIRST, FIRST},
	{0x80000021, 0, 0, AND, FIRST, FIRST, FIRST},
};

static u32 combine(enum rule rule, u32 a, u32 b)
{
	u32 result = 0;

	switch (rule) {
	case FIRST:
		return a;
	case AND:
		return a & b;
	case OR:
		return a | b;
	case MIN_VALUE:
		return MIN(a, b);
	case MIN_BYTES:
		for (u32 shift = 0; shift < 32; shift += 8)
			result |= MIN(a >> shift & 0xff, b >> shift & 0xff) << shift;
	}
	return result;
}

static void merge(const struct row *row, struct cpuid_leaf *into, const struct cpuid_leaf *other)
{
	into->eax = combine(row->eax, into->eax, other->eax);
	into->ebx = combine(row->ebx, into->ebx, other->ebx);
	into->ecx = combine(row->ecx, into->ecx, other->ecx);
	into->edx = combine(row->edx, into->edx, other->edx);
}

/* A leaf beyond the largest answers with another leaf's data (SDM, "CPUID", on Intel): it counts as zero. */
static struct cpuid_leaf read_checked(struct cpuid_leaf (*read)(u32, u32), u32 leaf, u32 subleaf)
{
	struct cpuid_leaf zero = {0, 0, 0, 0};
	u32 base = leaf & 0x80000000u, largest = read(base, 0).eax;

	return leaf == base || (largest >= leaf && (largest & 0x80000000u) == base) ? read(leaf, subleaf) : zero;
}

void cpuid_set_add(struct cpuid_set *set, struct cpuid_leaf (*read)(u32, u32))
{
	u32 at = 0;

	for (const struct row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		for (u32 subleaf = row->first; subleaf <= row->last; subleaf++, at++) {
			struct cpuid_leaf leaf = read_checked(read, row->leaf, subleaf);

			if (set->cores == 0)
				set->leaves[at] = leaf;
			else
				merge(row, &set->leaves[at], &leaf);
		}
	}
	set->cores++;
}

struct cpuid_leaf cpuid_set_get(const struct cpuid_set *set, u32 leaf, u32 subleaf)
{
	struct cpuid_leaf zero = {0, 0, 0, 0};
	u32 at = 0;

	for (const struct row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		if (row->leaf == leaf && subleaf >= row->first && subleaf <= row->last)
			return set->leaves[at + subleaf - row->first];
		at += row->last - row->first + 1;
	}
	return zero;
}
