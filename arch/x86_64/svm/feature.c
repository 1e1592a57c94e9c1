/* SVM's optional features from CPUID words (APM vol. 3 "Function 8000_000Ah—SVM Features"). Pure. */
#include "arch/x86_64/svm/svm.h"
#include "lib/fmt.h"
#include "lib/string.h"

static const struct {
	u8 bit;
	u8 offset;
	const char *name;
} rows[] = {
	{0, offsetof(struct svm_features, nested_paging), "nested paging"},
	{3, offsetof(struct svm_features, nrips), "NRIPS"},
	{6, offsetof(struct svm_features, flush_by_asid), "flush by ASID"},
	{7, offsetof(struct svm_features, decode_assists), "decode assists"},
	{5, offsetof(struct svm_features, clean_bits), "VMCB clean bits"},
	{10, offsetof(struct svm_features, pause_filter), "PAUSE filter"},
	{12, offsetof(struct svm_features, pause_threshold), "PAUSE filter threshold"},
	{4, offsetof(struct svm_features, tsc_rate), "TSC rate"},
	{16, offsetof(struct svm_features, vgif), "vGIF"},
	{13, offsetof(struct svm_features, avic), "AVIC"},
};

static bool *flag(struct svm_features *features, u32 row)
{
	return (bool *)((u8 *)features + rows[row].offset);
}

static bool get(const struct svm_features *features, u32 row)
{
	return *(const bool *)((const u8 *)features + rows[row].offset);
}

struct svm_features svm_read_features(u32 ebx, u32 edx)
{
	struct svm_features features = {.asids = ebx};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		*flag(&features, i) = edx >> rows[i].bit & 1;
	return features;
}

struct svm_features svm_common_features(const struct svm_features *a, const struct svm_features *b)
{
	struct svm_features both = {.asids = MIN(a->asids, b->asids)};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		*flag(&both, i) = get(a, i) && get(b, i);
	return both;
}

void svm_name_features(const struct svm_features *features, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (u32 i = 0; i < ARRAY_SIZE(rows) && used < size; i++)
		if (get(features, i))
			used += (size_t)fmt_print(buf + used, size - used, "%s%s", used ? ", " : "", rows[i].name);
	if (used < size)
		fmt_print(buf + used, size - used, "%s%u ASIDs", used ? ", " : "", features->asids);
}
