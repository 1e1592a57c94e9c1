#include "boot/loader.h"
#include "lib/string.h"

#define FOLDER	     "\\trivisor\\"
#define INFO_SIZE    1024u   /* EFI_FILE_INFO with the longest name FAT has (255 characters) */
#define READ_AT_ONCE (4 * MIB) /* some firmware bounces the whole read through one buffer */

static EFI_FILE_HANDLE volume;

void volume_open(void)
{
	EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL, volume_guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
	EFI_FILE_IO_INTERFACE *system;
	EFI_LOADED_IMAGE *image;
	EFI_STATUS status;

	status = loader.services->HandleProtocol(loader.image, &image_guid, (void **)&image);
	if (EFI_ERROR(status))
		fail(status, "Firmware does not say where the loader came from (EFI_LOADED_IMAGE_PROTOCOL).");
	status = loader.services->HandleProtocol(image->DeviceHandle, &volume_guid, (void **)&system);
	if (EFI_ERROR(status))
		fail(status, "The loader did not come from a FAT volume (EFI_SIMPLE_FILE_SYSTEM_PROTOCOL): start it "
			     "from the disk image.");
	status = system->OpenVolume(system, &volume);
	if (EFI_ERROR(status))
		fail(status,
		     "The volume the loader came from does not open (EFI_SIMPLE_FILE_SYSTEM_PROTOCOL.OpenVolume).");
}

static EFI_STATUS open_file(const char *name, EFI_FILE_HANDLE *file)
{
	CHAR16 path[sizeof(FOLDER) + BOOT_NAME_SIZE];
	u32 at = 0;

	for (const char *c = FOLDER; *c != '\0'; c++)
		path[at++] = (CHAR16)*c;
	while (*name == '/')
		name++;
	for (; *name != '\0' && at < ARRAY_SIZE(path) - 1; name++)
		path[at++] = *name == '/' ? '\\' : (CHAR16)(u8)*name;
	path[at] = 0;
	return volume->Open(volume, file, path, EFI_FILE_MODE_READ, 0);
}

static EFI_STATUS file_size(EFI_FILE_HANDLE file, u64 *size)
{
	static union {
		EFI_FILE_INFO info;
		u8 bytes[INFO_SIZE];
	} buffer;
	EFI_GUID info_guid = EFI_FILE_INFO_ID;
	UINTN length = sizeof(buffer);
	EFI_STATUS status = file->GetInfo(file, &info_guid, &length, &buffer);

	if (EFI_ERROR(status))
		return status;
	if (buffer.info.Attribute & EFI_FILE_DIRECTORY)
		return EFI_NOT_FOUND;
	*size = buffer.info.FileSize;
	return EFI_SUCCESS;
}

static EFI_STATUS read_all(EFI_FILE_HANDLE file, u64 pa, u64 size)
{
	for (u64 done = 0; done < size;) {
		UINTN n = MIN(size - done, READ_AT_ONCE);
		EFI_STATUS status = file->Read(file, &n, (void *)(pa + done));

		if (EFI_ERROR(status))
			return status;
		if (n == 0)
			return EFI_END_OF_FILE;
		done += n;
	}
	return EFI_SUCCESS;
}

EFI_STATUS volume_read(const char *name, u64 *pa, u64 *size)
{
	EFI_FILE_HANDLE file;
	EFI_STATUS status = open_file(name, &file);
	u64 memory = 0;

	if (EFI_ERROR(status))
		return status;
	status = file_size(file, size);
	if (!EFI_ERROR(status)) {
		say("  reading %s, %llu KiB", name, (unsigned long long)((*size + KIB - 1) / KIB));
		memory = pages_take(*size, EfiLoaderData, POOL_LIMIT);
		status = memory != 0 ? read_all(file, memory, *size) : EFI_OUT_OF_RESOURCES;
	}
	file->Close(file);
	*pa = EFI_ERROR(status) ? 0 : memory;
	return status;
}
