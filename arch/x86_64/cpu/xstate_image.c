#include "arch/x86_64/cpu/xstate_image.h"

#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/cpu/xstate.h"
#include "lib/string.h"

#define LEGACY_SIZE	512u
#define HEADER_SIZE	64u
#define EXTENDED	(LEGACY_SIZE + HEADER_SIZE)
#define MXCSR_OFFSET	24u
#define MXCSR_MASK_OFFSET 28u
#define MXCSR_MASK_DEFAULT 0xffbfu /* SDM "Guidelines for Writing to the MXCSR Register": when the mask reads as 0 */
#define LEGACY_FEATURES (XCR0_X87 | XCR0_SSE)
#define FIRST_EXTENDED	2u
#define FEATURES_END	63u

struct header {
	u64 xstate_bv, xcomp_bv;
};

static struct header read_header(const void *area)
{
	struct header header = {LEGACY_FEATURES, 0};

	if (cpu_has(FEATURE_XSAVE)) /* FXSAVE writes none */
		memcpy(&header, (const u8 *)area + LEGACY_SIZE, sizeof(header));
	return header;
}

u32 xstate_export(const void *area, void *image, u32 size)
{
	struct header header = read_header(area), out = {0, 0};
	u32 end = EXTENDED;

	if (size < EXTENDED)
		return 0;
	memset((u8 *)image + LEGACY_SIZE, 0, HEADER_SIZE);
	memcpy(image, area, LEGACY_SIZE);
	out.xstate_bv = header.xstate_bv & LEGACY_FEATURES;
	for (u32 i = FIRST_EXTENDED; i < FEATURES_END; i++) {
		struct cpuid_leaf leaf;

		if (!(header.xstate_bv & xstate_xcr0_max() & BIT(i)))
			continue;
		leaf = features_cpuid(0xd, i);
		if (leaf.ebx + leaf.eax > size)
			continue;
		memcpy((u8 *)image + leaf.ebx, (const u8 *)area + leaf.ebx, leaf.eax);
		out.xstate_bv |= BIT(i);
		end = MAX(end, leaf.ebx + leaf.eax);
	}
	memcpy((u8 *)image + LEGACY_SIZE, &out, sizeof(out));
	return end;
}

/* XRSTOR and FXRSTOR fault on reserved bits of MXCSR: they must not come from an image. */
static bool mxcsr_valid(const void *image)
{
	u32 mxcsr, mask;

	memcpy(&mxcsr, (const u8 *)image + MXCSR_OFFSET, sizeof(mxcsr));
	memcpy(&mask, (const u8 *)image + MXCSR_MASK_OFFSET, sizeof(mask));
	return (mxcsr & ~(mask & 0xffff ? mask & 0xffff : MXCSR_MASK_DEFAULT)) == 0;
}

int xstate_import(void *area, const void *image, u32 size)
{
	struct header in;

	if (size < EXTENDED || !mxcsr_valid(image))
		return ERR_INVALID;
	memcpy(&in, (const u8 *)image + LEGACY_SIZE, sizeof(in));
	if (in.xcomp_bv || (in.xstate_bv & ~xstate_xcr0_max() & ~LEGACY_FEATURES))
		return ERR_UNSUPPORTED;
	xstate_reset(area);
	memcpy(area, image, LEGACY_SIZE);
	if (!cpu_has(FEATURE_XSAVE))
		return OK;
	for (u32 i = FIRST_EXTENDED; i < FEATURES_END; i++) {
		struct cpuid_leaf leaf;

		if (!(in.xstate_bv & BIT(i)))
			continue;
		leaf = features_cpuid(0xd, i);
		if (leaf.ebx + leaf.eax > size)
			return ERR_INVALID;
		memcpy((u8 *)area + leaf.ebx, (const u8 *)image + leaf.ebx, leaf.eax);
	}
	memcpy((u8 *)area + LEGACY_SIZE, &in, sizeof(in));
	return OK;
}
