/* The cores and the interrupt controllers (ACPI "Multiple APIC Description Table (MADT)"). */
#include "drivers/acpi_table.h"

#define LAPIC_ADDRESS 36u
#define FLAGS	      40u
#define ENTRIES	      44u
#define FLAG_8259     BIT(0) /* PCAT_COMPAT */

enum entry_type {
	ENTRY_LAPIC = 0,
	ENTRY_IOAPIC = 1,
	ENTRY_LAPIC_ADDRESS = 5,
	ENTRY_X2APIC = 9,
};

#define NO_LAPIC  0xffu /* an entry for a core that is not there; IDs of all ones address all cores */
#define NO_X2APIC 0xffffffffu

static void add_cpu(struct acpi_info *info, u32 apic_id, u32 flags)
{
	flags &= (u32)(ACPI_CPU_ENABLED | ACPI_CPU_ONLINE_CAPABLE);
	if (flags == 0)
		return;
	for (u32 i = 0; i < info->cpu_count; i++) {
		if (info->cpu[i].apic_id == apic_id) { /* named as local APIC and as x2APIC */
			info->cpu[i].flags |= flags;
			return;
		}
	}
	if (info->cpu_count == ACPI_MAX_CPUS) {
		acpi_problem(info, "APIC", "it names more processors than can be listed");
		return;
	}
	info->cpu[info->cpu_count++] = (struct acpi_cpu){.apic_id = apic_id, .flags = flags};
}

static void add_lapic(struct acpi_info *info, const struct acpi_table *madt, u32 at)
{
	u8 id = acpi_table_u8(madt, at + 3);

	if (id != NO_LAPIC)
		add_cpu(info, id, acpi_table_u32(madt, at + 4));
}

static void add_x2apic(struct acpi_info *info, const struct acpi_table *madt, u32 at)
{
	u32 id = acpi_table_u32(madt, at + 4);

	if (id != NO_X2APIC)
		add_cpu(info, id, acpi_table_u32(madt, at + 8));
}

static void add_ioapic(struct acpi_info *info, const struct acpi_table *madt, u32 at)
{
	if (info->ioapic_count == ACPI_MAX_IOAPICS) {
		acpi_problem(info, "APIC", "it names more IOAPICs than can be listed");
		return;
	}
	info->ioapic[info->ioapic_count++] = (struct acpi_ioapic){
		.id = acpi_table_u8(madt, at + 2),
		.pa = acpi_table_u32(madt, at + 4),
		.gsi_base = acpi_table_u32(madt, at + 8),
	};
}

static void set_lapic_address(struct acpi_info *info, const struct acpi_table *madt, u32 at)
{
	info->lapic_pa = acpi_table_u64(madt, at + 4);
}

static const struct {
	u8 type, length;
	void (*read)(struct acpi_info *info, const struct acpi_table *madt, u32 at);
} kinds[] = {
	{ENTRY_LAPIC, 8, add_lapic},
	{ENTRY_IOAPIC, 12, add_ioapic},
	{ENTRY_LAPIC_ADDRESS, 12, set_lapic_address},
	{ENTRY_X2APIC, 16, add_x2apic},
};

static void read_entry(struct acpi_info *info, const struct acpi_table *madt, u32 at, u8 type, u8 length)
{
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].type != type)
			continue;
		if (length < kinds[i].length)
			acpi_problem(info, "APIC", "an entry is too short for its type");
		else
			kinds[i].read(info, madt, at);
	}
}

void acpi_read_madt(struct acpi_info *info, const struct acpi_table *madt)
{
	info->lapic_pa = acpi_table_u32(madt, LAPIC_ADDRESS);
	info->has_8259 = acpi_table_u32(madt, FLAGS) & FLAG_8259;
	for (u32 at = ENTRIES; at + 2 <= madt->length;) {
		u8 type = acpi_table_u8(madt, at), length = acpi_table_u8(madt, at + 1);

		if (length < 2 || length > madt->length - at) {
			acpi_problem(info, "APIC", "an entry reaches beyond its end");
			return;
		}
		read_entry(info, madt, at, type, length);
		at += length;
	}
}
