#include "drivers/acpi_table.h"
#include "lib/string.h"

/* Longer than any DSDT seen; keeps a wild length from taking minutes. */
#define MAX_LENGTH (16 * MIB)

void acpi_problem(struct acpi_info *info, const char *signature, const char *what)
{
	if (info->problem_count < ACPI_MAX_PROBLEMS) {
		struct acpi_problem *problem = &info->problem[info->problem_count];

		for (u32 i = 0; i < 4; i++)
			problem->table[i] = signature[i] >= ' ' && signature[i] <= '~' ? signature[i] : '?';
		problem->table[4] = '\0';
		problem->what = what;
	}
	info->problem_count++;
}

/* All bytes of a table add up to 0 (ACPI "System Description Table Header"). */
static bool sums_to_zero(const struct acpi_reader *reader, paddr_t pa, u32 length)
{
	u8 bytes[256], sum = 0;

	for (u32 done = 0; done < length;) {
		u32 n = MIN(length - done, (u32)sizeof(bytes));

		if (!reader->read(reader->context, pa + done, bytes, n))
			return false;
		for (u32 i = 0; i < n; i++)
			sum = (u8)(sum + bytes[i]);
		done += n;
	}
	return sum == 0;
}

bool acpi_table_open(struct acpi_table *table, struct acpi_info *info, const struct acpi_reader *reader, paddr_t pa)
{
	struct PACKED {
		char signature[4];
		u32 length;
	} header;

	*table = (struct acpi_table){.reader = reader, .pa = pa};
	if (pa == 0 || pa > ~0ull - MAX_LENGTH || !reader->read(reader->context, pa, &header, sizeof(header))) {
		acpi_problem(info, "????", "a table lies where nothing can be read");
		return false;
	}
	memcpy(table->signature, header.signature, sizeof(header.signature));
	table->length = header.length;
	if (header.length < ACPI_HEADER_SIZE || header.length > MAX_LENGTH) {
		acpi_problem(info, table->signature, "its length is impossible");
		return false;
	}
	if (!sums_to_zero(reader, pa, header.length)) {
		acpi_problem(info, table->signature, "its checksum is wrong");
		return false;
	}
	return true;
}

bool acpi_table_is(const struct acpi_table *table, const char *signature)
{
	return strcmp(table->signature, signature) == 0;
}

bool acpi_table_get(const struct acpi_table *table, u32 offset, void *to, u32 size)
{
	if (offset <= table->length && size <= table->length - offset &&
	    table->reader->read(table->reader->context, table->pa + offset, to, size))
		return true;
	memset(to, 0, size);
	return false;
}

u8 acpi_table_u8(const struct acpi_table *table, u32 offset)
{
	u8 value;

	acpi_table_get(table, offset, &value, sizeof(value));
	return value;
}

u16 acpi_table_u16(const struct acpi_table *table, u32 offset)
{
	u16 value;

	acpi_table_get(table, offset, &value, sizeof(value));
	return value;
}

u32 acpi_table_u32(const struct acpi_table *table, u32 offset)
{
	u32 value;

	acpi_table_get(table, offset, &value, sizeof(value));
	return value;
}

u64 acpi_table_u64(const struct acpi_table *table, u32 offset)
{
	u64 value;

	acpi_table_get(table, offset, &value, sizeof(value));
	return value;
}

struct acpi_register acpi_table_register(const struct acpi_table *table, u32 offset)
{
	return (struct acpi_register){
		.space = acpi_table_u8(table, offset),
		.width = acpi_table_u8(table, offset + 1),
		.offset = acpi_table_u8(table, offset + 2),
		.access = acpi_table_u8(table, offset + 3),
		.address = acpi_table_u64(table, offset + 4),
	};
}
