/* EFI/BOOT/BOOTX64.EFI: load the hypervisor and its files, gather what firmware knows, leave firmware, jump. */
#include "boot/elf.h"
#include "boot/file_list.h"
#include "boot/loader.h"
#include "lib/string.h"

#define HYPERVISOR_FILE "trivisor.elf"
#define CONFIG_FILE	"trivisor.conf"

struct loader loader;

/* gnu-efi's start code calls this by name, in the System V ABI. */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static void load_needed(const char *name, u64 *pa, u64 *size)
{
	EFI_STATUS status = volume_read(name, pa, size);

	if (EFI_ERROR(status))
		fail(status,
		     "\\trivisor\\%s could not be read from the volume the loader came from: "
		     "write the disk image anew.", name);
}

static void load_hypervisor(struct boot_info *info, struct elf_image *image)
{
	const char *why = "";
	u64 file, size;

	load_needed(HYPERVISOR_FILE, &file, &size);
	if (elf_parse(image, (void *)file, size, IMAGE_BASE, &why) != OK)
		fail(EFI_SUCCESS, "\\trivisor\\" HYPERVISOR_FILE " %s: it is damaged or not Trivisor's.", why);
	info->image_size = image->size;
	info->image_pa = (u64)pages_need(image->size, "the hypervisor");
	elf_place(image, (void *)file, (void *)info->image_pa);
}

/* A file that cannot be read is the matter of the VM that wants it: recorded, and the boot goes on. */
static void load_named(struct boot_file *file)
{
	file->status = volume_read(file->name, &file->pa, &file->size);
	if (EFI_ERROR(file->status)) {
		file->size = 0;
		say("  \\trivisor\\%s could not be read: %s. Its VM will not start.", file->name,
		    status_name(file->status));
	}
}

static void load_config(struct boot_info *info)
{
	struct file_list list;

	load_needed(CONFIG_FILE, &info->config_pa, &info->config_size);
	file_list_read(&list, info->files, (const char *)info->config_pa, info->config_size);
	info->file_count = list.count;
	if (list.bad_line != 0)
		say("  " CONFIG_FILE ":%u: a file's name must have 1 to %u plain ASCII characters.", list.bad_line,
		    BOOT_NAME_SIZE - 1);
	if (list.left_out != 0)
		say("  " CONFIG_FILE " names %u files more than the %u that can be loaded.", list.left_out,
		    BOOT_MAX_FILES);
	for (u32 i = 0; i < list.count; i++)
		load_named(&info->files[i]);
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *table)
{
	struct elf_image image;
	struct boot_info *info;

	loader = (struct loader){.image = handle, .table = table, .services = table->BootServices};
	loader.services->SetWatchdogTimer(0, 0, 0, NULL); /* firmware resets the machine after five minutes otherwise */
	report_init();
	say("Trivisor loader");
	check_machine();
	volume_open();
	info = pages_need(sizeof(*info), "the boot information");
	info->magic = BOOT_INFO_MAGIC;
	info->version = BOOT_INFO_VERSION;
	info->size = sizeof(*info);
	load_hypervisor(info, &image);
	load_config(info);
	find_firmware(info);
	find_acpi(info);
	find_time(info);
	find_framebuffer(info);
	find_cpus(info);
	find_trampoline(info);
	build_tables(info, image.base);
	leave(info, image.entry);
}
