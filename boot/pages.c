#include "boot/loader.h"
#include "lib/string.h"

/* Every file, and the few things that are not files. */
#define MAX_RUNS (BOOT_MAX_FILES + 16)

static struct {
	u64 pa, pages;
} runs[MAX_RUNS];
static u32 run_count;

u64 pages_take(u64 bytes, EFI_MEMORY_TYPE type, u64 limit)
{
	EFI_PHYSICAL_ADDRESS pa = limit - 1; /* AllocateMaxAddress: the last byte may lie here */
	u64 pages = ALIGN_UP(MAX(bytes, 1), PAGE_SIZE) >> PAGE_SHIFT;

	if (run_count == MAX_RUNS || bytes > limit)
		return 0;
	if (EFI_ERROR(loader.services->AllocatePages(AllocateMaxAddress, type, pages, &pa)))
		return 0;
	runs[run_count].pa = pa;
	runs[run_count++].pages = pages;
	/*
	 * Page 0 is memory like any other to firmware, but 0 means "none" to us. It stays taken; the next one is
	 * another.
	 */
	return pa != 0 ? pa : pages_take(bytes, type, limit);
}

void *pages_need(u64 bytes, const char *what)
{
	u64 pa = pages_take(bytes, EfiLoaderData, POOL_LIMIT);

	if (pa == 0)
		fail(EFI_OUT_OF_RESOURCES, "There is no memory for %s (%llu KiB). Does the machine have enough?", what,
		     (unsigned long long)(bytes / KIB));
	return memset((void *)pa, 0, ALIGN_UP(bytes, PAGE_SIZE));
}

void pages_free_all(void)
{
	while (run_count > 0) {
		run_count--;
		loader.services->FreePages(runs[run_count].pa, runs[run_count].pages);
	}
}
