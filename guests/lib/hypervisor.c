/* Whether there is a hypervisor, which, and how to call it. */
#include "guests/lib/guest.h"

#define LEAF_HYPERVISOR	  0x40000000u
#define ECX_HYPERVISOR	  BIT(31) /* of leaf 1 */

static char signature[13];

const char *hypervisor_signature(void)
{
	struct cpuid_leaf leaf;

	if (signature[0] || !(cpuid(1, 0).ecx & ECX_HYPERVISOR))
		return signature;
	leaf = cpuid(LEAF_HYPERVISOR, 0);
	memcpy(signature, &leaf.ebx, 4);
	memcpy(signature + 4, &leaf.ecx, 4);
	memcpy(signature + 8, &leaf.edx, 4);
	return signature;
}

bool on_trivisor(void)
{
	return !strncmp(hypervisor_signature(), TRIVISOR_SIGNATURE, sizeof(signature));
}

/* AMD and Hygon know VMMCALL, all others VMCALL; the other one is undefined there. */
static bool vendor_vmmcall(void)
{
	u32 vendor = cpuid(0, 0).ebx;

	return !memcmp(&vendor, "Auth", 4) || !memcmp(&vendor, "Hygo", 4);
}

/* Which instruction, asked once: CPUID is itself an exit under a hypervisor. */
bool uses_vmmcall(void)
{
	static enum { UNKNOWN, VMCALL, VMMCALL } choice;

	if (choice == UNKNOWN)
		choice = vendor_vmmcall() ? VMMCALL : VMCALL;
	return choice == VMMCALL;
}

static u64 call(word number, word a, word b, word c, word d)
{
	word high = c;

	if (uses_vmmcall())
		__asm__ volatile("vmmcall" : "+a"(number), "+d"(high) : "b"(a), "c"(b), "S"(d) : "memory");
	else
		__asm__ volatile("vmcall" : "+a"(number), "+d"(high) : "b"(a), "c"(b), "S"(d) : "memory");
	return sizeof(word) == 8 ? (u64)number : (u64)high << 32 | number;
}

long hypercall(word number, word a, word b, word c, word d)
{
	return (long)call(number, a, b, c, d);
}

u64 hypercall_time(void)
{
	return call(HYPERCALL_TIME, 0, 0, 0, 0);
}

/* More turns than there are VMs in any boot of ours that checks something by it. */
#define TURNS 20

void let_others_run(void)
{
	for (u32 i = 0; i < TURNS && on_trivisor(); i++)
		hypercall(HYPERCALL_YIELD, 0, 0, 0, 0);
}
