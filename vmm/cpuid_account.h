/*
 * A VM's exits as its guest sees them, by CPUID: for courses, in the meaning that university assignments gave these
 * leaves. There is nothing to see unless its config says `cpuid-accounting = on`; with `reversed` the leaves count the
 * other way. docs/config.md has the table. Pure.
 */
#ifndef VMM_CPUID_ACCOUNT_H
#define VMM_CPUID_ACCOUNT_H

#include "arch/x86_64/cpu/features.h"

#define CPUID_ACCOUNT_EXITS	  0x4ffffffcu /* -> EAX: exits of all reasons */
#define CPUID_ACCOUNT_CYCLES	  0x4ffffffdu /* -> EBX:ECX: TSC cycles from exits to entries, of all reasons */
#define CPUID_ACCOUNT_EXITS_OF	  0x4ffffffeu /* ECX: reason -> EAX */
#define CPUID_ACCOUNT_CYCLES_OF	  0x4fffffffu /* ECX: reason -> EBX:ECX */

struct vm;

/*
 * What the leaf answers for the reason `subleaf`: zeros for any other leaf, and for a VM whose config does not ask for
 * it.
 */
struct cpuid_leaf cpuid_account(const struct vm *vm, u32 leaf, u32 subleaf);

#endif
