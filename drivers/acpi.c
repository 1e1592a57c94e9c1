#include "drivers/acpi.h"
#include "drivers/acpi_table.h"
#include "lib/string.h"

/* ACPI "Root System Description Pointer (RSDP) Structure". */
#define RSDP_SIZE_1   20u
#define RSDP_SIZE_2   36u
#define RSDP_MAX      256u
#define MAX_TABLES    1024u /* a list with more is damaged */

struct PACKED rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 extended_checksum, reserved[3];
};

_Static_assert(sizeof(struct rsdp) == RSDP_SIZE_2, "RSDP of revision 2");

/* ACPI "IA-PC High Precision Event Timer Table": the base address is a register in memory. */
#define HPET_BASE 40u

static bool adds_up(const u8 *bytes, u32 size)
{
	u8 sum = 0;

	for (u32 i = 0; i < size; i++)
		sum = (u8)(sum + bytes[i]);
	return sum == 0;
}

/* Read and check it; a revision 2 whose longer part is bad is taken as revision 1. */
static bool read_rsdp(struct acpi_info *info, const struct acpi_reader *reader, paddr_t pa, struct rsdp *rsdp)
{
	u8 bytes[RSDP_MAX];
	u32 length;

	memset(rsdp, 0, sizeof(*rsdp));
	if (pa == 0 || pa > ~0ull - RSDP_MAX || !reader->read(reader->context, pa, bytes, RSDP_SIZE_1) ||
	    memcmp(bytes, "RSD PTR ", sizeof(rsdp->signature)) != 0 || !adds_up(bytes, RSDP_SIZE_1)) {
		acpi_problem(info, "RSDP", "it is not where firmware says, or its checksum is wrong");
		return false;
	}
	memcpy(rsdp, bytes, RSDP_SIZE_1);
	if (rsdp->revision < 2)
		return true;
	if (!reader->read(reader->context, pa, bytes, RSDP_SIZE_2))
		return true;
	memcpy(&length, bytes + offsetof(struct rsdp, length), sizeof(length));
	if (length < RSDP_SIZE_2 || length > RSDP_MAX || !reader->read(reader->context, pa, bytes, length) ||
	    !adds_up(bytes, length)) {
		acpi_problem(info, "RSDP", "its extended part is damaged");
		return true;
	}
	memcpy(rsdp, bytes, sizeof(*rsdp));
	return true;
}

/* The list of tables, XSDT before RSDT. Returns the size of its entries, 0: none is valid. */
static u32 open_list(struct acpi_info *info, const struct acpi_reader *reader, const struct rsdp *rsdp,
		     struct acpi_table *list)
{
	if (rsdp->xsdt != 0 && acpi_table_open(list, info, reader, rsdp->xsdt) && acpi_table_is(list, "XSDT"))
		return sizeof(u64);
	if (rsdp->rsdt != 0 && acpi_table_open(list, info, reader, rsdp->rsdt) && acpi_table_is(list, "RSDT"))
		return sizeof(u32);
	acpi_problem(info, "RSDP", "it leads to no valid XSDT or RSDT");
	return 0;
}

static void read_fadt(struct acpi_info *info, const struct acpi_table *fadt)
{
	paddr_t dsdt = acpi_read_fadt(info, fadt);
	struct acpi_table table;

	if (dsdt != 0 && acpi_table_open(&table, info, fadt->reader, dsdt) && acpi_table_is(&table, "DSDT"))
		acpi_read_s5(info, &table);
}

static void read_hpet(struct acpi_info *info, const struct acpi_table *hpet)
{
	struct acpi_register base = acpi_table_register(hpet, HPET_BASE);

	if (info->hpet == 0 && base.space == ACPI_SPACE_MEMORY)
		info->hpet = base.address;
}

static const struct {
	const char *signature;
	void (*read)(struct acpi_info *info, const struct acpi_table *table);
} kinds[] = {
	{"APIC", acpi_read_madt},
	{"FACP", read_fadt},
	{"HPET", read_hpet},
	{"SSDT", acpi_read_s5},
};

/* Only tables of the kinds we read are opened: a bad checksum elsewhere is not our matter. */
static void read_table(struct acpi_info *info, const struct acpi_reader *reader, paddr_t pa)
{
	char signature[5] = "";
	struct acpi_table table;

	if (!reader->read(reader->context, pa, signature, 4)) {
		acpi_problem(info, "????", "a listed table lies where nothing can be read");
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(signature, kinds[i].signature) == 0 && acpi_table_open(&table, info, reader, pa))
			kinds[i].read(info, &table);
	}
}

int acpi_read(struct acpi_info *info, const struct acpi_reader *reader, paddr_t rsdp_pa)
{
	struct acpi_table list;
	struct rsdp rsdp;
	u32 entry_size, count;

	memset(info, 0, sizeof(*info));
	if (!read_rsdp(info, reader, rsdp_pa, &rsdp))
		return ERR_FORMAT;
	entry_size = open_list(info, reader, &rsdp, &list);
	if (entry_size == 0)
		return ERR_FORMAT;
	count = (list.length - ACPI_HEADER_SIZE) / entry_size;
	if (count > MAX_TABLES) {
		acpi_problem(info, list.signature, "it lists more tables than there can be");
		count = MAX_TABLES;
	}
	for (u32 i = 0; i < count; i++) {
		u64 pa = 0;

		acpi_table_get(&list, ACPI_HEADER_SIZE + i * entry_size, &pa, entry_size);
		if (pa != 0)
			read_table(info, reader, pa);
	}
	return OK;
}
