#include "arch/x86_64/vmx/check.h"

#include "arch/x86_64/cpu/regs.h"
#include "lib/fmt.h"

bool check_run(const struct check_row *rows, u32 count, const struct vmcs_snapshot *snapshot,
	       const struct check_machine *machine, const char *area, struct check_result *result)
{
	const struct check_context context = {.value = snapshot->value, .machine = machine};

	result->text[0] = '\0';
	for (u32 i = 0; i < count; i++) {
		if (rows[i].holds(&context))
			continue;
		(void)fmt_print(result->text, sizeof(result->text), "%s: %s (%s = %llx)", area, rows[i].words,
				vmcs_fields[rows[i].shown].words, (unsigned long long)snapshot->value[rows[i].shown]);
		return false;
	}
	return true;
}

bool check_pat(u64 pat)
{
	const u32 types =
		BIT(CACHE_UC) | BIT(CACHE_WC) | BIT(CACHE_WT) | BIT(CACHE_WP) | BIT(CACHE_WB) | BIT(CACHE_UC_MINUS);

	for (u32 i = 0; i < 8; i++) {
		u64 type = pat >> (8 * i) & 0xff;

		if (type > 7 || !(types & BIT(type)))
			return false;
	}
	return true;
}
