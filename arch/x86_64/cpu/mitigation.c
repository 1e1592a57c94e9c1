#include "arch/x86_64/cpu/mitigation.h"
#include "lib/fmt.h"

/* IA32_ARCH_CAPABILITIES (SDM vol. 4 "Architectural MSRs"). */
#define CAP_RDCL_NO		BIT(0)
#define CAP_IBRS_ALL		BIT(1)
#define CAP_SKIP_L1DFL_VMENTRY	BIT(3)
#define CAP_MDS_NO		BIT(5)
#define CAP_TAA_NO		BIT(8)
#define CAP_SBDR_SSDP_NO	BIT(13)
#define CAP_FBSDP_NO		BIT(14)
#define CAP_PSDP_NO		BIT(15)
#define CAP_FB_CLEAR		BIT(17)
#define CAP_BHI_NO		BIT(20)
#define CAP_PBRSB_NO		BIT(24)
#define CAP_RFDS_NO		BIT(27)
#define CAP_RFDS_CLEAR		BIT(28)
#define MMIO_NO (CAP_SBDR_SSDP_NO | CAP_FBSDP_NO | CAP_PSDP_NO)

#define SPEC_CTRL_IBRS	    BIT(0)
#define SPEC_CTRL_BHI_DIS_S BIT(10)

#define L1TF BIT(0)
#define MDS  BIT(1)
#define MMIO BIT(2)
#define RFDS BIT(3)
#define ALL_OF_OLD_CORES (L1TF | MDS)

/*
 * Family 6 models that are affected by less than their time's cores, or by more than their capabilities say: the
 * in-order and small cores, and those of the MMIO stale data and RFDS lists. Everything else without the *_NO bits
 * counts as affected by L1TF and MDS.
 */
static const struct {
	u8 model;
	u8 affected;
} models[] = {
	{0x1c, 0}, {0x26, 0}, {0x27, 0}, {0x35, 0}, {0x36, 0},	  /* Bonnell, Saltwell: in order */
	{0x37, MDS}, {0x4a, MDS}, {0x4d, MDS}, {0x5a, MDS},	  /* Silvermont */
	{0x4c, MDS}, {0x75, MDS},				  /* Airmont */
	{0x57, MDS}, {0x85, MDS},				  /* Knights Landing, Knights Mill */
	{0x5c, RFDS}, {0x5f, RFDS}, {0x7a, RFDS},		  /* Goldmont, Goldmont Plus */
	{0x86, MMIO | RFDS}, {0x96, MMIO | RFDS}, {0x9c, MMIO | RFDS}, /* Tremont */
	{0x97, RFDS}, {0x9a, RFDS}, {0xb7, RFDS},		  /* Alder and Raptor Lake: their small cores */
	{0xba, RFDS}, {0xbe, RFDS}, {0xbf, RFDS},
	{0x3f, L1TF | MDS | MMIO},				  /* Haswell server */
	{0x4f, L1TF | MDS | MMIO}, {0x56, L1TF | MDS | MMIO}, /* Broadwell server */
	{0x4e, L1TF | MDS | MMIO}, {0x5e, L1TF | MDS | MMIO}, {0x55, L1TF | MDS | MMIO}, /* Skylake, Cascade Lake */
	{0x8e, L1TF | MDS | MMIO}, {0x9e, L1TF | MDS | MMIO},	  /* Kaby and Coffee Lake */
	{0x6a, MMIO}, {0x6c, MMIO}, {0x7d, MMIO}, {0x7e, MMIO},	  /* Ice Lake */
	{0xa5, MMIO}, {0xa6, MMIO}, {0xa7, MMIO}, {0x8a, MMIO},	  /* Comet, Rocket Lake, Lakefield */
};

/*
 * Family 6 models whose return stack has 16 entries: the cores from Nehalem to Comet Lake (Intel, "Optimization
 * Reference Manual", on their front ends). For all others it may have up to 32.
 */
static const u8 short_return_stacks[] = {
	0x1a, 0x1e, 0x1f, 0x2e, 0x25, 0x2c, 0x2f,     /* Nehalem, Westmere */
	0x2a, 0x2d, 0x3a, 0x3e,			      /* Sandy and Ivy Bridge */
	0x3c, 0x3f, 0x45, 0x46, 0x3d, 0x47, 0x4f, 0x56, /* Haswell, Broadwell */
	0x4e, 0x5e, 0x55, 0x8e, 0x9e, 0xa5, 0xa6,     /* Skylake, Cascade, Kaby, Coffee and Comet Lake */
};

static u32 fill_return_stack(const struct mitigation_inputs *in)
{
	for (u32 i = 0; i < ARRAY_SIZE(short_return_stacks); i++)
		if (in->family == 6 && in->model == short_return_stacks[i] && !in->virtual)
			return MITIGATE_RSB_FILL | MITIGATE_RSB_16;
	return MITIGATE_RSB_FILL;
}

/* By family and model alone. */
static u32 affected_by_model(const struct mitigation_inputs *in)
{
	if (in->vendor != VENDOR_INTEL || in->family != 6)
		return 0;
	for (u32 i = 0; i < ARRAY_SIZE(models); i++) {
		if (models[i].model == in->model)
			return models[i].affected;
	}
	return ALL_OF_OLD_CORES;
}

/* The processor's own word goes before the lists. */
static u32 affected_by(const struct mitigation_inputs *in)
{
	u32 affected = affected_by_model(in);
	u64 caps = in->has_capabilities ? in->capabilities : 0;

	if (caps & CAP_RDCL_NO)
		affected &= ~(u32)L1TF;
	if (caps & CAP_MDS_NO)
		affected &= ~(u32)MDS;
	if ((caps & MMIO_NO) == MMIO_NO)
		affected &= ~(u32)MMIO;
	if (caps & CAP_RFDS_NO)
		affected &= ~(u32)RFDS;
	/* TSX asynchronous abort has the same cure as MDS, and exists where there is TSX and no word against it. */
	if (in->vendor == VENDOR_INTEL && in->rtm && !(caps & CAP_TAA_NO))
		affected |= MDS;
	return affected;
}

static void decide_l1tf(const struct mitigation_inputs *in, u32 affected, struct mitigation_plan *plan)
{
	if (!(affected & L1TF) || (in->has_capabilities && (in->capabilities & CAP_SKIP_L1DFL_VMENTRY)))
		return;
	if (in->l1d_flush)
		plan->mask |= MITIGATE_L1D_FLUSH;
	else
		plan->unmitigated |= UNMITIGATED_L1TF;
}

/*
 * Data left in fill, store and register-file buffers: VERW overwrites them where microcode says so. The L1D flush does
 * as well.
 */
static void decide_buffers(const struct mitigation_inputs *in, u32 affected, struct mitigation_plan *plan)
{
	u64 caps = in->has_capabilities ? in->capabilities : 0;
	u32 cured =
	    (in->md_clear ? MDS | MMIO : 0) | (caps & CAP_FB_CLEAR ? MMIO : 0) | (caps & CAP_RFDS_CLEAR ? RFDS : 0);

	affected &= MDS | MMIO | RFDS;
	if ((affected & cured) && !(plan->mask & MITIGATE_L1D_FLUSH))
		plan->mask |= MITIGATE_VERW;
	if (affected & ~cured)
		plan->unmitigated |= UNMITIGATED_BUFFERS;
}

static void decide_branches_intel(const struct mitigation_inputs *in, struct mitigation_plan *plan)
{
	u64 caps = in->has_capabilities ? in->capabilities : 0;
	bool enhanced = in->ibrs_ibpb && (caps & CAP_IBRS_ALL);

	if (!in->ibrs_ibpb) {
		plan->mask |= fill_return_stack(in);
		plan->unmitigated |= UNMITIGATED_BRANCH;
		return;
	}
	plan->mask |= MITIGATE_IBPB;
	plan->spec_ctrl = SPEC_CTRL_IBRS;
	/*
	 * Enhanced IBRS is set once; the first kind protects only from the write on, so it is written after every exit.
	 */
	if (!enhanced)
		plan->mask |= MITIGATE_SPEC_CTRL | fill_return_stack(in);
	else if (!(caps & CAP_PBRSB_NO))
		plan->mask |= fill_return_stack(in);
	if (in->bhi_ctrl && !(caps & CAP_BHI_NO))
		plan->spec_ctrl |= SPEC_CTRL_BHI_DIS_S;
}

static void decide_branches_amd(const struct mitigation_inputs *in, struct mitigation_plan *plan)
{
	plan->mask |= MITIGATE_RSB_FILL;
	plan->automatic_ibrs = in->amd_automatic_ibrs;
	if (in->amd_ibpb)
		plan->mask |= MITIGATE_IBPB;
	else
		plan->unmitigated |= UNMITIGATED_BRANCH;
}

struct mitigation_plan mitigation_decide(const struct mitigation_inputs *in)
{
	struct mitigation_plan plan = {0};
	u32 affected = affected_by(in);

	if (in->off)
		return plan;
	decide_l1tf(in, affected, &plan);
	decide_buffers(in, affected, &plan);
	if (in->vendor == VENDOR_INTEL)
		decide_branches_intel(in, &plan);
	else if (in->vendor == VENDOR_AMD)
		decide_branches_amd(in, &plan);
	return plan;
}

struct text {
	char *bytes;
	size_t size, used;
	const char *separator;
};

static void add(struct text *text, bool wanted, const char *what)
{
	if (!wanted || text->used >= text->size)
		return;
	text->used +=
	    (size_t)fmt_print(text->bytes + text->used, text->size - text->used, "%s%s", text->separator, what);
	text->separator = ", ";
}

void mitigation_describe(const struct mitigation_plan *plan, bool off, char *bytes, size_t size)
{
	struct text text = {bytes, size, 0, ""};

	if (size)
		bytes[0] = '\0';
	add(&text, off, "off by configuration");
	add(&text, plan->mask & MITIGATE_L1D_FLUSH, "L1D flush at entry");
	add(&text, plan->mask & MITIGATE_VERW, "buffers cleared at entry (VERW)");
	add(&text, plan->mask & MITIGATE_IBPB, "IBPB at VM switch");
	add(&text, plan->mask & MITIGATE_RSB_FILL, "RSB filled at exit");
	add(&text, plan->mask & MITIGATE_SPEC_CTRL, "IBRS at exit");
	add(&text, plan->spec_ctrl && !(plan->mask & MITIGATE_SPEC_CTRL), "enhanced IBRS");
	add(&text, plan->automatic_ibrs, "automatic IBRS");
	add(&text, plan->unmitigated & UNMITIGATED_L1TF, "L1TF NOT mitigated: update the microcode");
	add(&text, plan->unmitigated & UNMITIGATED_BUFFERS, "buffer sampling NOT mitigated: update the microcode");
	add(&text, plan->unmitigated & UNMITIGATED_BRANCH, "branch injection NOT mitigated: update the microcode");
	add(&text, text.used == 0, "none needed");
}
