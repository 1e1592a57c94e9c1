/*
 * The rules for writing control registers (SDM "Control Registers", "MOV—Move to/from Control Registers"): pure checks,
 * and the writes that obey them. An engine exits for a write when it cannot leave it to the processor; so each write is
 * checked in full.
 */
#ifndef VMM_CR_H
#define VMM_CR_H

#include "lib/types.h"

struct vcpu;
struct vm;

/* What a check needs to know of the vCPU. */
struct cr_context {
	u64 cr0, cr3, cr4, efer;
	u64 cr4_supported;
	bool cs_long;	/* CS.L */
	bool tss_16bit; /* TR holds a 16-bit TSS */
};

/* What follows from a write that was accepted. */
#define CR_LOAD_PDPTES BIT(0) /* PAE paging: read and check the PDPTEs */
#define CR_FLUSH       BIT(1) /* linear translations go */
#define CR_LMA_SET     BIT(2)
#define CR_LMA_CLEAR   BIT(3)

/* False: #GP(0). *value becomes what the register will read as; *effects gets CR_*. */
bool cr0_check(const struct cr_context *context, u64 *value, u32 *effects);
bool cr3_check(const struct cr_context *context, u64 *value, u32 physical_bits, u32 *effects);
bool cr4_check(const struct cr_context *context, u64 value, u32 *effects);
/* SDM "PAE Paging": reserved bits of a present PDPTE. */
bool pdpte_valid(u64 pdpte, u32 physical_bits);
/* Whether paging is PAE paging with these. */
bool pae_paging(u64 cr0, u64 cr4, u64 efer);

/* Read the PDPTEs that CR3 names. False: #GP(0). What is not RAM reads as all ones. */
bool read_pdptes(struct vm *vm, u64 cr3, u32 physical_bits, u64 pdpte[4]);
/* Likewise, and hand them to the engine. */
bool load_pdptes(struct vcpu *vcpu, u64 cr3);

#endif
