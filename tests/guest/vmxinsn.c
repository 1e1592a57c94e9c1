// guest: 32
/* VMX and SVM instructions without VMX or SVM turned on: each is undefined, as on a CPU that has neither. */
#include "guests/lib/guest.h"

#define UNDEFINED(name, instruction) \
	expect_fault(name, VECTOR_UD, 0, __asm__ volatile(instruction : : "a"(&region) : "memory"))

static u64 region;

CHECKS(vmx_instructions)
{
	UNDEFINED("vmxon-ud", "vmxon (%%eax)");
	UNDEFINED("vmxoff-ud", "vmxoff");
	UNDEFINED("vmlaunch-ud", "vmlaunch");
	UNDEFINED("vmresume-ud", "vmresume");
	UNDEFINED("vmclear-ud", "vmclear (%%eax)");
	UNDEFINED("vmptrld-ud", "vmptrld (%%eax)");
	UNDEFINED("vmptrst-ud", "vmptrst (%%eax)");
	UNDEFINED("vmread-ud", "vmread %%eax, %%ecx");
	UNDEFINED("vmwrite-ud", "vmwrite %%eax, %%ecx");
	UNDEFINED("invept-ud", "invept (%%eax), %%ecx");
	UNDEFINED("invvpid-ud", "invvpid (%%eax), %%ecx");
	UNDEFINED("vmfunc-ud", "vmfunc");
	UNDEFINED("vmrun-ud", "vmrun");
	UNDEFINED("vmload-ud", "vmload");
	UNDEFINED("vmsave-ud", "vmsave");
	UNDEFINED("stgi-ud", "stgi");
	UNDEFINED("clgi-ud", "clgi");
	UNDEFINED("getsec-ud", "getsec");
}
