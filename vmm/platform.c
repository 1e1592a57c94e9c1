#include "vmm/platform.h"

#include "core/log.h"
#include "drivers/physical.h"

struct acpi_info platform_acpi;

void platform_read(const struct boot_info *info)
{
	const struct acpi_reader reader = {.read = physical_read};

	if (!info->rsdp_pa || acpi_read(&platform_acpi, &reader, info->rsdp_pa) != OK)
		log_stage(4, "platform: no ACPI; %u processors by firmware's MP Services", info->cpu_count);
	else
		log_stage(4, "platform: ACPI, %u processors, %u IOAPICs", platform_acpi.cpu_count,
			  platform_acpi.ioapic_count);
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
