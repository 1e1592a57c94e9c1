#include "arch/x86_64/vmx/apic_controls.h"

/*
 * An APIC-access page for MMIO, x2APIC mode for MSRs: an entry with both is refused. Registers only where there is one
 * of them. Interrupts however the registers are reached, but not while the local APIC is disabled: the processor would
 * deliver what must wait.
 */
u32 apic_controls(u32 offered, const struct apic_view *view)
{
	static const u32 by_access[] = {
		[APIC_ACCESS_NONE] = 0,
		[APIC_ACCESS_MMIO] = (u32)SECONDARY_APIC_ACCESS,
		[APIC_ACCESS_MSR] = (u32)SECONDARY_X2APIC,
	};
	u32 controls = by_access[view->access] & offered;

	if (controls)
		controls |= (u32)SECONDARY_APIC_REGISTER & offered;
	if (view->enabled)
		controls |= (u32)SECONDARY_VIRTUAL_INTERRUPTS & offered;
	return controls;
}

#define MSR_TPR	     0x808u
#define MSR_PPR	     0x80au
#define MSR_EOI	     0x80bu
#define MSR_SELF_IPI 0x83fu

/*
 * What is true in the page at any time. Not there: the timer's current count (839), which is computed when it is read;
 * MSRs that do not exist or are write-only, which the processor would answer from the page too (SDM "Virtualizing
 * MSR-Based APIC Accesses"). PPR is kept in the page only by a processor that delivers interrupts.
 */
static const struct {
	u32 first, last, control;
} readable[] = {
	{0x802, 0x803, (u32)SECONDARY_APIC_REGISTER}, /* ID, version */
	{MSR_TPR, MSR_TPR, (u32)SECONDARY_X2APIC},
	{MSR_PPR, MSR_PPR, (u32)(SECONDARY_APIC_REGISTER | SECONDARY_VIRTUAL_INTERRUPTS)},
	{0x80d, 0x80d, (u32)SECONDARY_APIC_REGISTER}, /* LDR */
	{0x80f, 0x828, (u32)SECONDARY_APIC_REGISTER}, /* SVR, ISR, TMR, IRR, ESR */
	{0x830, 0x830, (u32)SECONDARY_APIC_REGISTER}, /* ICR */
	{0x832, 0x838, (u32)SECONDARY_APIC_REGISTER}, /* LVT, initial count */
	{0x83e, 0x83e, (u32)SECONDARY_APIC_REGISTER}, /* divide configuration */
};

bool apic_msr_reads_page(u32 controls, u32 msr)
{
	if (!(controls & SECONDARY_X2APIC))
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(readable); i++)
		if (msr >= readable[i].first && msr <= readable[i].last)
			return (controls & readable[i].control) == readable[i].control;
	return false;
}

/* All others would be written to the processor's own local APIC. */
bool apic_msr_writes_page(u32 controls, u32 msr)
{
	if (!(controls & SECONDARY_X2APIC))
		return false;
	return msr == MSR_TPR || ((msr == MSR_EOI || msr == MSR_SELF_IPI) && controls & SECONDARY_VIRTUAL_INTERRUPTS);
}

u16 apic_interrupt_status(const struct apic_view *view)
{
	return (u16)(view->requested | view->in_service << 8);
}

u64 apic_eoi_exits(const struct apic_view *view, u32 quarter)
{
	const u32 *level = view->level + 2 * quarter * APIC_WORD;

	return level[0] | (u64)level[APIC_WORD] << 32;
}

bool apic_any_eoi_exits(const struct apic_view *view)
{
	u32 any = 0;

#pragma GCC unroll 8
	for (u32 word = 0; word < 8; word++)
		any |= view->level[word * APIC_WORD];
	return any;
}

u32 apic_threshold(u32 controls, const struct apic_view *view)
{
	return controls & SECONDARY_VIRTUAL_INTERRUPTS ? 0 : view->threshold;
}
