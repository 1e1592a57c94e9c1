#include "boot/clock.h"
#include "boot/loader.h"
#include "boot/machine.h"
#include "boot/mp_services.h"
#include "lib/fmt.h"
#include "lib/string.h"

/*
 * A SIPI's vector is a page number; pages from 0xa0000 up are no RAM (SDM vol. 3 "Multiple-Processor (MP)
 * Initialization").
 */
#define TRAMPOLINE_LIMIT 0xa0000ull

void find_firmware(struct boot_info *info)
{
	const CHAR16 *vendor = loader.table->FirmwareVendor;
	char name[32];
	u32 i;

	for (i = 0; vendor && i < sizeof(name) - 1 && vendor[i] != 0; i++)
		name[i] = vendor[i] >= ' ' && vendor[i] <= '~' ? (char)vendor[i] : '?';
	name[i] = '\0';
	fmt_print(info->firmware, sizeof(info->firmware), "%s 0x%x, UEFI %u.%u", name, loader.table->FirmwareRevision,
		  loader.table->Hdr.Revision >> 16, (loader.table->Hdr.Revision & 0xffff) / 10);
	info->system_table_pa = (u64)loader.table;
	say("  firmware: %s", info->firmware);
}

static void *configuration_table(const EFI_GUID *guid)
{
	for (UINTN i = 0; i < loader.table->NumberOfTableEntries; i++) {
		if (memcmp(&loader.table->ConfigurationTable[i].VendorGuid, guid, sizeof(*guid)) == 0)
			return loader.table->ConfigurationTable[i].VendorTable;
	}
	return NULL;
}

void find_acpi(struct boot_info *info)
{
	EFI_GUID revision_2 = ACPI_20_TABLE_GUID, revision_1 = ACPI_TABLE_GUID;
	void *rsdp = configuration_table(&revision_2);

	if (!rsdp)
		rsdp = configuration_table(&revision_1);
	info->rsdp_pa = (u64)rsdp;
	if (rsdp)
		say("  ACPI: RSDP at 0x%llx", (unsigned long long)info->rsdp_pa);
	else
		say("  ACPI: none");
}

/*
 * From firmware and not from the CMOS clock behind it: where that clock is, which byte holds the century, and whether
 * there is one at all is the machine's own affair, and firmware is the one that knows.
 */
void find_time(struct boot_info *info)
{
	EFI_TIME now;
	EFI_STATUS status = loader.table->RuntimeServices->GetTime(&now, NULL);

	info->time_tsc = rdtsc();
	if (!EFI_ERROR(status)) {
		const struct clock_reading reading = {.year = now.Year, .month = now.Month, .day = now.Day,
						      .hour = now.Hour,
			.minute = now.Minute, .second = now.Second, .nanosecond = now.Nanosecond, .zone = now.TimeZone};

		info->time_seconds = clock_seconds(&reading);
	}
	if (info->time_seconds == 0)
		say("  time: firmware does not know it%s%s", EFI_ERROR(status) ? ": " : "",
		    EFI_ERROR(status) ? status_name(status) : "");
}

void find_cpus(struct boot_info *info)
{
	EFI_GUID guid = MP_SERVICES_GUID;
	struct mp_services *mp;
	UINTN all, enabled;

	if (EFI_ERROR(loader.services->LocateProtocol(&guid, NULL, (void **)&mp)) ||
	    EFI_ERROR(mp->get_number_of_processors(mp, &all, &enabled))) {
		say("  processors: firmware has no list (EFI_MP_SERVICES_PROTOCOL)");
		return;
	}
	for (UINTN i = 0; i < all && info->cpu_count < BOOT_MAX_CPUS; i++) {
		struct mp_processor_information processor;
		struct boot_cpu *cpu = &info->cpus[info->cpu_count];

		if (EFI_ERROR(mp->get_processor_info(mp, i, &processor)))
			continue;
		cpu->apic_id = (u32)processor.processor_id;
		cpu->flags = processor.status & (u32)(BOOT_CPU_BSP | BOOT_CPU_ENABLED | BOOT_CPU_HEALTHY);
		info->cpu_count++;
	}
	say("  processors: %llu, of which %llu enabled%s", (unsigned long long)all, (unsigned long long)enabled,
	    all > BOOT_MAX_CPUS ? "; more than we can list" : "");
}

void find_trampoline(struct boot_info *info)
{
	u32 size = BOOT_TRAMPOLINE_PAGES * (u32)PAGE_SIZE;
	u64 pa = pages_take(size, EfiLoaderCode, TRAMPOLINE_LIMIT);

	if (pa == 0) {
		say("  No %u KiB are free below 640 KiB: only the boot core can be used.", size / 1024);
		return;
	}
	info->trampoline_pa = (u32)pa;
	info->trampoline_size = size;
}
