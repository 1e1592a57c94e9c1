// guest: 64
/* CR0, CR4, CR8 and EFER: what can be set is what CPUID offers. (SDM "Control Registers", "Extended Feature Enable
 * Register") Oracle: Bochs; QEMU TCG accepts or hangs on what it should refuse, and is asked for the rest only. */
#include "guests/lib/guest.h"

#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_WP BIT(16)
#define PAGE_USER 4ull
#define MSR_EFER 0xc0000080u
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)

static const struct {
	const char *name;
	u8 bit;
	u32 leaf;
	u8 reg, feature;
} cr4_bits[] = {
	{"cr4-tsd", 2, 1, 3, 4},	  {"cr4-de", 3, 1, 3, 2},    {"cr4-pse", 4, 1, 3, 3},
	{"cr4-mce", 6, 1, 3, 7},	  {"cr4-pge", 7, 1, 3, 13},  {"cr4-osfxsr", 9, 1, 3, 24},
	{"cr4-osxmmexcpt", 10, 1, 3, 25}, {"cr4-umip", 11, 7, 2, 2}, {"cr4-fsgsbase", 16, 7, 1, 0},
	{"cr4-osxsave", 18, 1, 2, 26},	  {"cr4-smep", 20, 7, 1, 7}, {"cr4-smap", 21, 7, 1, 20},
	{"cr4-pke", 22, 7, 2, 3},
};

static bool offered(u32 leaf, u8 reg, u8 bit)
{
	struct cpuid_leaf values = cpuid(leaf, 0);

	return (&values.eax)[reg] >> bit & 1;
}

static void check_cr4_bit(u32 i)
{
	word cr4 = read_cr4(), bit = 1ul << cr4_bits[i].bit;

	if (offered(cr4_bits[i].leaf, cr4_bits[i].reg, cr4_bits[i].feature)) {
		write_cr4(cr4 | bit);
		check(cr4_bits[i].name, read_cr4() == (cr4 | bit));
	} else if (!strncmp(hypervisor_signature(), "TCG", 3)) {
		check_skip(cr4_bits[i].name, "not offered, and QEMU TCG does not refuse it as it should");
	} else {
		expect_fault(cr4_bits[i].name, VECTOR_GP, 0, write_cr4(cr4 | bit));
	}
	write_cr4(cr4);
}

/* The library's map is open to ring 3; under SMEP we could not run in it, nor under SMAP read it. */
static void close_map(bool closed)
{
	u64 *top = (u64 *)read_cr3();

	top[0] = closed ? top[0] & ~PAGE_USER : top[0] | PAGE_USER;
	write_cr3(read_cr3());
}

CHECKS(registers)
{
	word cr8;

	close_map(true);
	for (u32 i = 0; i < ARRAY_SIZE(cr4_bits); i++)
		check_cr4_bit(i);
	close_map(false);
	write_cr0(read_cr0() & ~CR0_ET);
	check("cr0-et-fixed", read_cr0() & CR0_ET);
	write_cr0(read_cr0() | CR0_WP | CR0_TS);
	check("cr0-wp-ts-set", (read_cr0() & (CR0_WP | CR0_TS)) == (CR0_WP | CR0_TS));
	__asm__ volatile("clts");
	check("clts", !(read_cr0() & CR0_TS));
	__asm__ volatile("lmsw %0" : : "r"((u16)CR0_TS));
	check("lmsw-sets-ts-keeps-pe", (read_cr0() & (CR0_TS | 1)) == (CR0_TS | 1));
	__asm__ volatile("clts");
	__asm__ volatile("mov %1, %%cr8; mov %%cr8, %0; mov %2, %%cr8" : "=r"(cr8) : "r"(5ul), "r"(0ul));
	check_equal("cr8-reads-back", cr8, 5);
	check_equal("efer-lme-lma", rdmsr(MSR_EFER) & (EFER_LME | EFER_LMA), EFER_LME | EFER_LMA);
	expect_none("efer-lma-not-written", wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_LMA));
	check("efer-lma-stays", rdmsr(MSR_EFER) & EFER_LMA);
}
