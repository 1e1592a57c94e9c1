/*
 * The lists, one row an event. What a CPU remembers, by its tags (SDM "Information That May Be Cached"):
 *   linear mappings      VPID, PCID         the host's own, VPID 0; a guest has none while it runs under EPT
 *   guest-physical       EPTP               EPT alone
 *   combined             VPID, PCID, EPTP   guest tables and EPT together
 * AMD tags everything, host (0) and guest, by ASID alone; the nested root is no tag (APM "TLB Management", "Address
 * Space Identifier").
 */
#include "arch/x86_64/mmu/inval.h"

#define LIST(...)	((const enum inval_step[]){__VA_ARGS__ __VA_OPT__(, ) INVAL_END})
#define SAME(list)	list, list, list, list
#define BY_SINGLE(a, s) a, s, a, s
#define BY_TAG(n, a, s) n, n, a, s

/* By has_tag * 2 + has_single: no tags (twice), tags without and with single-context flushes. */
struct row {
	const enum inval_step *list[4];
};

static const struct row vmx_rows[INVAL_EVENTS] = {
	/*
	 * Nothing is remembered of an entry that is not present, and an EPT violation drops what led to it (SDM
	 * "Operations that Invalidate Cached Mappings", "Operations that Need Not Invalidate Cached Mappings").
	 */
	[INVAL_GUEST_MAPPED] = {{SAME(LIST())}},
	/*
	 * INVEPT drops guest-physical and combined mappings of the EPTP under every VPID and PCID, so INVVPID adds
	 * nothing. Without VPIDs too: entries and exits drop linear and combined mappings then, never guest-physical
	 * ones (SDM "Guidelines for Use of the INVEPT Instruction").
	 */
	[INVAL_GUEST_UNMAPPED] = {{BY_SINGLE(LIST(INVAL_KICK_HOLDERS, INVAL_EPT_ALL, INVAL_FREE_FRAMES),
					     LIST(INVAL_KICK_HOLDERS, INVAL_EPT_SINGLE, INVAL_FREE_FRAMES))}},
	/* The same; a right taken away counts only from the flush on, and no frame changes hands. */
	[INVAL_GUEST_PROTECTED] = {{BY_SINGLE(LIST(INVAL_KICK_HOLDERS, INVAL_EPT_ALL),
					      LIST(INVAL_KICK_HOLDERS, INVAL_EPT_SINGLE))}},
	/*
	 * An old entry at worst makes one more EPT violation, which drops it: whoever handles it finds the right there
	 * and retries.
	 */
	[INVAL_GUEST_RELAXED] = {{SAME(LIST())}},
	/* As for guests: what is not present is not remembered (SDM "Optional Invalidation"). */
	[INVAL_HOST_MAPPED] = {{SAME(LIST())}},
	/*
	 * Window entries are not global, host PCID is off: MOV to CR3 drops them all, and the paging-structure caches.
	 * VM entries and exits do not when VPIDs are in use (SDM "Operations that Need Not Invalidate Cached
	 * Mappings").
	 */
	[INVAL_HOST_UNMAPPED] = {{SAME(LIST(INVAL_KICK_HOLDERS, INVAL_LOAD_CR3, INVAL_FREE_FRAMES))}},
	/*
	 * The old core may hold the VMCS's data (SDM "Software Use of the VMCS and Related Structures"). From an
	 * earlier stay this core may remember combined mappings of the VPID that the guest has flushed since, on
	 * another core. EPT changes reached this core as a holder, so no INVEPT. Without VPIDs the entry drops what
	 * INVVPID would.
	 */
	[INVAL_VCPU_MIGRATED] = {{BY_TAG(LIST(INVAL_VMCLEAR_OLD_CORE), LIST(INVAL_VMCLEAR_OLD_CORE, INVAL_VPID_ALL),
					 LIST(INVAL_VMCLEAR_OLD_CORE, INVAL_VPID_SINGLE))}},
	/*
	 * The vCPU before it left combined mappings under the VPID (SDM "Guidelines for Use of the INVVPID
	 * Instruction").
	 */
	[INVAL_TAG_REUSED] = {{BY_TAG(LIST(), LIST(INVAL_VPID_ALL), LIST(INVAL_VPID_SINGLE))}},
	/*
	 * The window is another VM's now: only the MOV to CR3 makes the core forget the last one's. Guests differ by
	 * VPID and EPTP.
	 */
	[INVAL_VM_SWITCHED] = {{SAME(LIST(INVAL_LOAD_CR3))}},
	/*
	 * Another VM will have the same EPTP: all under it must be gone from every core before the page is anything
	 * else.
	 */
	[INVAL_ROOT_REUSED] = {{BY_SINGLE(LIST(INVAL_KICK_HOLDERS, INVAL_EPT_ALL, INVAL_FREE_FRAMES),
					  LIST(INVAL_KICK_HOLDERS, INVAL_EPT_SINGLE, INVAL_FREE_FRAMES))}},
	/*
	 * VMXON drops nothing; whoever used VMX before us (firmware, a hypervisor before a warm start) may have left
	 * anything.
	 */
	[INVAL_CORE_STARTED] = {{BY_TAG(LIST(INVAL_EPT_ALL), LIST(INVAL_EPT_ALL, INVAL_VPID_ALL),
					LIST(INVAL_EPT_ALL, INVAL_VPID_ALL))}},
	/*
	 * The instruction would have flushed, but it was done by a VMWRITE, which does not. Guest-physical mappings do
	 * not depend on the guest's registers. Without VPIDs the next entry flushes.
	 */
	[INVAL_GUEST_PAGING] = {{BY_TAG(LIST(), LIST(INVAL_VPID_ALL), LIST(INVAL_VPID_SINGLE))}},
};

/*
 * On AMD a guest is flushed by giving it an ASID that was not used on the core since the last full flush, or by
 * TLB_CONTROL at its next VMRUN. Where the CPU cannot flush one ASID, the fresh ASID spares the others. Without ASIDs
 * to give (there is only ASID 1, which all vCPUs share) each change of vCPU is a TAG_REUSED.
 */
static const struct row svm_rows[INVAL_EVENTS] = {
	[INVAL_GUEST_MAPPED] = {{SAME(LIST())}},
	/*
	 * Frames may go when every holder has left the guest with its flush pending: the old entries cannot be used
	 * again.
	 */
	[INVAL_GUEST_UNMAPPED] = {{BY_TAG(LIST(INVAL_KICK_HOLDERS, INVAL_ASID_FLUSH, INVAL_FREE_FRAMES),
					  LIST(INVAL_KICK_HOLDERS, INVAL_ASID_NEW, INVAL_FREE_FRAMES),
					  LIST(INVAL_KICK_HOLDERS, INVAL_ASID_FLUSH, INVAL_FREE_FRAMES))}},
	[INVAL_GUEST_PROTECTED] = {{BY_TAG(LIST(INVAL_KICK_HOLDERS, INVAL_ASID_FLUSH),
					   LIST(INVAL_KICK_HOLDERS, INVAL_ASID_NEW),
					   LIST(INVAL_KICK_HOLDERS, INVAL_ASID_FLUSH))}},
	/*
	 * The APM says of the CPU's own page faults, not of nested ones, that they drop the old entry: so the vCPU that
	 * faulted is flushed, or it might fault for ever. Others come here by their own fault, so none is kicked.
	 */
	[INVAL_GUEST_RELAXED] = {{BY_TAG(LIST(INVAL_ASID_FLUSH), LIST(INVAL_ASID_NEW), LIST(INVAL_ASID_FLUSH))}},
	[INVAL_HOST_MAPPED] = {{SAME(LIST())}},
	/* The host is ASID 0; MOV to CR3 drops its entries, VMRUN and #VMEXIT do not. */
	[INVAL_HOST_UNMAPPED] = {{SAME(LIST(INVAL_KICK_HOLDERS, INVAL_LOAD_CR3, INVAL_FREE_FRAMES))}},
	/*
	 * ASIDs are each core's own. The VMCB needs no handing over but that its clean bits are cleared, which the
	 * engine does.
	 */
	[INVAL_VCPU_MIGRATED] = {{BY_TAG(LIST(INVAL_ASID_FLUSH), LIST(INVAL_ASID_NEW), LIST(INVAL_ASID_NEW))}},
	[INVAL_TAG_REUSED] = {{SAME(LIST(INVAL_ASID_FLUSH))}},
	[INVAL_VM_SWITCHED] = {{BY_TAG(LIST(INVAL_LOAD_CR3, INVAL_ASID_FLUSH), LIST(INVAL_LOAD_CR3),
				       LIST(INVAL_LOAD_CR3))}},
	/* The root is no tag: only the ASIDs that ran under it matter. */
	[INVAL_ROOT_REUSED] = {{BY_TAG(LIST(INVAL_KICK_HOLDERS, INVAL_ASID_FLUSH, INVAL_FREE_FRAMES),
				       LIST(INVAL_KICK_HOLDERS, INVAL_ASID_NEW, INVAL_FREE_FRAMES),
				       LIST(INVAL_KICK_HOLDERS, INVAL_ASID_FLUSH, INVAL_FREE_FRAMES))}},
	[INVAL_CORE_STARTED] = {{SAME(LIST(INVAL_ASID_FLUSH_ALL))}},
	[INVAL_GUEST_PAGING] = {{BY_TAG(LIST(INVAL_ASID_FLUSH), LIST(INVAL_ASID_NEW), LIST(INVAL_ASID_FLUSH))}},
};

const enum inval_step *inval_steps(enum inval_event event, const struct inval_machine *machine)
{
	const struct row *row = machine->engine == INVAL_VMX ? &vmx_rows[event] : &svm_rows[event];

	return row->list[(machine->has_tag ? 2 : 0) + (machine->has_single ? 1 : 0)];
}

const char *inval_step_name(enum inval_step step)
{
	static const char *const names[INVAL_STEPS] = {
		[INVAL_END] = "end",
		[INVAL_VMCLEAR_OLD_CORE] = "VMCLEAR on the old core",
		[INVAL_LOAD_CR3] = "load CR3",
		[INVAL_INVLPG_RANGE] = "INVLPG",
		[INVAL_EPT_SINGLE] = "INVEPT single-context",
		[INVAL_EPT_ALL] = "INVEPT all-context",
		[INVAL_VPID_SINGLE] = "INVVPID single-context",
		[INVAL_VPID_ALL] = "INVVPID all-context",
		[INVAL_ASID_NEW] = "new ASID",
		[INVAL_ASID_FLUSH] = "flush the ASID at VMRUN",
		[INVAL_KICK_HOLDERS] = "kick holders",
		[INVAL_FREE_FRAMES] = "free frames",
		[INVAL_ASID_FLUSH_ALL] = "flush all ASIDs at VMRUN",
	};

	return (u32)step < INVAL_STEPS ? names[step] : "?";
}
