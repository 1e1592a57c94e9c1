/*
 * The sleep types for soft off: \_S5 (ACPI "\_Sx (System States)"), a package of small integers. There is no AML
 * interpreter here; as every firmware writes this package out in full, its bytes are looked for (ACPI "AML Grammar
 * Definition").
 */
#include "drivers/acpi_table.h"
#include "lib/string.h"

enum aml_byte {
	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_WORD = 0x0b,
	AML_DWORD = 0x0c,
	AML_PACKAGE = 0x12,
	AML_ROOT = 0x5c, /* '\' */
};

#define NAME_SIZE    4u
#define LONGEST	     (NAME_SIZE + 1 + 4 + 1 + 5 + 5) /* name, package, its length, count, two integers of 32 bits */
#define MAX_TYPE     7u				   /* SLP_TYP has three bits */
#define BLOCK	     512u

/* Take one integer off [*at, end); false: there is none of the plain forms. */
static bool take_integer(const u8 **at, const u8 *end, u32 *value)
{
	u32 bytes;

	if (*at == end)
		return false;
	switch (*(*at)++) {
	case AML_ZERO:
		*value = 0;
		return true;
	case AML_ONE:
		*value = 1;
		return true;
	case AML_BYTE:
		bytes = 1;
		break;
	case AML_WORD:
		bytes = 2;
		break;
	case AML_DWORD:
		bytes = 4;
		break;
	default:
		return false;
	}
	if ((size_t)(end - *at) < bytes)
		return false;
	*value = 0;
	memcpy(value, *at, bytes);
	*at += bytes;
	return true;
}

/* `at` is just after the name. */
static bool take_package(struct acpi_info *info, const u8 *at, const u8 *end)
{
	u32 length_bytes, a, b;

	if (end - at < 3 || *at++ != AML_PACKAGE)
		return false;
	length_bytes = 1 + (*at >> 6); /* ACPI "Package Length Encoding" */
	if ((size_t)(end - at) < length_bytes + 1)
		return false;
	at += length_bytes;
	if (*at++ < 2 || !take_integer(&at, end, &a) || !take_integer(&at, end, &b) || a > MAX_TYPE || b > MAX_TYPE)
		return false;
	info->has_s5 = true;
	info->s5_a = (u8)a;
	info->s5_b = (u8)b;
	return true;
}

/* Whether "_S5_" at bytes[i] is being defined: as Name(_S5...) or Name(\_S5...). */
static bool is_definition(const u8 *bytes, u32 i)
{
	if (memcmp(bytes + i, "_S5_", NAME_SIZE) != 0)
		return false;
	return bytes[i - 1] == AML_NAME || (bytes[i - 1] == AML_ROOT && bytes[i - 2] == AML_NAME);
}

void acpi_read_s5(struct acpi_info *info, const struct acpi_table *definitions)
{
	/* The two bytes before the name, the block its start lies in, and what may follow. */
	u8 bytes[2 + BLOCK + LONGEST];

	for (u32 at = ACPI_HEADER_SIZE; at < definitions->length && !info->has_s5; at += BLOCK) {
		u32 n = MIN(definitions->length - (at - 2), (u32)sizeof(bytes));

		if (!acpi_table_get(definitions, at - 2, bytes, n))
			return;
		for (u32 i = 2; i < 2 + BLOCK && i + NAME_SIZE <= n && !info->has_s5; i++) {
			if (is_definition(bytes, i))
				take_package(info, bytes + i + NAME_SIZE, bytes + n);
		}
	}
}
