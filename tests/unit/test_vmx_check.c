// sources: arch/x86_64/vmx/check.c arch/x86_64/vmx/check_controls.c arch/x86_64/vmx/check_host.c arch/x86_64/vmx/check_guest.c arch/x86_64/vmx/check_segments.c arch/x86_64/vmx/fields.c lib/fmt.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/vmx/check.h"
#include "arch/x86_64/vmx/controls.h"

#define PHYSICAL_BITS 40
#define BEYOND	      (1ull << PHYSICAL_BITS)
#define NOT_CANONICAL 0x800000000000ull
#define MAX_CHANGES   8

/* Good states to start from; each breakage names the one it needs. */
enum base { LONG_MODE, REAL_MODE, V8086_MODE, PAE_MODE, OLD_MODE /* without unrestricted guest */, BASES };

struct change {
	enum vmcs_index index;
	u64 value;
};

/* A state that one row must refuse, by its words. */
struct breakage {
	const char *words;
	enum base base;
	struct change change[MAX_CHANGES];
	u32 count;
};

static const struct change long_mode[] = {
	{INDEX_PIN_CONTROLS, 0x16 | PIN_EXTERNAL_INTERRUPT | PIN_NMI | PIN_VIRTUAL_NMIS | PIN_PREEMPTION_TIMER},
	{INDEX_PRIMARY_CONTROLS, PRIMARY_SECONDARY | PRIMARY_MSR_BITMAPS},
	{INDEX_SECONDARY_CONTROLS, SECONDARY_EPT | SECONDARY_UNRESTRICTED | SECONDARY_VPID},
	{INDEX_EXIT_CONTROLS, EXIT_CTL_HOST_64 | EXIT_CTL_SAVE_PREEMPTION},
	{INDEX_ENTRY_CONTROLS, ENTRY_CTL_IA32E},
	{INDEX_VPID, 1}, {INDEX_MSR_BITMAP, 0x5000}, {INDEX_EPT_POINTER, 0x7000 | 3 << 3 | CACHE_WB},
	{INDEX_VMCS_LINK_POINTER, ~0ull},
	{INDEX_HOST_CR0, 0x80010033}, {INDEX_HOST_CR4, 0x2020}, {INDEX_HOST_CR3, 0x1000},
	{INDEX_HOST_PAT, 0x0007040600070406}, {INDEX_HOST_EFER, EFER_LMA | EFER_LME | EFER_NXE},
	{INDEX_HOST_CS_SELECTOR, 8}, {INDEX_HOST_SS_SELECTOR, 16}, {INDEX_HOST_TR_SELECTOR, 24},
	{INDEX_HOST_RIP, 0xffffffff80000000}, {INDEX_HOST_GS_BASE, 0xffffffff80001000},
	{INDEX_GUEST_CR0, 0x80010033}, {INDEX_GUEST_CR4, 0x2020}, {INDEX_GUEST_CR3, 0x1000}, {INDEX_GUEST_DR7, 0x400},
	{INDEX_GUEST_PAT, 0x0007040600070406}, {INDEX_GUEST_EFER, EFER_LMA | EFER_LME},
	{INDEX_GUEST_RIP, 0xffffffff81000000}, {INDEX_GUEST_RFLAGS, 2},
	{INDEX_GUEST_GDTR_LIMIT, 0xffff}, {INDEX_GUEST_IDTR_LIMIT, 0xffff},
	{INDEX_GUEST_CS_SELECTOR, 0x10}, {INDEX_GUEST_CS_LIMIT, 0xffffffff}, {INDEX_GUEST_CS_RIGHTS, 0xa09b},
	{INDEX_GUEST_SS_SELECTOR, 0x18}, {INDEX_GUEST_SS_LIMIT, 0xffffffff}, {INDEX_GUEST_SS_RIGHTS, 0xc093},
	{INDEX_GUEST_DS_LIMIT, 0xffffffff}, {INDEX_GUEST_DS_RIGHTS, 0xc093}, {INDEX_GUEST_ES_LIMIT, 0xffffffff},
	{INDEX_GUEST_ES_RIGHTS, 0xc093}, {INDEX_GUEST_FS_RIGHTS, 0x10000}, {INDEX_GUEST_GS_LIMIT, 0xffffffff},
	{INDEX_GUEST_GS_RIGHTS, 0xc093}, {INDEX_GUEST_LDTR_RIGHTS, 0x10000}, {INDEX_GUEST_TR_LIMIT, 0x67},
	{INDEX_GUEST_TR_RIGHTS, 0x8b},
};

/* Changes on top of long_mode. */
static const struct change real_mode[] = {
	{INDEX_ENTRY_CONTROLS, 0}, {INDEX_GUEST_CR0, 0x20}, {INDEX_GUEST_CR4, 0x2000}, {INDEX_GUEST_EFER, 0},
	{INDEX_GUEST_RIP, 0xfff0},
	{INDEX_GUEST_CS_SELECTOR, 0xf000}, {INDEX_GUEST_CS_BASE, 0xffff0000}, {INDEX_GUEST_CS_LIMIT, 0xffff},
	{INDEX_GUEST_CS_RIGHTS, 0x9b},
	{INDEX_GUEST_SS_SELECTOR, 0}, {INDEX_GUEST_SS_LIMIT, 0xffff}, {INDEX_GUEST_SS_RIGHTS, 0x93},
};
#define V86_SEGMENT(s) \
	{INDEX_GUEST_##s##_SELECTOR, 0x1234}, {INDEX_GUEST_##s##_BASE, 0x12340}, {INDEX_GUEST_##s##_LIMIT, 0xffff}, \
	{INDEX_GUEST_##s##_RIGHTS, 0xf3}
static const struct change v8086_mode[] = {
	{INDEX_ENTRY_CONTROLS, 0}, {INDEX_GUEST_EFER, 0}, {INDEX_GUEST_CR4, 0x2000},
	{INDEX_GUEST_RFLAGS, 2 | RFLAGS_VM}, {INDEX_GUEST_RIP, 0x100},
	V86_SEGMENT(CS), V86_SEGMENT(SS), V86_SEGMENT(DS), V86_SEGMENT(ES), V86_SEGMENT(FS), V86_SEGMENT(GS),
};
static const struct change pae_mode[] = {
	{INDEX_ENTRY_CONTROLS, 0}, {INDEX_GUEST_EFER, 0}, {INDEX_GUEST_RIP, 0x100000}, {INDEX_GUEST_CS_RIGHTS, 0xc09b},
	{INDEX_GUEST_PDPTE0, 0x2001},
};
static const struct change old_mode[] = {{INDEX_SECONDARY_CONTROLS, SECONDARY_EPT | SECONDARY_VPID}};

static void apply(struct vmcs_snapshot *s, const struct change *change, u32 count)
{
	for (u32 i = 0; i < count; i++)
		s->value[change[i].index] = change[i].value;
}

static void start_from(struct vmcs_snapshot *s, enum base base)
{
	memset(s, 0, sizeof(*s));
	apply(s, long_mode, ARRAY_SIZE(long_mode));
	if (base == REAL_MODE)
		apply(s, real_mode, ARRAY_SIZE(real_mode));
	if (base == V8086_MODE)
		apply(s, v8086_mode, ARRAY_SIZE(v8086_mode));
	if (base == PAE_MODE)
		apply(s, pae_mode, ARRAY_SIZE(pae_mode));
	if (base == OLD_MODE)
		apply(s, old_mode, ARRAY_SIZE(old_mode));
}

/* Allows all but bit 5 of each group, and forces the pin group's default1 bits. */
static const struct check_machine machine = {
	.physical_bits = PHYSICAL_BITS,
	.linear_bits = 48,
	.capability = {
		.control = {~0ull << 32 | 0x16, ~0x20ull << 32, 0x7fffffffull << 32, ~0x20ull << 32, ~0x20ull << 32},
		.cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff, .cr4_fixed0 = 0x2000, .cr4_fixed1 = 0xb767ff,
		.misc = MISC_ACTIVITY_HLT | MISC_ACTIVITY_SHUTDOWN,
	},
};

static const struct breakage bad_controls[] = {
	{"pin-based controls this processor does not allow",
	 LONG_MODE, {{INDEX_PIN_CONTROLS, PIN_EXTERNAL_INTERRUPT}}, 1},
	{"primary controls this processor does not allow",
	 LONG_MODE, {{INDEX_PRIMARY_CONTROLS, BIT(5)}}, 1},
	{"secondary controls this processor does not allow",
	 LONG_MODE, {{INDEX_SECONDARY_CONTROLS, BIT(31)}}, 1},
	{"VM-exit controls this processor does not allow",
	 LONG_MODE, {{INDEX_EXIT_CONTROLS, BIT(5)}}, 1},
	{"VM-entry controls this processor does not allow",
	 LONG_MODE, {{INDEX_ENTRY_CONTROLS, BIT(5)}}, 1},
	{"more than four CR3-target values",
	 LONG_MODE, {{INDEX_CR3_TARGET_COUNT, 5}}, 1},
	{"the MSR bitmap is not a page of physical memory",
	 LONG_MODE, {{INDEX_MSR_BITMAP, 0x5001}}, 1},
	{"the MSR bitmap is not a page of physical memory",
	 LONG_MODE, {{INDEX_MSR_BITMAP, BEYOND}}, 1},
	{"virtual NMIs need NMI exiting",
	 LONG_MODE, {{INDEX_PIN_CONTROLS, 0x16 | PIN_VIRTUAL_NMIS | PIN_PREEMPTION_TIMER}}, 1},
	{"NMI-window exiting needs virtual NMIs",
	 LONG_MODE, {{INDEX_PIN_CONTROLS, 0x16 | PIN_NMI | PIN_PREEMPTION_TIMER},
		     {INDEX_PRIMARY_CONTROLS, PRIMARY_NMI_WINDOW}}, 2},
	{"VPID is on and the VPID is 0",
	 LONG_MODE, {{INDEX_VPID, 0}}, 1},
	{"the EPT pointer's memory type is neither UC nor WB",
	 LONG_MODE, {{INDEX_EPT_POINTER, 0x7000 | 3 << 3 | CACHE_WT}}, 1},
	{"the EPT pointer's page-walk length is not 4",
	 LONG_MODE, {{INDEX_EPT_POINTER, 0x7000 | 4 << 3 | CACHE_WB}}, 1},
	{"reserved bits of the EPT pointer are set",
	 LONG_MODE, {{INDEX_EPT_POINTER, 0x7000 | BIT(7) | 3 << 3 | CACHE_WB}}, 1},
	{"reserved bits of the EPT pointer are set",
	 LONG_MODE, {{INDEX_EPT_POINTER, BEYOND | 3 << 3 | CACHE_WB}}, 1},
	{"unrestricted guest needs EPT",
	 LONG_MODE, {{INDEX_SECONDARY_CONTROLS, SECONDARY_UNRESTRICTED}}, 1},
	{"the virtual-APIC page is not a page of physical memory",
	 LONG_MODE, {{INDEX_PRIMARY_CONTROLS, PRIMARY_SECONDARY | PRIMARY_TPR_SHADOW},
		     {INDEX_VIRTUAL_APIC_ADDRESS, 0x8010}}, 2},
	{"the virtual-APIC page is not a page of physical memory",
	 LONG_MODE, {{INDEX_PRIMARY_CONTROLS, PRIMARY_SECONDARY | PRIMARY_TPR_SHADOW},
		     {INDEX_VIRTUAL_APIC_ADDRESS, BEYOND}}, 2},
	{"reserved bits of the TPR threshold are set",
	 LONG_MODE, {{INDEX_PRIMARY_CONTROLS, PRIMARY_SECONDARY | PRIMARY_TPR_SHADOW}, {INDEX_TPR_THRESHOLD, 0x10}}, 2},
	{"APIC virtualization needs the TPR shadow",
	 LONG_MODE, {{INDEX_SECONDARY_CONTROLS, SECONDARY_EPT | SECONDARY_VIRTUAL_INTERRUPTS}}, 1},
	{"APIC virtualization needs the TPR shadow",
	 LONG_MODE, {{INDEX_SECONDARY_CONTROLS, SECONDARY_EPT | SECONDARY_X2APIC}}, 1},
	{"APIC virtualization needs the TPR shadow",
	 LONG_MODE, {{INDEX_SECONDARY_CONTROLS, SECONDARY_EPT | SECONDARY_APIC_REGISTER}}, 1},
	{"the APIC-access page is not a page of physical memory",
	 LONG_MODE, {{INDEX_SECONDARY_CONTROLS, SECONDARY_EPT | SECONDARY_APIC_ACCESS},
		     {INDEX_APIC_ACCESS_ADDRESS, 0x10}}, 2},
	{"an APIC-access page and x2APIC mode at once",
	 LONG_MODE, {{INDEX_PRIMARY_CONTROLS, PRIMARY_SECONDARY | PRIMARY_TPR_SHADOW},
		     {INDEX_SECONDARY_CONTROLS, SECONDARY_EPT | SECONDARY_APIC_ACCESS | SECONDARY_X2APIC}}, 2},
	{"virtual-interrupt delivery needs external-interrupt exiting",
	 LONG_MODE, {{INDEX_PRIMARY_CONTROLS, PRIMARY_SECONDARY | PRIMARY_TPR_SHADOW},
		     {INDEX_SECONDARY_CONTROLS, SECONDARY_EPT | SECONDARY_VIRTUAL_INTERRUPTS},
		     {INDEX_PIN_CONTROLS, 0x16 | PIN_PREEMPTION_TIMER}}, 3},
	{"saving the VMX-preemption timer needs the timer on",
	 LONG_MODE, {{INDEX_PIN_CONTROLS, 0x16}}, 1},
	{"entry to SMM from outside SMM",
	 LONG_MODE, {{INDEX_ENTRY_CONTROLS, ENTRY_CTL_SMM}}, 1},
	{"the injected event has a reserved type",
	 LONG_MODE, {{INDEX_ENTRY_INTERRUPTION_INFO, INTERRUPTION_VALID | 1 << 8}}, 1},
	{"an injected NMI must have vector 2",
	 LONG_MODE, {{INDEX_ENTRY_INTERRUPTION_INFO, INTERRUPTION_VALID | TYPE_NMI << 8 | 3}}, 1},
	{"an injected exception must have a vector up to 31",
	 LONG_MODE, {{INDEX_ENTRY_INTERRUPTION_INFO, INTERRUPTION_VALID | TYPE_HARDWARE_EXCEPTION << 8 | 32}}, 1},
	{"the injected event has an error code it must not have, or lacks one",
	 LONG_MODE, {{INDEX_ENTRY_INTERRUPTION_INFO,
		      INTERRUPTION_VALID | TYPE_HARDWARE_EXCEPTION << 8 | VECTOR_GP}}, 1},
	{"the injected event has an error code it must not have, or lacks one",
	 LONG_MODE, {{INDEX_ENTRY_INTERRUPTION_INFO,
		      INTERRUPTION_VALID | INTERRUPTION_ERROR_VALID | TYPE_HARDWARE_EXCEPTION << 8 | VECTOR_UD}}, 1},
	{"the injected event has an error code it must not have, or lacks one",
	 LONG_MODE, {{INDEX_ENTRY_INTERRUPTION_INFO,
		      INTERRUPTION_VALID | INTERRUPTION_ERROR_VALID | TYPE_HARDWARE_EXCEPTION << 8 | VECTOR_GP},
		     {INDEX_GUEST_CR0, 0x20}}, 2},
	{"reserved bits of the injected event are set",
	 LONG_MODE, {{INDEX_ENTRY_INTERRUPTION_INFO, INTERRUPTION_VALID | BIT(12) | TYPE_EXTERNAL << 8 | 32}}, 1},
	{"the injected error code is wider than 16 bits",
	 LONG_MODE, {{INDEX_ENTRY_INTERRUPTION_INFO,
		      INTERRUPTION_VALID | INTERRUPTION_ERROR_VALID | TYPE_HARDWARE_EXCEPTION << 8 | VECTOR_GP},
		     {INDEX_ENTRY_EXCEPTION_ERROR, 0x10000}}, 2},
	{"the injected software event's instruction length is not 1 to 15",
	 LONG_MODE, {{INDEX_ENTRY_INTERRUPTION_INFO, INTERRUPTION_VALID | TYPE_SOFTWARE_INTERRUPT << 8 | 0x80},
		     {INDEX_ENTRY_INSTRUCTION_LENGTH, 16}}, 2},
	{"the injected software event's instruction length is not 1 to 15",
	 LONG_MODE, {{INDEX_ENTRY_INTERRUPTION_INFO, INTERRUPTION_VALID | TYPE_SOFTWARE_INTERRUPT << 8 | 0x80}}, 1},
};

static const struct breakage bad_host[] = {
	{"CR0 lacks a bit VMX operation fixes, or has one it forbids",
	 LONG_MODE, {{INDEX_HOST_CR0, 0x80010013}}, 1},
	{"CR0 lacks a bit VMX operation fixes, or has one it forbids",
	 LONG_MODE, {{INDEX_HOST_CR0, BIT(32) | 0x80010033}}, 1},
	{"CR4 lacks a bit VMX operation fixes, or has one it forbids",
	 LONG_MODE, {{INDEX_HOST_CR4, 0x20}}, 1},
	{"CR3 is beyond the physical-address width",
	 LONG_MODE, {{INDEX_HOST_CR3, BEYOND}}, 1},
	{"SYSENTER_ESP is not canonical",
	 LONG_MODE, {{INDEX_HOST_SYSENTER_ESP, NOT_CANONICAL}}, 1},
	{"SYSENTER_EIP is not canonical",
	 LONG_MODE, {{INDEX_HOST_SYSENTER_EIP, NOT_CANONICAL}}, 1},
	{"PAT holds a reserved memory type",
	 LONG_MODE, {{INDEX_HOST_PAT, 2}}, 1},
	{"reserved bits of EFER are set",
	 LONG_MODE, {{INDEX_HOST_EFER, EFER_LMA | EFER_LME | BIT(1)}}, 1},
	{"a 64-bit host needs EFER.LMA and EFER.LME",
	 LONG_MODE, {{INDEX_HOST_EFER, EFER_LME}}, 1},
	{"CS must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_CS_SELECTOR, 0xb}}, 1},
	{"CS must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_CS_SELECTOR, 0xc}}, 1},
	{"SS must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_SS_SELECTOR, 0xb}}, 1},
	{"SS must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_SS_SELECTOR, 0xc}}, 1},
	{"DS must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_DS_SELECTOR, 0xb}}, 1},
	{"DS must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_DS_SELECTOR, 0xc}}, 1},
	{"ES must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_ES_SELECTOR, 0xb}}, 1},
	{"ES must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_ES_SELECTOR, 0xc}}, 1},
	{"FS must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_FS_SELECTOR, 0xb}}, 1},
	{"FS must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_FS_SELECTOR, 0xc}}, 1},
	{"GS must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_GS_SELECTOR, 0xb}}, 1},
	{"GS must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_GS_SELECTOR, 0xc}}, 1},
	{"TR must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_TR_SELECTOR, 0xb}}, 1},
	{"TR must have RPL 0 and TI 0",
	 LONG_MODE, {{INDEX_HOST_TR_SELECTOR, 0xc}}, 1},
	{"CS must not be null",
	 LONG_MODE, {{INDEX_HOST_CS_SELECTOR, 0}}, 1},
	{"TR must not be null",
	 LONG_MODE, {{INDEX_HOST_TR_SELECTOR, 0}}, 1},
	{"FS base is not canonical",
	 LONG_MODE, {{INDEX_HOST_FS_BASE, NOT_CANONICAL}}, 1},
	{"GS base is not canonical",
	 LONG_MODE, {{INDEX_HOST_GS_BASE, NOT_CANONICAL}}, 1},
	{"TR base is not canonical",
	 LONG_MODE, {{INDEX_HOST_TR_BASE, NOT_CANONICAL}}, 1},
	{"GDTR base is not canonical",
	 LONG_MODE, {{INDEX_HOST_GDTR_BASE, NOT_CANONICAL}}, 1},
	{"IDTR base is not canonical",
	 LONG_MODE, {{INDEX_HOST_IDTR_BASE, NOT_CANONICAL}}, 1},
	{"in IA-32e mode the exit must be to a 64-bit host",
	 LONG_MODE, {{INDEX_EXIT_CONTROLS, 0}}, 1},
	{"a 64-bit host needs CR4.PAE",
	 LONG_MODE, {{INDEX_HOST_CR4, 0x2000}}, 1},
	{"RIP is not canonical",
	 LONG_MODE, {{INDEX_HOST_RIP, NOT_CANONICAL}}, 1},
};

static const struct breakage bad_guest[] = {
	{"CR0 lacks a bit VMX operation fixes, or has one it forbids",
	 LONG_MODE, {{INDEX_GUEST_CR0, 0x80010013}}, 1},
	{"CR0 lacks a bit VMX operation fixes, or has one it forbids",
	 OLD_MODE, {{INDEX_GUEST_CR0, 0x20}}, 1},
	{"CR0.PG needs CR0.PE",
	 LONG_MODE, {{INDEX_GUEST_CR0, 0x80010032}}, 1},
	{"CR4 lacks a bit VMX operation fixes, or has one it forbids",
	 LONG_MODE, {{INDEX_GUEST_CR4, 0x20}}, 1},
	{"CR4 lacks a bit VMX operation fixes, or has one it forbids",
	 LONG_MODE, {{INDEX_GUEST_CR4, BIT(30) | 0x2020}}, 1},
	{"CR4.CET needs CR0.WP",
	 LONG_MODE, {{INDEX_GUEST_CR4, CR4_CET | 0x2020}, {INDEX_GUEST_CR0, 0x80000033}}, 2},
	{"reserved bits of IA32_DEBUGCTL are set",
	 LONG_MODE, {{INDEX_GUEST_DEBUGCTL, BIT(4)}}, 1},
	{"IA-32e mode needs CR0.PG",
	 LONG_MODE, {{INDEX_GUEST_CR0, 0x33}}, 1},
	{"IA-32e mode needs CR4.PAE",
	 LONG_MODE, {{INDEX_GUEST_CR4, 0x2000}}, 1},
	{"CR4.PCIDE needs IA-32e mode",
	 PAE_MODE, {{INDEX_GUEST_CR4, CR4_PCIDE | 0x2020}}, 1},
	{"CR3 is beyond the physical-address width",
	 LONG_MODE, {{INDEX_GUEST_CR3, BEYOND}}, 1},
	{"the upper half of DR7 is not 0",
	 LONG_MODE, {{INDEX_GUEST_DR7, BIT(32) | 0x400}}, 1},
	{"SYSENTER_ESP is not canonical",
	 LONG_MODE, {{INDEX_GUEST_SYSENTER_ESP, NOT_CANONICAL}}, 1},
	{"SYSENTER_EIP is not canonical",
	 LONG_MODE, {{INDEX_GUEST_SYSENTER_EIP, NOT_CANONICAL}}, 1},
	{"PAT holds a reserved memory type",
	 LONG_MODE, {{INDEX_GUEST_PAT, 3}}, 1},
	{"PAT holds a reserved memory type",
	 LONG_MODE, {{INDEX_GUEST_PAT, 8ull << 56}}, 1},
	{"reserved bits of EFER are set",
	 LONG_MODE, {{INDEX_GUEST_EFER, EFER_LMA | EFER_LME | EFER_SVME}}, 1},
	{"EFER.LMA and the entry control \"IA-32e mode guest\" differ",
	 LONG_MODE, {{INDEX_GUEST_EFER, EFER_LME}}, 1},
	{"with paging EFER.LMA and EFER.LME must be equal",
	 LONG_MODE, {{INDEX_GUEST_EFER, EFER_LMA}}, 1},
	{"GDTR base is not canonical",
	 LONG_MODE, {{INDEX_GUEST_GDTR_BASE, NOT_CANONICAL}}, 1},
	{"IDTR base is not canonical",
	 LONG_MODE, {{INDEX_GUEST_IDTR_BASE, NOT_CANONICAL}}, 1},
	{"GDTR limit is wider than 16 bits",
	 LONG_MODE, {{INDEX_GUEST_GDTR_LIMIT, 0x10000}}, 1},
	{"IDTR limit is wider than 16 bits",
	 LONG_MODE, {{INDEX_GUEST_IDTR_LIMIT, 0x10000}}, 1},
	{"outside 64-bit code the upper half of RIP must be 0",
	 PAE_MODE, {{INDEX_GUEST_RIP, BIT(32)}}, 1},
	{"outside 64-bit code the upper half of RIP must be 0",
	 LONG_MODE, {{INDEX_GUEST_RIP, BIT(32)}, {INDEX_GUEST_CS_RIGHTS, 0xc09b}}, 2},
	{"RIP is not canonical",
	 LONG_MODE, {{INDEX_GUEST_RIP, NOT_CANONICAL}}, 1},
	{"reserved bits of RFLAGS are set",
	 LONG_MODE, {{INDEX_GUEST_RFLAGS, 2 | BIT(3)}}, 1},
	{"bit 1 of RFLAGS must be 1",
	 LONG_MODE, {{INDEX_GUEST_RFLAGS, 0}}, 1},
	{"RFLAGS.VM needs protected mode outside IA-32e mode",
	 LONG_MODE, {{INDEX_GUEST_RFLAGS, 2 | RFLAGS_VM}}, 1},
	{"RFLAGS.VM needs protected mode outside IA-32e mode",
	 REAL_MODE, {{INDEX_GUEST_RFLAGS, 2 | RFLAGS_VM}}, 1},
	{"injecting an external interrupt needs RFLAGS.IF",
	 LONG_MODE, {{INDEX_ENTRY_INTERRUPTION_INFO, INTERRUPTION_VALID | 0x20}}, 1},
	{"an activity state this processor does not have",
	 LONG_MODE, {{INDEX_GUEST_ACTIVITY, 4}}, 1},
	{"an activity state this processor does not have",
	 LONG_MODE, {{INDEX_GUEST_ACTIVITY, 3}}, 1},
	{"an event cannot be injected in this activity state",
	 LONG_MODE, {{INDEX_GUEST_ACTIVITY, 2},
		     {INDEX_ENTRY_INTERRUPTION_INFO, INTERRUPTION_VALID | TYPE_NMI << 8 | 2}}, 2},
	{"halted outside ring 0",
	 LONG_MODE, {{INDEX_GUEST_ACTIVITY, 1}, {INDEX_GUEST_SS_RIGHTS, 0xc0f3}}, 2},
	{"STI or MOV-SS blocking needs the active state",
	 LONG_MODE, {{INDEX_GUEST_ACTIVITY, 1}, {INDEX_GUEST_INTERRUPTIBILITY, 2}}, 2},
	{"reserved bits of the interruptibility state are set",
	 LONG_MODE, {{INDEX_GUEST_INTERRUPTIBILITY, BIT(5)}}, 1},
	{"blocking by STI and by MOV SS at once",
	 LONG_MODE, {{INDEX_GUEST_INTERRUPTIBILITY, 3}, {INDEX_GUEST_RFLAGS, 2 | RFLAGS_IF}}, 2},
	{"blocking by STI needs RFLAGS.IF",
	 LONG_MODE, {{INDEX_GUEST_INTERRUPTIBILITY, 1}}, 1},
	{"an external interrupt is injected while STI or MOV SS blocks it",
	 LONG_MODE, {{INDEX_GUEST_INTERRUPTIBILITY, 2},
		     {INDEX_GUEST_RFLAGS, 2 | RFLAGS_IF},
		     {INDEX_ENTRY_INTERRUPTION_INFO, INTERRUPTION_VALID | 0x20}}, 3},
	{"an NMI is injected while STI or MOV SS blocks it",
	 LONG_MODE, {{INDEX_GUEST_INTERRUPTIBILITY, 2},
		     {INDEX_ENTRY_INTERRUPTION_INFO, INTERRUPTION_VALID | TYPE_NMI << 8 | 2}}, 2},
	{"blocking by SMI outside SMM",
	 LONG_MODE, {{INDEX_GUEST_INTERRUPTIBILITY, 4}}, 1},
	{"an NMI is injected while NMIs are blocked",
	 LONG_MODE, {{INDEX_GUEST_INTERRUPTIBILITY, 8},
		     {INDEX_ENTRY_INTERRUPTION_INFO, INTERRUPTION_VALID | TYPE_NMI << 8 | 2}}, 2},
	{"reserved bits of the pending debug exceptions are set",
	 LONG_MODE, {{INDEX_GUEST_PENDING_DEBUG, BIT(4)}}, 1},
	{"pending debug exceptions: BS and RFLAGS.TF disagree under STI or MOV-SS blocking",
	 LONG_MODE, {{INDEX_GUEST_INTERRUPTIBILITY, 2}, {INDEX_GUEST_RFLAGS, 2 | RFLAGS_TF}}, 2},
	{"pending debug exceptions: BS and RFLAGS.TF disagree under STI or MOV-SS blocking",
	 LONG_MODE, {{INDEX_GUEST_INTERRUPTIBILITY, 2}, {INDEX_GUEST_PENDING_DEBUG, PENDING_DEBUG_BS}}, 2},
	{"pending debug exceptions: BS and RFLAGS.TF disagree under STI or MOV-SS blocking",
	 LONG_MODE, {{INDEX_GUEST_INTERRUPTIBILITY, 2},
		     {INDEX_GUEST_RFLAGS, 2 | RFLAGS_TF},
		     {INDEX_GUEST_DEBUGCTL, DEBUGCTL_BTF},
		     {INDEX_GUEST_PENDING_DEBUG, PENDING_DEBUG_BS}}, 4},
	{"the VMCS link pointer must be all ones",
	 LONG_MODE, {{INDEX_VMCS_LINK_POINTER, 0}}, 1},
	{"a PDPTE has reserved bits set",
	 PAE_MODE, {{INDEX_GUEST_PDPTE0, 0x2003}}, 1},
	{"a PDPTE has reserved bits set",
	 PAE_MODE, {{INDEX_GUEST_PDPTE3, BEYOND | 1}}, 1},
	{"TR must not be in the LDT",
	 LONG_MODE, {{INDEX_GUEST_TR_SELECTOR, 4}}, 1},
	{"LDTR must not be in the LDT",
	 LONG_MODE, {{INDEX_GUEST_LDTR_SELECTOR, 4}, {INDEX_GUEST_LDTR_RIGHTS, 0x82}}, 2},
	{"SS and CS must have the same RPL",
	 OLD_MODE, {{INDEX_GUEST_SS_SELECTOR, 0x1b}}, 1},
	{"TR base is not canonical",
	 LONG_MODE, {{INDEX_GUEST_TR_BASE, NOT_CANONICAL}}, 1},
	{"FS base is not canonical",
	 LONG_MODE, {{INDEX_GUEST_FS_BASE, NOT_CANONICAL}}, 1},
	{"GS base is not canonical",
	 LONG_MODE, {{INDEX_GUEST_GS_BASE, NOT_CANONICAL}}, 1},
	{"LDTR base is not canonical",
	 LONG_MODE, {{INDEX_GUEST_LDTR_BASE, NOT_CANONICAL}, {INDEX_GUEST_LDTR_RIGHTS, 0x82}}, 2},
	{"the upper half of CS base must be 0",
	 LONG_MODE, {{INDEX_GUEST_CS_BASE, BIT(32)}}, 1},
	{"the upper half of SS base must be 0",
	 LONG_MODE, {{INDEX_GUEST_SS_BASE, BIT(32)}}, 1},
	{"the upper half of DS base must be 0",
	 LONG_MODE, {{INDEX_GUEST_DS_BASE, BIT(32)}}, 1},
	{"the upper half of ES base must be 0",
	 LONG_MODE, {{INDEX_GUEST_ES_BASE, BIT(32)}}, 1},
	{"in virtual-8086 mode CS base must be its selector times 16",
	 V8086_MODE, {{INDEX_GUEST_CS_BASE, 0x12341}}, 1},
	{"in virtual-8086 mode CS limit must be ffff",
	 V8086_MODE, {{INDEX_GUEST_CS_LIMIT, 0xfffe}}, 1},
	{"in virtual-8086 mode CS access rights must be f3",
	 V8086_MODE, {{INDEX_GUEST_CS_RIGHTS, 0x93}}, 1},
	{"in virtual-8086 mode SS base must be its selector times 16",
	 V8086_MODE, {{INDEX_GUEST_SS_BASE, 0x12341}}, 1},
	{"in virtual-8086 mode SS limit must be ffff",
	 V8086_MODE, {{INDEX_GUEST_SS_LIMIT, 0xfffe}}, 1},
	{"in virtual-8086 mode SS access rights must be f3",
	 V8086_MODE, {{INDEX_GUEST_SS_RIGHTS, 0x93}}, 1},
	{"in virtual-8086 mode DS base must be its selector times 16",
	 V8086_MODE, {{INDEX_GUEST_DS_BASE, 0x12341}}, 1},
	{"in virtual-8086 mode DS limit must be ffff",
	 V8086_MODE, {{INDEX_GUEST_DS_LIMIT, 0xfffe}}, 1},
	{"in virtual-8086 mode DS access rights must be f3",
	 V8086_MODE, {{INDEX_GUEST_DS_RIGHTS, 0x93}}, 1},
	{"in virtual-8086 mode ES base must be its selector times 16",
	 V8086_MODE, {{INDEX_GUEST_ES_BASE, 0x12341}}, 1},
	{"in virtual-8086 mode ES limit must be ffff",
	 V8086_MODE, {{INDEX_GUEST_ES_LIMIT, 0xfffe}}, 1},
	{"in virtual-8086 mode ES access rights must be f3",
	 V8086_MODE, {{INDEX_GUEST_ES_RIGHTS, 0x93}}, 1},
	{"in virtual-8086 mode FS base must be its selector times 16",
	 V8086_MODE, {{INDEX_GUEST_FS_BASE, 0x12341}}, 1},
	{"in virtual-8086 mode FS limit must be ffff",
	 V8086_MODE, {{INDEX_GUEST_FS_LIMIT, 0xfffe}}, 1},
	{"in virtual-8086 mode FS access rights must be f3",
	 V8086_MODE, {{INDEX_GUEST_FS_RIGHTS, 0x93}}, 1},
	{"in virtual-8086 mode GS base must be its selector times 16",
	 V8086_MODE, {{INDEX_GUEST_GS_BASE, 0x12341}}, 1},
	{"in virtual-8086 mode GS limit must be ffff",
	 V8086_MODE, {{INDEX_GUEST_GS_LIMIT, 0xfffe}}, 1},
	{"in virtual-8086 mode GS access rights must be f3",
	 V8086_MODE, {{INDEX_GUEST_GS_RIGHTS, 0x93}}, 1},
	{"CS must be an accessed code segment (or, in an unrestricted guest, read/write data)",
	 LONG_MODE, {{INDEX_GUEST_CS_RIGHTS, 0xa09a}}, 1},
	{"CS must be an accessed code segment (or, in an unrestricted guest, read/write data)",
	 OLD_MODE, {{INDEX_GUEST_CS_RIGHTS, 0xa093}}, 1},
	{"SS must be an accessed read/write data segment",
	 LONG_MODE, {{INDEX_GUEST_SS_RIGHTS, 0xc091}}, 1},
	{"DS must be accessed, and readable if it is code",
	 LONG_MODE, {{INDEX_GUEST_DS_RIGHTS, 0xc092}, {INDEX_GUEST_DS_LIMIT, 0xffffffff}}, 2},
	{"DS must be accessed, and readable if it is code",
	 LONG_MODE, {{INDEX_GUEST_DS_RIGHTS, 0xc099}, {INDEX_GUEST_DS_LIMIT, 0xffffffff}}, 2},
	{"DS.DPL is less than its RPL",
	 OLD_MODE, {{INDEX_GUEST_DS_RIGHTS, 0xc093},
		    {INDEX_GUEST_DS_LIMIT, 0xffffffff},
		    {INDEX_GUEST_DS_SELECTOR, 0x1b}}, 3},
	{"ES must be accessed, and readable if it is code",
	 LONG_MODE, {{INDEX_GUEST_ES_RIGHTS, 0xc092}, {INDEX_GUEST_ES_LIMIT, 0xffffffff}}, 2},
	{"ES must be accessed, and readable if it is code",
	 LONG_MODE, {{INDEX_GUEST_ES_RIGHTS, 0xc099}, {INDEX_GUEST_ES_LIMIT, 0xffffffff}}, 2},
	{"ES.DPL is less than its RPL",
	 OLD_MODE, {{INDEX_GUEST_ES_RIGHTS, 0xc093},
		    {INDEX_GUEST_ES_LIMIT, 0xffffffff},
		    {INDEX_GUEST_ES_SELECTOR, 0x1b}}, 3},
	{"FS must be accessed, and readable if it is code",
	 LONG_MODE, {{INDEX_GUEST_FS_RIGHTS, 0xc092}, {INDEX_GUEST_FS_LIMIT, 0xffffffff}}, 2},
	{"FS must be accessed, and readable if it is code",
	 LONG_MODE, {{INDEX_GUEST_FS_RIGHTS, 0xc099}, {INDEX_GUEST_FS_LIMIT, 0xffffffff}}, 2},
	{"FS.DPL is less than its RPL",
	 OLD_MODE, {{INDEX_GUEST_FS_RIGHTS, 0xc093},
		    {INDEX_GUEST_FS_LIMIT, 0xffffffff},
		    {INDEX_GUEST_FS_SELECTOR, 0x1b}}, 3},
	{"GS must be accessed, and readable if it is code",
	 LONG_MODE, {{INDEX_GUEST_GS_RIGHTS, 0xc092}, {INDEX_GUEST_GS_LIMIT, 0xffffffff}}, 2},
	{"GS must be accessed, and readable if it is code",
	 LONG_MODE, {{INDEX_GUEST_GS_RIGHTS, 0xc099}, {INDEX_GUEST_GS_LIMIT, 0xffffffff}}, 2},
	{"GS.DPL is less than its RPL",
	 OLD_MODE, {{INDEX_GUEST_GS_RIGHTS, 0xc093},
		    {INDEX_GUEST_GS_LIMIT, 0xffffffff},
		    {INDEX_GUEST_GS_SELECTOR, 0x1b}}, 3},
	{"CS must be a code or data segment (S)",
	 LONG_MODE, {{INDEX_GUEST_CS_RIGHTS, 0xa08b}, {INDEX_GUEST_CS_LIMIT, 0xffffffff}}, 2},
	{"CS must be present",
	 LONG_MODE, {{INDEX_GUEST_CS_RIGHTS, 0xa01b}, {INDEX_GUEST_CS_LIMIT, 0xffffffff}}, 2},
	{"reserved bits of CS access rights are set",
	 LONG_MODE, {{INDEX_GUEST_CS_RIGHTS, 0xa19b}, {INDEX_GUEST_CS_LIMIT, 0xffffffff}}, 2},
	{"reserved bits of CS access rights are set",
	 LONG_MODE, {{INDEX_GUEST_CS_RIGHTS, 0x2a09b}, {INDEX_GUEST_CS_LIMIT, 0xffffffff}}, 2},
	{"CS.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_CS_RIGHTS, 0x209b}, {INDEX_GUEST_CS_LIMIT, 0xffffffff}}, 2},
	{"CS.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_CS_RIGHTS, 0xa09b}, {INDEX_GUEST_CS_LIMIT, 0x1000}}, 2},
	{"SS must be a code or data segment (S)",
	 LONG_MODE, {{INDEX_GUEST_SS_RIGHTS, 0xc083}, {INDEX_GUEST_SS_LIMIT, 0xffffffff}}, 2},
	{"SS must be present",
	 LONG_MODE, {{INDEX_GUEST_SS_RIGHTS, 0xc013}, {INDEX_GUEST_SS_LIMIT, 0xffffffff}}, 2},
	{"reserved bits of SS access rights are set",
	 LONG_MODE, {{INDEX_GUEST_SS_RIGHTS, 0xc193}, {INDEX_GUEST_SS_LIMIT, 0xffffffff}}, 2},
	{"reserved bits of SS access rights are set",
	 LONG_MODE, {{INDEX_GUEST_SS_RIGHTS, 0x2c093}, {INDEX_GUEST_SS_LIMIT, 0xffffffff}}, 2},
	{"SS.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_SS_RIGHTS, 0x4093}, {INDEX_GUEST_SS_LIMIT, 0xffffffff}}, 2},
	{"SS.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_SS_RIGHTS, 0xc093}, {INDEX_GUEST_SS_LIMIT, 0x1000}}, 2},
	{"DS must be a code or data segment (S)",
	 LONG_MODE, {{INDEX_GUEST_DS_RIGHTS, 0xc083}, {INDEX_GUEST_DS_LIMIT, 0xffffffff}}, 2},
	{"DS must be present",
	 LONG_MODE, {{INDEX_GUEST_DS_RIGHTS, 0xc013}, {INDEX_GUEST_DS_LIMIT, 0xffffffff}}, 2},
	{"reserved bits of DS access rights are set",
	 LONG_MODE, {{INDEX_GUEST_DS_RIGHTS, 0xc193}, {INDEX_GUEST_DS_LIMIT, 0xffffffff}}, 2},
	{"reserved bits of DS access rights are set",
	 LONG_MODE, {{INDEX_GUEST_DS_RIGHTS, 0x2c093}, {INDEX_GUEST_DS_LIMIT, 0xffffffff}}, 2},
	{"DS.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_DS_RIGHTS, 0x4093}, {INDEX_GUEST_DS_LIMIT, 0xffffffff}}, 2},
	{"DS.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_DS_RIGHTS, 0xc093}, {INDEX_GUEST_DS_LIMIT, 0x1000}}, 2},
	{"ES must be a code or data segment (S)",
	 LONG_MODE, {{INDEX_GUEST_ES_RIGHTS, 0xc083}, {INDEX_GUEST_ES_LIMIT, 0xffffffff}}, 2},
	{"ES must be present",
	 LONG_MODE, {{INDEX_GUEST_ES_RIGHTS, 0xc013}, {INDEX_GUEST_ES_LIMIT, 0xffffffff}}, 2},
	{"reserved bits of ES access rights are set",
	 LONG_MODE, {{INDEX_GUEST_ES_RIGHTS, 0xc193}, {INDEX_GUEST_ES_LIMIT, 0xffffffff}}, 2},
	{"reserved bits of ES access rights are set",
	 LONG_MODE, {{INDEX_GUEST_ES_RIGHTS, 0x2c093}, {INDEX_GUEST_ES_LIMIT, 0xffffffff}}, 2},
	{"ES.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_ES_RIGHTS, 0x4093}, {INDEX_GUEST_ES_LIMIT, 0xffffffff}}, 2},
	{"ES.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_ES_RIGHTS, 0xc093}, {INDEX_GUEST_ES_LIMIT, 0x1000}}, 2},
	{"FS must be a code or data segment (S)",
	 LONG_MODE, {{INDEX_GUEST_FS_RIGHTS, 0xc083}, {INDEX_GUEST_FS_LIMIT, 0xffffffff}}, 2},
	{"FS must be present",
	 LONG_MODE, {{INDEX_GUEST_FS_RIGHTS, 0xc013}, {INDEX_GUEST_FS_LIMIT, 0xffffffff}}, 2},
	{"reserved bits of FS access rights are set",
	 LONG_MODE, {{INDEX_GUEST_FS_RIGHTS, 0xc193}, {INDEX_GUEST_FS_LIMIT, 0xffffffff}}, 2},
	{"reserved bits of FS access rights are set",
	 LONG_MODE, {{INDEX_GUEST_FS_RIGHTS, 0x2c093}, {INDEX_GUEST_FS_LIMIT, 0xffffffff}}, 2},
	{"FS.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_FS_RIGHTS, 0x4093}, {INDEX_GUEST_FS_LIMIT, 0xffffffff}}, 2},
	{"FS.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_FS_RIGHTS, 0xc093}, {INDEX_GUEST_FS_LIMIT, 0x1000}}, 2},
	{"GS must be a code or data segment (S)",
	 LONG_MODE, {{INDEX_GUEST_GS_RIGHTS, 0xc083}, {INDEX_GUEST_GS_LIMIT, 0xffffffff}}, 2},
	{"GS must be present",
	 LONG_MODE, {{INDEX_GUEST_GS_RIGHTS, 0xc013}, {INDEX_GUEST_GS_LIMIT, 0xffffffff}}, 2},
	{"reserved bits of GS access rights are set",
	 LONG_MODE, {{INDEX_GUEST_GS_RIGHTS, 0xc193}, {INDEX_GUEST_GS_LIMIT, 0xffffffff}}, 2},
	{"reserved bits of GS access rights are set",
	 LONG_MODE, {{INDEX_GUEST_GS_RIGHTS, 0x2c093}, {INDEX_GUEST_GS_LIMIT, 0xffffffff}}, 2},
	{"GS.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_GS_RIGHTS, 0x4093}, {INDEX_GUEST_GS_LIMIT, 0xffffffff}}, 2},
	{"GS.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_GS_RIGHTS, 0xc093}, {INDEX_GUEST_GS_LIMIT, 0x1000}}, 2},
	{"CS.DPL does not fit its type and SS.DPL",
	 LONG_MODE, {{INDEX_GUEST_CS_RIGHTS, 0xa0fb}}, 1},
	{"CS.DPL does not fit its type and SS.DPL",
	 LONG_MODE, {{INDEX_GUEST_CS_RIGHTS, 0xa0ff}}, 1},
	{"CS.DPL does not fit its type and SS.DPL",
	 REAL_MODE, {{INDEX_GUEST_CS_RIGHTS, 0xf3}}, 1},
	{"SS.DPL does not fit the mode",
	 REAL_MODE, {{INDEX_GUEST_SS_RIGHTS, 0xf3}, {INDEX_GUEST_CS_RIGHTS, 0xfb}}, 2},
	{"SS.DPL does not fit the mode",
	 OLD_MODE, {{INDEX_GUEST_SS_RIGHTS, 0xc0f3}, {INDEX_GUEST_CS_RIGHTS, 0xa0fb}}, 2},
	{"CS.L and CS.D at once",
	 LONG_MODE, {{INDEX_GUEST_CS_RIGHTS, 0xe09b}}, 1},
	{"TR must be usable",
	 LONG_MODE, {{INDEX_GUEST_TR_RIGHTS, 0x1008b}}, 1},
	{"TR must be a busy TSS, of 64 bits in IA-32e mode",
	 LONG_MODE, {{INDEX_GUEST_TR_RIGHTS, 0x83}}, 1},
	{"TR must be a busy TSS, of 64 bits in IA-32e mode",
	 REAL_MODE, {{INDEX_GUEST_TR_RIGHTS, 0x89}}, 1},
	{"TR must be a system segment",
	 LONG_MODE, {{INDEX_GUEST_TR_RIGHTS, 0x9b}}, 1},
	{"TR must be present",
	 LONG_MODE, {{INDEX_GUEST_TR_RIGHTS, 0x0b}}, 1},
	{"reserved bits of TR access rights are set",
	 LONG_MODE, {{INDEX_GUEST_TR_RIGHTS, 0x18b}}, 1},
	{"TR.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_TR_RIGHTS, 0x808b}}, 1},
	{"LDTR must be an LDT",
	 LONG_MODE, {{INDEX_GUEST_LDTR_RIGHTS, 0x8b}, {INDEX_GUEST_LDTR_LIMIT, 0xffff}}, 2},
	{"LDTR must be a system segment",
	 LONG_MODE, {{INDEX_GUEST_LDTR_RIGHTS, 0x92}, {INDEX_GUEST_LDTR_LIMIT, 0xffff}}, 2},
	{"LDTR must be present",
	 LONG_MODE, {{INDEX_GUEST_LDTR_RIGHTS, 0x02}, {INDEX_GUEST_LDTR_LIMIT, 0xffff}}, 2},
	{"reserved bits of LDTR access rights are set",
	 LONG_MODE, {{INDEX_GUEST_LDTR_RIGHTS, 0x182}, {INDEX_GUEST_LDTR_LIMIT, 0xffff}}, 2},
	{"LDTR.G does not fit its limit",
	 LONG_MODE, {{INDEX_GUEST_LDTR_RIGHTS, 0x82}, {INDEX_GUEST_LDTR_LIMIT, 0x100000}}, 2},
};

typedef bool (*check_t)(const struct vmcs_snapshot *snapshot, const struct check_machine *machine,
			struct check_result *result);

static void good_states_pass(void **state)
{
	struct vmcs_snapshot s;
	struct check_result result;

	(void)state;
	for (u32 i = 0; i < BASES; i++) {
		start_from(&s, (enum base)i);
		if (!check_controls(&s, &machine, &result) || !check_host_state(&s, &machine, &result) ||
		    !check_guest_state(&s, &machine, &result))
			fail_msg("base %u: %s", i, result.text);
		assert_string_equal(result.text, "");
	}
}

/* The row's words, in the area's sentence, with the value of a field. */
static void refuse_each(check_t check, const struct breakage *breakages, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		struct vmcs_snapshot s;
		struct check_result result;

		start_from(&s, breakages[i].base);
		apply(&s, breakages[i].change, breakages[i].count);
		if (check(&s, &machine, &result))
			fail_msg("accepted: %s (case %u)", breakages[i].words, i);
		if (!strstr(result.text, breakages[i].words))
			fail_msg("case %u, %s: refused as %s", i, breakages[i].words, result.text);
	}
}

/* No row without a state that it alone refuses. */
static void all_rows_broken(const struct check_row *rows, u32 rows_count, const struct breakage *breakages, u32 count)
{
	for (u32 i = 0; i < rows_count; i++) {
		u32 j = 0;

		while (j < count && strcmp(rows[i].words, breakages[j].words) != 0)
			j++;
		if (j == count)
			fail_msg("no test breaks: %s", rows[i].words);
	}
}

static void controls(void **state)
{
	(void)state;
	refuse_each(check_controls, bad_controls, ARRAY_SIZE(bad_controls));
	all_rows_broken(check_control_rows, check_control_count, bad_controls, ARRAY_SIZE(bad_controls));
}

static void host(void **state)
{
	(void)state;
	refuse_each(check_host_state, bad_host, ARRAY_SIZE(bad_host));
	all_rows_broken(check_host_rows, check_host_count, bad_host, ARRAY_SIZE(bad_host));
}

static void guest(void **state)
{
	(void)state;
	refuse_each(check_guest_state, bad_guest, ARRAY_SIZE(bad_guest));
	all_rows_broken(check_guest_rows, check_guest_count, bad_guest, ARRAY_SIZE(bad_guest));
	all_rows_broken(check_segment_rows, check_segment_count, bad_guest, ARRAY_SIZE(bad_guest));
}

/* What an entry does not look at must not be refused. */
static void unchecked_is_accepted(void **state)
{
	static const struct breakage fine[] = {
		{"CD and NW are not loaded", LONG_MODE, {{INDEX_GUEST_CR0, CR0_CD | CR0_NW | 0x80010033}}, 1},
		{"unusable segments' other bits",
		 LONG_MODE, {{INDEX_GUEST_DS_RIGHTS, 0x10000}, {INDEX_GUEST_DS_LIMIT, 0x12345678}}, 2},
		{"conforming code below SS.DPL", LONG_MODE, {{INDEX_GUEST_CS_RIGHTS, 0xa09f}}, 1},
		{"data in CS of an unrestricted guest", REAL_MODE, {{INDEX_GUEST_CS_RIGHTS, 0x93}}, 1},
		{"16-bit TSS outside IA-32e mode", REAL_MODE, {{INDEX_GUEST_TR_RIGHTS, 0x83}}, 1},
		{"absent PDPTE", PAE_MODE, {{INDEX_GUEST_PDPTE1, 0xe6}}, 1},
		{"halfway up: canonical", LONG_MODE, {{INDEX_GUEST_RIP, 0x7fffffffffff}}, 1},
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(fine); i++) {
		struct vmcs_snapshot s;
		struct check_result result;

		start_from(&s, fine[i].base);
		apply(&s, fine[i].change, fine[i].count);
		if (!check_guest_state(&s, &machine, &result))
			fail_msg("%s: %s", fine[i].words, result.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_states_pass),
		cmocka_unit_test(controls),
		cmocka_unit_test(host),
		cmocka_unit_test(guest),
		cmocka_unit_test(unchecked_is_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
