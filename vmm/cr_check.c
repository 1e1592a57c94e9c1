#include "vmm/cr.h"

#include "arch/x86_64/cpu/regs.h"

#define CR0_DEFINED (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)
#define CR3_NO_FLUSH BIT(63) /* PCIDE only: keep the PCID's translations */
/* SDM "Operations that Invalidate TLBs and Paging-Structure Caches", and what changes rights that may be cached. */
#define CR4_FLUSHING (CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_PKE)
/* SDM "PAE Paging": these load the PDPTEs when they change. */
#define CR4_PDPTE (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)

bool pae_paging(u64 cr0, u64 cr4, u64 efer)
{
	return cr0 & CR0_PG && cr4 & CR4_PAE && !(efer & EFER_LMA);
}

/* SDM "Initializing IA-32e Mode": the consistency checks when paging is turned on with LME set. */
static bool may_enter_long_mode(const struct cr_context *context)
{
	return context->cr4 & CR4_PAE && !context->cs_long && !context->tss_16bit;
}

/* "Clearing CR0.PG": not in 64-bit code, and not with process-context identifiers on. */
static bool may_leave_paging(const struct cr_context *context)
{
	bool in_64bit_code = context->efer & EFER_LMA && context->cs_long;

	return !in_64bit_code && !(context->cr4 & CR4_PCIDE);
}

bool cr0_check(const struct cr_context *context, u64 *value, u32 *effects)
{
	u64 new = *value, changed;

	*effects = 0;
	/* Reserved bits of the lower half are ignored, those of the upper half fault. ET is always 1. */
	if (new >> 32)
		return false;
	new = (new & CR0_DEFINED) | CR0_ET;
	changed = new ^ context->cr0;
	if ((new & CR0_PG && !(new & CR0_PE)) || (new & CR0_NW && !(new & CR0_CD)))
		return false;
	if (changed & CR0_PG) {
		bool on = new & CR0_PG, lme = context->efer & EFER_LME;

		if (on && lme && !may_enter_long_mode(context))
			return false;
		if (!on && !may_leave_paging(context))
			return false;
		*effects |= CR_FLUSH;
		if (on && lme)
			*effects |= CR_LMA_SET;
		if (!on && context->efer & EFER_LMA)
			*effects |= CR_LMA_CLEAR;
	}
	if (new & CR0_PG && context->cr4 & CR4_PAE && !(context->efer & EFER_LME) &&
	    changed & (CR0_PG | CR0_CD | CR0_NW))
		*effects |= CR_LOAD_PDPTES;
	*value = new;
	return true;
}

bool cr3_check(const struct cr_context *context, u64 *value, u32 physical_bits, u32 *effects)
{
	bool keep = context->cr4 & CR4_PCIDE && *value & CR3_NO_FLUSH;
	u64 new = keep ? *value & ~CR3_NO_FLUSH : *value;

	*effects = keep ? 0 : CR_FLUSH;
	if (context->efer & EFER_LMA && new & ~(BIT(physical_bits) - 1))
		return false;
	if (pae_paging(context->cr0, context->cr4, context->efer))
		*effects |= CR_LOAD_PDPTES;
	*value = new;
	return true;
}

bool cr4_check(const struct cr_context *context, u64 value, u32 *effects)
{
	u64 changed = value ^ context->cr4;
	bool lma = context->efer & EFER_LMA;

	*effects = 0;
	if (value & ~context->cr4_supported)
		return false;
	if (lma && !(value & CR4_PAE))
		return false;
	/* SDM "Enabling Process-Context Identifiers": only in IA-32e mode, and only with PCID 0 in CR3. */
	if (value & CR4_PCIDE && (!lma || (changed & CR4_PCIDE && context->cr3 & (PAGE_SIZE - 1))))
		return false;
	if (changed & CR4_FLUSHING)
		*effects |= CR_FLUSH;
	if (pae_paging(context->cr0, value, context->efer) && changed & CR4_PDPTE)
		*effects |= CR_LOAD_PDPTES;
	return true;
}

bool pdpte_valid(u64 pdpte, u32 physical_bits)
{
	u64 reserved = BITS(2, 1) | BITS(8, 5) | ~(BIT(physical_bits) - 1);

	return !(pdpte & BIT(0)) || !(pdpte & reserved);
}
