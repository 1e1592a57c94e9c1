/*
 * The one thing we ask of ACPI: whether there is an IOAPIC. (ACPI Specification, "Root System Description Pointer
 * (RSDP)", "Multiple APIC Description Table (MADT)")
 */
#include "guests/lib/guest.h"

#define BIOS_START 0xe0000u
#define BIOS_END   0x100000u
#define MADT_FIRST 44 /* where its entries begin */
#define MADT_IOAPIC 1

struct table {
	char signature[4];
	u32 length;
};

static const void *find_rsdp(void)
{
	for (word at = BIOS_START; !boot.rsdp && at < BIOS_END; at += 16)
		if (!memcmp((const void *)at, "RSD PTR ", 8))
			return (const void *)at;
	return boot.rsdp;
}

/* By the XSDT (addresses of 8 bytes) where there is one, else by the RSDT (4 bytes). Tables lie below 4 GiB. */
static const struct table *find_table(const char *signature)
{
	const u8 *rsdp = find_rsdp();
	bool wide = rsdp && rsdp[15] >= 2 && *(const u32 *)(const void *)(rsdp + 24);
	const struct table *root, *table;

	if (!rsdp)
		return NULL;
	root = (const void *)(word) * (const u32 *)(const void *)(rsdp + (wide ? 24 : 16));
	for (u32 at = 36; root && at + 4 <= root->length; at += wide ? 8 : 4) {
		table = (const void *)(word) * (const u32 *)(const void *)((const u8 *)root + at);
		if (!memcmp(table->signature, signature, 4))
			return table;
	}
	return NULL;
}

bool ioapic_there(void)
{
	const struct table *madt = find_table("APIC");
	const u8 *entry = (const u8 *)madt + MADT_FIRST;

	for (; madt && entry + 2 <= (const u8 *)madt + madt->length && entry[1]; entry += entry[1])
		if (entry[0] == MADT_IOAPIC)
			return true;
	return false;
}
