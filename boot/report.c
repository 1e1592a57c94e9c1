#include <stdarg.h>
#include "boot/loader.h"
#include "lib/fmt.h"

#define LINE_SIZE    256
#define WAIT_SECONDS 10u
#define UNITS_PER_SECOND 10000000u /* of EFI timers: 100 ns */

static bool screen_is_mirrored; /* firmware's console already goes to a serial port */

/* Whether a device path (UEFI specification "Device Path Nodes") leads over a UART. `size` bytes, not trusted. */
static bool leads_over_uart(const u8 *path, u64 size)
{
	for (u64 at = 0; size - at >= END_DEVICE_PATH_LENGTH;) {
		u64 length = path[at + 2] | (u64)path[at + 3] << 8;

		if (path[at] == MESSAGING_DEVICE_PATH && path[at + 1] == MSG_UART_DP)
			return true;
		if (length < END_DEVICE_PATH_LENGTH || length > size - at)
			return false;
		at += length;
	}
	return false;
}

/* UEFI specification "Globally Defined Variables": ConOut holds the device paths of the console in use. */
static bool console_is_serial(void)
{
	static u8 path[1024];
	EFI_GUID global = EFI_GLOBAL_VARIABLE;
	UINTN size = sizeof(path);
	EFI_STATUS status;

	status = loader.table->RuntimeServices->GetVariable((CHAR16 *)L"ConOut", &global, NULL, &size, path);
	return !EFI_ERROR(status) && leads_over_uart(path, size);
}

void report_init(void)
{
	screen_is_mirrored = console_is_serial();
	serial_init(!screen_is_mirrored);
}

static void screen_write(const char *text)
{
	CHAR16 wide[LINE_SIZE + 2];
	u32 i;

	if (!loader.table->ConOut)
		return;
	for (i = 0; i < LINE_SIZE && text[i] != '\0'; i++)
		wide[i] = (CHAR16)(u8)text[i];
	wide[i] = 0;
	loader.table->ConOut->OutputString(loader.table->ConOut, wide);
}

static void write_line(const char *text, bool to_serial)
{
	screen_write(text);
	screen_write("\r\n");
	if (!to_serial)
		return;
	serial_write(text);
	serial_write("\r\n");
}

void say(const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, format);
	fmt_vprint(line, sizeof(line), format, args);
	va_end(args);
	write_line(line, !screen_is_mirrored);
}

const char *status_name(EFI_STATUS status)
{
	static const struct {
		EFI_STATUS status;
		const char *name;
	} names[] = {
		{EFI_SUCCESS, "no error"},
		{EFI_LOAD_ERROR, "load error"},
		{EFI_INVALID_PARAMETER, "invalid parameter"},
		{EFI_UNSUPPORTED, "unsupported"},
		{EFI_BUFFER_TOO_SMALL, "buffer too small"},
		{EFI_NOT_READY, "not ready"},
		{EFI_DEVICE_ERROR, "device error"},
		{EFI_OUT_OF_RESOURCES, "out of memory"},
		{EFI_VOLUME_CORRUPTED, "volume corrupted"},
		{EFI_NO_MEDIA, "no medium"},
		{EFI_MEDIA_CHANGED, "medium changed"},
		{EFI_NOT_FOUND, "not found"},
		{EFI_ACCESS_DENIED, "access denied"},
		{EFI_TIMEOUT, "timeout"},
		{EFI_END_OF_FILE, "file ends early"},
		{EFI_SECURITY_VIOLATION, "security violation"},
		{EFI_CRC_ERROR, "checksum error"},
	};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].status == status)
			return names[i].name;
	}
	return "unknown status";
}

static void wait_for_key(void)
{
	SIMPLE_INPUT_INTERFACE *input = loader.table->ConIn;
	EFI_EVENT events[2];
	UINTN index;

	if (EFI_ERROR(loader.services->CreateEvent(EVT_TIMER, 0, NULL, NULL, &events[0])))
		return;
	loader.services->SetTimer(events[0], TimerRelative, (u64)WAIT_SECONDS * UNITS_PER_SECOND);
	if (input) {
		input->Reset(input, FALSE); /* keys from before the message do not count */
		events[1] = input->WaitForKey;
	}
	loader.services->WaitForEvent(input ? 2 : 1, events, &index);
	loader.services->CloseEvent(events[0]);
}

void fail(EFI_STATUS status, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, format);
	fmt_vprint(line, sizeof(line), format, args);
	va_end(args);
	write_line("", true);
	write_line(line, true);
	if (status != EFI_SUCCESS) {
		fmt_print(line, sizeof(line), "Firmware's answer: %s (0x%llx).", status_name(status),
			  (unsigned long long)status);
		write_line(line, true);
	}
	if (loader.leaving)
		write_line("Trivisor did not start. The machine restarts after a key or ten seconds.", true);
	else
		write_line("Trivisor did not start. Back to firmware after a key or ten seconds.", true);
	wait_for_key();
	/*
	 * UEFI specification "EFI_BOOT_SERVICES.ExitBootServices()": after the first call firmware may have shut down
	 * in part, so there is no way back into it but a reset.
	 */
	if (loader.leaving)
		loader.table->RuntimeServices->ResetSystem(EfiResetCold, status, 0, NULL);
	pages_free_all();
	loader.services->Exit(loader.image, EFI_ERROR(status) ? status : EFI_LOAD_ERROR, 0, NULL);
	for (;;)
		__asm__ volatile("hlt");
}
