// guest: 32
/* Each exception that an instruction can raise, its error code, and where it points. (SDM "Exception and Interrupt
 * Reference") Oracles: Bochs, QEMU. */
#include "guests/lib/guest.h"

#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_AM BIT(18)
#define CR4_OSFXSR BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define FLAG_AC 0x40002u

extern const char int3_next[], into_next[], ud2_here[];
static const u64 bounds; /* 0 to 0 */
static const u32 unmasked_divide = 0x1d80, zero, one = 0x3f800000;

static word misaligned(word unused UNUSED)
{
	static u32 pair[2];

	return *(volatile u32 *)((word)pair + 1);
}

CHECKS(exceptions)
{
	word cr0 = read_cr0();

	expect_fault("de", VECTOR_DE, 0, __asm__ volatile("div %%ecx" : : "c"(0), "a"(1), "d"(0) : "cc"));
	expect_fault("de-overflow", VECTOR_DE, 0, __asm__ volatile("div %%ecx" : : "c"(1), "a"(1), "d"(1) : "cc"));
	expect_fault("bp", VECTOR_BP, 0, __asm__ volatile("int3\nint3_next:"));
	check_equal("bp-is-a-trap", fault.ip, (word)int3_next);
	expect_fault("of", VECTOR_OF, 0,
		     __asm__ volatile("mov $0x7f, %%al; inc %%al; into\ninto_next:" : : : "eax", "cc"));
	check_equal("of-is-a-trap", fault.ip, (word)into_next);
	expect_none("of-not", __asm__ volatile("xor %%eax, %%eax; into" : : : "eax", "cc"));
	expect_fault("br", VECTOR_BR, 0, __asm__ volatile("bound %%eax, %0" : : "m"(bounds), "a"(-5)));
	expect_fault("ud", VECTOR_UD, 0, __asm__ volatile("ud2_here: ud2"));
	check_equal("ud-is-a-fault", fault.ip, (word)ud2_here);
	expect_fault("nm-ts", VECTOR_NM, 0, write_cr0(cr0 | CR0_TS); __asm__ volatile("fnop"));
	expect_fault("nm-em", VECTOR_NM, 0, write_cr0(cr0 | CR0_EM); __asm__ volatile("fnop"));
	write_cr0(cr0 | CR0_AM);
	expect_fault("ac-ring-3", VECTOR_AC, 0, run_in_ring(3, misaligned, 0, FLAG_AC));
	expect_none("ac-not-in-ring-0", run_in_ring(0, misaligned, 0, FLAG_AC));
	write_cr0(cr0);
	expect_none("ac-not-without-am", run_in_ring(3, misaligned, 0, FLAG_AC));
	expect_fault("mf", VECTOR_MF, 0,
		     __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" : : "m"(unmasked_divide)));
	__asm__ volatile("fninit");
	expect_fault("sse-ud-without-osfxsr", VECTOR_UD, 0, __asm__ volatile("xorps %xmm0, %xmm0"));
	write_cr4(CR4_OSFXSR);
	expect_fault("sse-ud-em", VECTOR_UD, 0, write_cr0(cr0 | CR0_EM); __asm__ volatile("xorps %xmm0, %xmm0"));
	write_cr0(cr0);
	expect_fault("xm-without-osxmmexcpt", VECTOR_UD, 0,
		     __asm__ volatile("ldmxcsr %0; movss %1, %%xmm0; divss %2, %%xmm0"
				      : : "m"(unmasked_divide), "m"(one), "m"(zero)));
	write_cr4(CR4_OSFXSR | CR4_OSXMMEXCPT);
	expect_fault("xm", VECTOR_XM, 0,
		     __asm__ volatile("ldmxcsr %0; movss %1, %%xmm0; divss %2, %%xmm0"
				      : : "m"(unmasked_divide), "m"(one), "m"(zero)));
}
