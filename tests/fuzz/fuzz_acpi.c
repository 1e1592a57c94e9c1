// sources: drivers/acpi.c drivers/acpi_table.c drivers/acpi_madt.c drivers/acpi_fadt.c drivers/acpi_s5.c
/*
 * Hostile ACPI tables. The input is the machine's memory from physical address 0x1000, the RSDP first. Checksums would
 * stop a fuzzer at the door, so the input's last byte says whether to make them right: the checksum byte of a structure
 * is then answered so that its sum is 0, which is done when the reader first sees it.
 */
#include <string.h>
#include "drivers/acpi.h"
#include "tests/fuzz/fuzz.h"

#define BASE 0x1000u

struct memory {
	u8 *bytes;
	u64 size;
};

static bool read_memory(void *context, paddr_t pa, void *to, u64 size)
{
	const struct memory *m = context;

	if (pa < BASE || pa - BASE > m->size || size > m->size - (pa - BASE))
		return false;
	memcpy(to, m->bytes + (pa - BASE), size);
	return true;
}

static void fix_sum(u8 *bytes, u64 size, u64 at)
{
	u8 sum = 0;

	bytes[at] = 0;
	for (u64 i = 0; i < size; i++)
		sum = (u8)(sum + bytes[i]);
	bytes[at] = (u8)-sum;
}

/* Every place that looks like the start of a table we know becomes valid. */
static void fix_sums(struct memory *m)
{
	static const char *const names[] = {"XSDT", "RSDT", "APIC", "FACP", "HPET", "DSDT", "SSDT"};

	for (u64 at = 0; m->size > 36 && at <= m->size - 36; at++) {
		for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
			u32 length;

			memcpy(&length, m->bytes + at + 4, sizeof(length));
			if (memcmp(m->bytes + at, names[i], 4) == 0 && length >= 36 && length <= m->size - at)
				fix_sum(m->bytes + at, length, 9);
		}
	}
	if (m->size >= 36) {
		fix_sum(m->bytes, 20, 8);
		fix_sum(m->bytes, 36, 32);
	}
}

static void check(const struct acpi_info *info)
{
	if (info->cpu_count > ACPI_MAX_CPUS || info->ioapic_count > ACPI_MAX_IOAPICS || info->s5_a > 7 ||
	    info->s5_b > 7)
		abort();
	for (u32 i = 0; i < info->cpu_count; i++) {
		for (u32 k = 0; k < i; k++) {
			if (info->cpu[i].apic_id == info->cpu[k].apic_id)
				abort();
		}
	}
	for (u32 i = 0; i < info->problem_count && i < ACPI_MAX_PROBLEMS; i++) {
		if (strlen(info->problem[i].table) != 4 || strlen(info->problem[i].what) == 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct acpi_info info;
	struct memory m = {.size = size};
	const struct acpi_reader reader = {.read = read_memory, .context = &m};

	if (size == 0)
		return 0;
	m.bytes = malloc(size);
	memcpy(m.bytes, data, size);
	if (data[size - 1] & 1)
		fix_sums(&m);
	acpi_read(&info, &reader, BASE);
	check(&info);
	free(m.bytes);
	return 0;
}
