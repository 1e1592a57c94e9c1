/* SVM's optional features from CPUID words (APM vol. 3 "Function 8000_000Ah—SVM Features"). Pure. */
#include "arch/x86_64/svm/svm.h"
#include "lib/fmt.h"
#include "lib/string.h"

static const struct {
	u8 bit;
	bool used;
	u8 offset;
	const char *name;
} rows[] = {
	{0, true, offsetof(struct svm_features, nested_paging), "nested paging"},
	{3, true, offsetof(struct svm_features, nrips), "NRIPS"},
	{6, true, offsetof(struct svm_features, flush_by_asid), "flush by ASID"},
	{7, true, offsetof(struct svm_features, decode_assists), "decode assists"},
	{5, true, offsetof(struct svm_features, clean_bits), "VMCB clean bits"},
	{10, true, offsetof(struct svm_features, pause_filter), "PAUSE filter"},
	{12, true, offsetof(struct svm_features, pause_threshold), "PAUSE filter threshold"},
	{4, false, offsetof(struct svm_features, tsc_rate), "TSC rate"},
	{16, false, offsetof(struct svm_features, vgif), "vGIF"}, /* for guests that have SVM themselves */
	{13, false, offsetof(struct svm_features, avic), "AVIC"},
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

/* Appends the names of those that are used, or found only; returns the text's length, beyond `size` when it is cut. */
static size_t append(const struct svm_features *features, bool used, char *buf, size_t at, size_t size)
{
	const char *before = used ? "" : "; found, not used yet: ";

	for (u32 i = 0; i < ARRAY_SIZE(rows) && at < size; i++) {
		if (rows[i].used != used || !get(features, i))
			continue;
		at += (size_t)fmt_print(buf + at, size - at, "%s%s", before, rows[i].name);
		before = ", ";
	}
	return at;
}

void svm_name_features(const struct svm_features *features, char *buf, size_t size)
{
	size_t at = (size_t)fmt_print(buf, size, "%u ASIDs, ", features->asids);

	at = append(features, true, buf, at, size);
	append(features, false, buf, at, size);
}
