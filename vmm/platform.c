#include "vmm/platform.h"

#include "arch/x86_64/mmu/root.h"
#include "core/log.h"
#include "lib/string.h"

struct acpi_info platform_acpi;

/* Tables lie anywhere in RAM, where we have no mapping: page by page through the temporary one. */
static bool read_physical(void *context UNUSED, paddr_t pa, void *to, u64 size)
{
	u8 *out = to;

	if (pa + size < pa || pa + size > BIT(52))
		return false;
	while (size) {
		u64 part = MIN(size, PAGE_SIZE - (pa & (PAGE_SIZE - 1)));

		memcpy(out, temp_map(pa), part);
		pa += part;
		out += part;
		size -= part;
	}
	return true;
}

void platform_read(const struct boot_info *info)
{
	const struct acpi_reader reader = {.read = read_physical};

	if (!info->rsdp_pa || acpi_read(&platform_acpi, &reader, info->rsdp_pa) != OK)
		log_stage(4, "platform: no ACPI; %u processors by firmware's MP Services", info->cpu_count);
	else
		log_stage(4, "platform: ACPI, %u processors, %u IOAPICs", platform_acpi.cpu_count, platform_acpi.ioapic_count);
	for (u32 i = 0; i < MIN(platform_acpi.problem_count, ACPI_MAX_PROBLEMS); i++)
		log_line("     ACPI table %s: %s", platform_acpi.problem[i].table, platform_acpi.problem[i].what);
}

u32 platform_list_cores(const struct boot_info *info, u32 *apic_ids, u32 max)
{
	u32 count = 0;

	for (u32 i = 0; i < platform_acpi.cpu_count && count < max; i++)
		if (platform_acpi.cpu[i].flags & ACPI_CPU_ENABLED)
			apic_ids[count++] = platform_acpi.cpu[i].apic_id;
	if (platform_acpi.cpu_count)
		return count;
	for (u32 i = 0; i < info->cpu_count && count < max; i++)
		if (info->cpus[i].flags & BOOT_CPU_ENABLED)
			apic_ids[count++] = info->cpus[i].apic_id;
	return count;
}
