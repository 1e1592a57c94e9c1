#include "boot/loader.h"

/* The GOP behind the console firmware shows text on, or else any that has a framebuffer in memory. */
static EFI_GRAPHICS_OUTPUT_PROTOCOL *find_gop(void)
{
	EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, *found = NULL;
	EFI_HANDLE *handles;
	UINTN count;

	if (loader.table->ConsoleOutHandle &&
	    !EFI_ERROR(loader.services->HandleProtocol(loader.table->ConsoleOutHandle, &guid, (void **)&gop)) &&
	    gop->Mode && gop->Mode->FrameBufferBase != 0)
		return gop;
	if (EFI_ERROR(loader.services->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles)))
		return NULL;
	for (UINTN i = 0; i < count && !found; i++) {
		if (!EFI_ERROR(loader.services->HandleProtocol(handles[i], &guid, (void **)&gop)) && gop->Mode &&
		    gop->Mode->Info && gop->Mode->FrameBufferBase != 0)
			found = gop;
	}
	loader.services->FreePool(handles);
	return found;
}

static u32 pixel_format(EFI_GRAPHICS_PIXEL_FORMAT format)
{
	switch (format) {
	case PixelRedGreenBlueReserved8BitPerColor:
		return BOOT_PIXEL_RGBX;
	case PixelBlueGreenRedReserved8BitPerColor:
		return BOOT_PIXEL_BGRX;
	case PixelBitMask:
		return BOOT_PIXEL_MASK;
	default:
		return BOOT_PIXEL_NONE; /* block transfers only: nothing is left of it once firmware is gone */
	}
}

/*
 * A mode is used only if its lines lie in the framebuffer firmware names; 32 bits a pixel, as all three formats have.
 */
static bool mode_is_sane(const struct boot_framebuffer *fb)
{
	return fb->format != BOOT_PIXEL_NONE && fb->width > 0 && fb->height > 0 && fb->stride >= fb->width &&
	       fb->size / 4 / fb->stride >= fb->height;
}

void find_framebuffer(struct boot_info *info)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop = find_gop();
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode = gop ? gop->Mode->Info : NULL;
	struct boot_framebuffer fb;

	if (!mode) {
		say("  screen: none that lies in memory (EFI_GRAPHICS_OUTPUT_PROTOCOL)");
		return;
	}
	fb = (struct boot_framebuffer){
		.pa = gop->Mode->FrameBufferBase,
		.size = gop->Mode->FrameBufferSize,
		.width = mode->HorizontalResolution,
		.height = mode->VerticalResolution,
		.stride = mode->PixelsPerScanLine,
		.format = pixel_format(mode->PixelFormat),
		.red_mask = mode->PixelInformation.RedMask,
		.green_mask = mode->PixelInformation.GreenMask,
		.blue_mask = mode->PixelInformation.BlueMask,
	};
	if (!mode_is_sane(&fb)) {
		say("  screen: %ux%u, but not as pixels in memory", fb.width, fb.height);
		return;
	}
	info->framebuffer = fb;
	say("  screen: %ux%u at 0x%llx", fb.width, fb.height, (unsigned long long)fb.pa);
}
