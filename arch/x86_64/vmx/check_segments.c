/* SDM vol. 3 "Checks on Guest Segment Registers", in its order: selectors, bases, limits, access rights. */
#include "arch/x86_64/vmx/check.h"

#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/vmx/controls.h"
#include "vmm/vcpu_state.h"

#define IA32E	     ((FIELD(ENTRY_CONTROLS) & ENTRY_CTL_IA32E) != 0)
#define UNRESTRICTED ((FIELD(SECONDARY_CONTROLS) & SECONDARY_UNRESTRICTED) != 0)
#define V8086	     ((FIELD(GUEST_RFLAGS) & RFLAGS_VM) != 0)
#define TI	     BIT(2)
#define RPL(s)	     ((s) & 3)
#define USABLE(r)    (!((r) & SEGMENT_UNUSABLE))
#define V8086_LIMIT  0xffffu
#define V8086_RIGHTS 0xf3u

/* Types of code and data segments, as the checks name them. */
#define TYPE_DATA_RW	    3u
#define TYPE_DATA_DOWN	    7u
#define TYPE_LDT	    2u
#define TYPE_TSS_BUSY_16    3u
#define TYPE_TSS_BUSY	    11u
#define TYPE_ACCESSED	    BIT(0)
#define TYPE_READABLE	    BIT(1)
#define TYPE_CODE	    BIT(3)
#define TYPE_CONFORMING	    BIT(2)

#define CHECK(name, expression)                                   \
	static bool name(const struct check_context *c)           \
	{                                                         \
		return expression;                                \
	}

/* Bits 11:8 and 31:17 of access rights. */
static bool no_reserved(u64 rights)
{
	return (rights & (BITS(11, 8) | BITS(31, 17))) == 0;
}

/* A limit with any of its low 12 bits 0 is counted in bytes; one with any of its high 12 bits 1 in pages. */
static bool granular(u64 limit, u64 rights)
{
	if ((limit & 0xfff) != 0xfff && (rights & SEGMENT_G))
		return false;
	return !(limit & 0xfff00000u) || (rights & SEGMENT_G);
}

/* Virtual-8086 mode fixes base, limit and rights; what a check says then. */
static bool v8086_base(const struct check_context *c, u64 selector, u64 base)
{
	return implies(V8086, base == selector << 4);
}

CHECK(tr_ti, !(FIELD(GUEST_TR_SELECTOR) & TI))
CHECK(ldtr_ti, implies(USABLE(FIELD(GUEST_LDTR_RIGHTS)), !(FIELD(GUEST_LDTR_SELECTOR) & TI)))
CHECK(ss_rpl, implies(!V8086 && !UNRESTRICTED, RPL(FIELD(GUEST_SS_SELECTOR)) == RPL(FIELD(GUEST_CS_SELECTOR))))

CHECK(tr_base, check_canonical(c, FIELD(GUEST_TR_BASE)))
CHECK(fs_base, implies(!V8086, check_canonical(c, FIELD(GUEST_FS_BASE))))
CHECK(gs_base, implies(!V8086, check_canonical(c, FIELD(GUEST_GS_BASE))))
CHECK(ldtr_base, implies(USABLE(FIELD(GUEST_LDTR_RIGHTS)), check_canonical(c, FIELD(GUEST_LDTR_BASE))))
CHECK(cs_base, FIELD(GUEST_CS_BASE) >> 32 == 0)
CHECK(ss_base, implies(USABLE(FIELD(GUEST_SS_RIGHTS)), FIELD(GUEST_SS_BASE) >> 32 == 0))
CHECK(ds_base, implies(USABLE(FIELD(GUEST_DS_RIGHTS)), FIELD(GUEST_DS_BASE) >> 32 == 0))
CHECK(es_base, implies(USABLE(FIELD(GUEST_ES_RIGHTS)), FIELD(GUEST_ES_BASE) >> 32 == 0))

CHECK(cs_v8086_base, v8086_base(c, FIELD(GUEST_CS_SELECTOR), FIELD(GUEST_CS_BASE)))
CHECK(cs_v8086_limit, implies(V8086, FIELD(GUEST_CS_LIMIT) == V8086_LIMIT))
CHECK(cs_v8086_rights, implies(V8086, FIELD(GUEST_CS_RIGHTS) == V8086_RIGHTS))
CHECK(ss_v8086_base, v8086_base(c, FIELD(GUEST_SS_SELECTOR), FIELD(GUEST_SS_BASE)))
CHECK(ss_v8086_limit, implies(V8086, FIELD(GUEST_SS_LIMIT) == V8086_LIMIT))
CHECK(ss_v8086_rights, implies(V8086, FIELD(GUEST_SS_RIGHTS) == V8086_RIGHTS))
CHECK(ds_v8086_base, v8086_base(c, FIELD(GUEST_DS_SELECTOR), FIELD(GUEST_DS_BASE)))
CHECK(ds_v8086_limit, implies(V8086, FIELD(GUEST_DS_LIMIT) == V8086_LIMIT))
CHECK(ds_v8086_rights, implies(V8086, FIELD(GUEST_DS_RIGHTS) == V8086_RIGHTS))
CHECK(es_v8086_base, v8086_base(c, FIELD(GUEST_ES_SELECTOR), FIELD(GUEST_ES_BASE)))
CHECK(es_v8086_limit, implies(V8086, FIELD(GUEST_ES_LIMIT) == V8086_LIMIT))
CHECK(es_v8086_rights, implies(V8086, FIELD(GUEST_ES_RIGHTS) == V8086_RIGHTS))
CHECK(fs_v8086_base, v8086_base(c, FIELD(GUEST_FS_SELECTOR), FIELD(GUEST_FS_BASE)))
CHECK(fs_v8086_limit, implies(V8086, FIELD(GUEST_FS_LIMIT) == V8086_LIMIT))
CHECK(fs_v8086_rights, implies(V8086, FIELD(GUEST_FS_RIGHTS) == V8086_RIGHTS))
CHECK(gs_v8086_base, v8086_base(c, FIELD(GUEST_GS_SELECTOR), FIELD(GUEST_GS_BASE)))
CHECK(gs_v8086_limit, implies(V8086, FIELD(GUEST_GS_LIMIT) == V8086_LIMIT))
CHECK(gs_v8086_rights, implies(V8086, FIELD(GUEST_GS_RIGHTS) == V8086_RIGHTS))

/* Outside virtual-8086 mode. CS is always usable; of the others only what is usable is looked at. */
static bool cs_type(const struct check_context *c)
{
	u32 type = SEGMENT_TYPE((u32)FIELD(GUEST_CS_RIGHTS));

	return V8086 || ((type & TYPE_CODE) && (type & TYPE_ACCESSED)) || (UNRESTRICTED && type == TYPE_DATA_RW);
}

static bool ss_type(const struct check_context *c)
{
	u32 type = SEGMENT_TYPE((u32)FIELD(GUEST_SS_RIGHTS));

	return V8086 || !USABLE(FIELD(GUEST_SS_RIGHTS)) || type == TYPE_DATA_RW || type == TYPE_DATA_DOWN;
}

static bool data_type(const struct check_context *c, u64 rights)
{
	u64 type = SEGMENT_TYPE(rights);

	if (V8086 || !USABLE(rights))
		return true;
	return (type & TYPE_ACCESSED) && implies(type & TYPE_CODE, type & TYPE_READABLE);
}

static bool cs_dpl(const struct check_context *c)
{
	u32 type = SEGMENT_TYPE((u32)FIELD(GUEST_CS_RIGHTS));
	u64 dpl = SEGMENT_DPL(FIELD(GUEST_CS_RIGHTS)), ss = SEGMENT_DPL(FIELD(GUEST_SS_RIGHTS));

	if (V8086)
		return true;
	if (!(type & TYPE_CODE))
		return dpl == 0;
	return type & TYPE_CONFORMING ? dpl <= ss : dpl == ss;
}

static bool ss_dpl(const struct check_context *c)
{
	u64 dpl = SEGMENT_DPL(FIELD(GUEST_SS_RIGHTS));
	bool real = SEGMENT_TYPE((u32)FIELD(GUEST_CS_RIGHTS)) == TYPE_DATA_RW || !(FIELD(GUEST_CR0) & CR0_PE);

	if (V8086)
		return true;
	return implies(!UNRESTRICTED, dpl == RPL(FIELD(GUEST_SS_SELECTOR))) && implies(real, dpl == 0);
}

static bool data_dpl(const struct check_context *c, u64 selector, u64 rights)
{
	bool checked = !V8086 && !UNRESTRICTED && USABLE(rights) && SEGMENT_TYPE(rights) <= 11;

	return !checked || SEGMENT_DPL(rights) >= RPL(selector);
}

/* What all code and data segments share; CS counts as usable. */
static bool counts(const struct check_context *c, u64 rights)
{
	return !V8086 && USABLE(rights);
}

CHECK(cs_l_db, implies(!V8086 && IA32E && (FIELD(GUEST_CS_RIGHTS) & SEGMENT_L), !(FIELD(GUEST_CS_RIGHTS) & SEGMENT_DB)))
CHECK(cs_s, implies(!V8086, FIELD(GUEST_CS_RIGHTS) & SEGMENT_S))
CHECK(cs_p, implies(!V8086, FIELD(GUEST_CS_RIGHTS) & SEGMENT_P))
CHECK(cs_reserved, implies(!V8086, no_reserved(FIELD(GUEST_CS_RIGHTS))))
CHECK(cs_g, implies(!V8086, granular(FIELD(GUEST_CS_LIMIT), FIELD(GUEST_CS_RIGHTS))))
CHECK(ss_s, implies(counts(c, FIELD(GUEST_SS_RIGHTS)), FIELD(GUEST_SS_RIGHTS) & SEGMENT_S))
CHECK(ss_p, implies(counts(c, FIELD(GUEST_SS_RIGHTS)), FIELD(GUEST_SS_RIGHTS) & SEGMENT_P))
CHECK(ss_reserved, implies(counts(c, FIELD(GUEST_SS_RIGHTS)), no_reserved(FIELD(GUEST_SS_RIGHTS))))
CHECK(ss_g, implies(counts(c, FIELD(GUEST_SS_RIGHTS)), granular(FIELD(GUEST_SS_LIMIT), FIELD(GUEST_SS_RIGHTS))))
CHECK(ds_type, data_type(c, FIELD(GUEST_DS_RIGHTS)))
CHECK(ds_dpl, data_dpl(c, FIELD(GUEST_DS_SELECTOR), FIELD(GUEST_DS_RIGHTS)))
CHECK(ds_s, implies(counts(c, FIELD(GUEST_DS_RIGHTS)), FIELD(GUEST_DS_RIGHTS) & SEGMENT_S))
CHECK(ds_p, implies(counts(c, FIELD(GUEST_DS_RIGHTS)), FIELD(GUEST_DS_RIGHTS) & SEGMENT_P))
CHECK(ds_reserved, implies(counts(c, FIELD(GUEST_DS_RIGHTS)), no_reserved(FIELD(GUEST_DS_RIGHTS))))
CHECK(ds_g, implies(counts(c, FIELD(GUEST_DS_RIGHTS)), granular(FIELD(GUEST_DS_LIMIT), FIELD(GUEST_DS_RIGHTS))))
CHECK(es_type, data_type(c, FIELD(GUEST_ES_RIGHTS)))
CHECK(es_dpl, data_dpl(c, FIELD(GUEST_ES_SELECTOR), FIELD(GUEST_ES_RIGHTS)))
CHECK(es_s, implies(counts(c, FIELD(GUEST_ES_RIGHTS)), FIELD(GUEST_ES_RIGHTS) & SEGMENT_S))
CHECK(es_p, implies(counts(c, FIELD(GUEST_ES_RIGHTS)), FIELD(GUEST_ES_RIGHTS) & SEGMENT_P))
CHECK(es_reserved, implies(counts(c, FIELD(GUEST_ES_RIGHTS)), no_reserved(FIELD(GUEST_ES_RIGHTS))))
CHECK(es_g, implies(counts(c, FIELD(GUEST_ES_RIGHTS)), granular(FIELD(GUEST_ES_LIMIT), FIELD(GUEST_ES_RIGHTS))))
CHECK(fs_type, data_type(c, FIELD(GUEST_FS_RIGHTS)))
CHECK(fs_dpl, data_dpl(c, FIELD(GUEST_FS_SELECTOR), FIELD(GUEST_FS_RIGHTS)))
CHECK(fs_s, implies(counts(c, FIELD(GUEST_FS_RIGHTS)), FIELD(GUEST_FS_RIGHTS) & SEGMENT_S))
CHECK(fs_p, implies(counts(c, FIELD(GUEST_FS_RIGHTS)), FIELD(GUEST_FS_RIGHTS) & SEGMENT_P))
CHECK(fs_reserved, implies(counts(c, FIELD(GUEST_FS_RIGHTS)), no_reserved(FIELD(GUEST_FS_RIGHTS))))
CHECK(fs_g, implies(counts(c, FIELD(GUEST_FS_RIGHTS)), granular(FIELD(GUEST_FS_LIMIT), FIELD(GUEST_FS_RIGHTS))))
CHECK(gs_type, data_type(c, FIELD(GUEST_GS_RIGHTS)))
CHECK(gs_dpl, data_dpl(c, FIELD(GUEST_GS_SELECTOR), FIELD(GUEST_GS_RIGHTS)))
CHECK(gs_s, implies(counts(c, FIELD(GUEST_GS_RIGHTS)), FIELD(GUEST_GS_RIGHTS) & SEGMENT_S))
CHECK(gs_p, implies(counts(c, FIELD(GUEST_GS_RIGHTS)), FIELD(GUEST_GS_RIGHTS) & SEGMENT_P))
CHECK(gs_reserved, implies(counts(c, FIELD(GUEST_GS_RIGHTS)), no_reserved(FIELD(GUEST_GS_RIGHTS))))
CHECK(gs_g, implies(counts(c, FIELD(GUEST_GS_RIGHTS)), granular(FIELD(GUEST_GS_LIMIT), FIELD(GUEST_GS_RIGHTS))))

/* TR must be there; a 16-bit busy TSS only outside IA-32e mode. */
static bool tr_type(const struct check_context *c)
{
	u32 type = SEGMENT_TYPE((u32)FIELD(GUEST_TR_RIGHTS));

	return type == TYPE_TSS_BUSY || (type == TYPE_TSS_BUSY_16 && !IA32E);
}

CHECK(tr_usable, USABLE(FIELD(GUEST_TR_RIGHTS)))
CHECK(tr_s, !(FIELD(GUEST_TR_RIGHTS) & SEGMENT_S))
CHECK(tr_p, FIELD(GUEST_TR_RIGHTS) & SEGMENT_P)
CHECK(tr_reserved, no_reserved(FIELD(GUEST_TR_RIGHTS)))
CHECK(tr_g, granular(FIELD(GUEST_TR_LIMIT), FIELD(GUEST_TR_RIGHTS)))

#define LDTR_USABLE USABLE(FIELD(GUEST_LDTR_RIGHTS))
CHECK(ldtr_type, implies(LDTR_USABLE, SEGMENT_TYPE((u32)FIELD(GUEST_LDTR_RIGHTS)) == TYPE_LDT))
CHECK(ldtr_s, implies(LDTR_USABLE, !(FIELD(GUEST_LDTR_RIGHTS) & SEGMENT_S)))
CHECK(ldtr_p, implies(LDTR_USABLE, FIELD(GUEST_LDTR_RIGHTS) & SEGMENT_P))
CHECK(ldtr_reserved, implies(LDTR_USABLE, no_reserved(FIELD(GUEST_LDTR_RIGHTS))))
CHECK(ldtr_g, implies(LDTR_USABLE, granular(FIELD(GUEST_LDTR_LIMIT), FIELD(GUEST_LDTR_RIGHTS))))

const struct check_row check_segment_rows[] = {
	{tr_ti, "TR must not be in the LDT", INDEX_GUEST_TR_SELECTOR},
	{ldtr_ti, "LDTR must not be in the LDT", INDEX_GUEST_LDTR_SELECTOR},
	{ss_rpl, "SS and CS must have the same RPL", INDEX_GUEST_SS_SELECTOR},
	{tr_base, "TR base is not canonical", INDEX_GUEST_TR_BASE},
	{fs_base, "FS base is not canonical", INDEX_GUEST_FS_BASE},
	{gs_base, "GS base is not canonical", INDEX_GUEST_GS_BASE},
	{ldtr_base, "LDTR base is not canonical", INDEX_GUEST_LDTR_BASE},
	{cs_base, "the upper half of CS base must be 0", INDEX_GUEST_CS_BASE},
	{ss_base, "the upper half of SS base must be 0", INDEX_GUEST_SS_BASE},
	{ds_base, "the upper half of DS base must be 0", INDEX_GUEST_DS_BASE},
	{es_base, "the upper half of ES base must be 0", INDEX_GUEST_ES_BASE},
	{cs_v8086_base, "in virtual-8086 mode CS base must be its selector times 16", INDEX_GUEST_CS_BASE},
	{cs_v8086_limit, "in virtual-8086 mode CS limit must be ffff", INDEX_GUEST_CS_LIMIT},
	{cs_v8086_rights, "in virtual-8086 mode CS access rights must be f3", INDEX_GUEST_CS_RIGHTS},
	{ss_v8086_base, "in virtual-8086 mode SS base must be its selector times 16", INDEX_GUEST_SS_BASE},
	{ss_v8086_limit, "in virtual-8086 mode SS limit must be ffff", INDEX_GUEST_SS_LIMIT},
	{ss_v8086_rights, "in virtual-8086 mode SS access rights must be f3", INDEX_GUEST_SS_RIGHTS},
	{ds_v8086_base, "in virtual-8086 mode DS base must be its selector times 16", INDEX_GUEST_DS_BASE},
	{ds_v8086_limit, "in virtual-8086 mode DS limit must be ffff", INDEX_GUEST_DS_LIMIT},
	{ds_v8086_rights, "in virtual-8086 mode DS access rights must be f3", INDEX_GUEST_DS_RIGHTS},
	{es_v8086_base, "in virtual-8086 mode ES base must be its selector times 16", INDEX_GUEST_ES_BASE},
	{es_v8086_limit, "in virtual-8086 mode ES limit must be ffff", INDEX_GUEST_ES_LIMIT},
	{es_v8086_rights, "in virtual-8086 mode ES access rights must be f3", INDEX_GUEST_ES_RIGHTS},
	{fs_v8086_base, "in virtual-8086 mode FS base must be its selector times 16", INDEX_GUEST_FS_BASE},
	{fs_v8086_limit, "in virtual-8086 mode FS limit must be ffff", INDEX_GUEST_FS_LIMIT},
	{fs_v8086_rights, "in virtual-8086 mode FS access rights must be f3", INDEX_GUEST_FS_RIGHTS},
	{gs_v8086_base, "in virtual-8086 mode GS base must be its selector times 16", INDEX_GUEST_GS_BASE},
	{gs_v8086_limit, "in virtual-8086 mode GS limit must be ffff", INDEX_GUEST_GS_LIMIT},
	{gs_v8086_rights, "in virtual-8086 mode GS access rights must be f3", INDEX_GUEST_GS_RIGHTS},
	{cs_type, "CS must be an accessed code segment (or, in an unrestricted guest, read/write data)",
	 INDEX_GUEST_CS_RIGHTS},
	{cs_s, "CS must be a code or data segment (S)", INDEX_GUEST_CS_RIGHTS},
	{cs_dpl, "CS.DPL does not fit its type and SS.DPL", INDEX_GUEST_CS_RIGHTS},
	{cs_p, "CS must be present", INDEX_GUEST_CS_RIGHTS},
	{cs_reserved, "reserved bits of CS access rights are set", INDEX_GUEST_CS_RIGHTS},
	{cs_l_db, "CS.L and CS.D at once", INDEX_GUEST_CS_RIGHTS},
	{cs_g, "CS.G does not fit its limit", INDEX_GUEST_CS_LIMIT},
	{ss_type, "SS must be an accessed read/write data segment", INDEX_GUEST_SS_RIGHTS},
	{ss_s, "SS must be a code or data segment (S)", INDEX_GUEST_SS_RIGHTS},
	{ss_dpl, "SS.DPL does not fit the mode", INDEX_GUEST_SS_RIGHTS},
	{ss_p, "SS must be present", INDEX_GUEST_SS_RIGHTS},
	{ss_reserved, "reserved bits of SS access rights are set", INDEX_GUEST_SS_RIGHTS},
	{ss_g, "SS.G does not fit its limit", INDEX_GUEST_SS_LIMIT},
	{ds_type, "DS must be accessed, and readable if it is code", INDEX_GUEST_DS_RIGHTS},
	{ds_s, "DS must be a code or data segment (S)", INDEX_GUEST_DS_RIGHTS},
	{ds_dpl, "DS.DPL is less than its RPL", INDEX_GUEST_DS_RIGHTS},
	{ds_p, "DS must be present", INDEX_GUEST_DS_RIGHTS},
	{ds_reserved, "reserved bits of DS access rights are set", INDEX_GUEST_DS_RIGHTS},
	{ds_g, "DS.G does not fit its limit", INDEX_GUEST_DS_LIMIT},
	{es_type, "ES must be accessed, and readable if it is code", INDEX_GUEST_ES_RIGHTS},
	{es_s, "ES must be a code or data segment (S)", INDEX_GUEST_ES_RIGHTS},
	{es_dpl, "ES.DPL is less than its RPL", INDEX_GUEST_ES_RIGHTS},
	{es_p, "ES must be present", INDEX_GUEST_ES_RIGHTS},
	{es_reserved, "reserved bits of ES access rights are set", INDEX_GUEST_ES_RIGHTS},
	{es_g, "ES.G does not fit its limit", INDEX_GUEST_ES_LIMIT},
	{fs_type, "FS must be accessed, and readable if it is code", INDEX_GUEST_FS_RIGHTS},
	{fs_s, "FS must be a code or data segment (S)", INDEX_GUEST_FS_RIGHTS},
	{fs_dpl, "FS.DPL is less than its RPL", INDEX_GUEST_FS_RIGHTS},
	{fs_p, "FS must be present", INDEX_GUEST_FS_RIGHTS},
	{fs_reserved, "reserved bits of FS access rights are set", INDEX_GUEST_FS_RIGHTS},
	{fs_g, "FS.G does not fit its limit", INDEX_GUEST_FS_LIMIT},
	{gs_type, "GS must be accessed, and readable if it is code", INDEX_GUEST_GS_RIGHTS},
	{gs_s, "GS must be a code or data segment (S)", INDEX_GUEST_GS_RIGHTS},
	{gs_dpl, "GS.DPL is less than its RPL", INDEX_GUEST_GS_RIGHTS},
	{gs_p, "GS must be present", INDEX_GUEST_GS_RIGHTS},
	{gs_reserved, "reserved bits of GS access rights are set", INDEX_GUEST_GS_RIGHTS},
	{gs_g, "GS.G does not fit its limit", INDEX_GUEST_GS_LIMIT},
	{tr_usable, "TR must be usable", INDEX_GUEST_TR_RIGHTS},
	{tr_type, "TR must be a busy TSS, of 64 bits in IA-32e mode", INDEX_GUEST_TR_RIGHTS},
	{tr_s, "TR must be a system segment", INDEX_GUEST_TR_RIGHTS},
	{tr_p, "TR must be present", INDEX_GUEST_TR_RIGHTS},
	{tr_reserved, "reserved bits of TR access rights are set", INDEX_GUEST_TR_RIGHTS},
	{tr_g, "TR.G does not fit its limit", INDEX_GUEST_TR_LIMIT},
	{ldtr_type, "LDTR must be an LDT", INDEX_GUEST_LDTR_RIGHTS},
	{ldtr_s, "LDTR must be a system segment", INDEX_GUEST_LDTR_RIGHTS},
	{ldtr_p, "LDTR must be present", INDEX_GUEST_LDTR_RIGHTS},
	{ldtr_reserved, "reserved bits of LDTR access rights are set", INDEX_GUEST_LDTR_RIGHTS},
	{ldtr_g, "LDTR.G does not fit its limit", INDEX_GUEST_LDTR_LIMIT},
};
const u32 check_segment_count = ARRAY_SIZE(check_segment_rows);
