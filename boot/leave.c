#include "boot/loader.h"
#include "boot/machine.h"
#include "lib/string.h"

/* Firmware's own event handlers allocate while it shuts down: room for the map to grow. */
#define SPARE_DESCRIPTORS 64u
#define EXIT_ATTEMPTS	  16u

#define CPUID_FEATURES		  7u
#define CPUID_EXTENDED_FEATURES	  0x80000001u
#define FEATURE_SHADOW_STACK	  BIT(7)  /* leaf 7, ECX */
#define FEATURE_BRANCH_TRACKING	  BIT(20) /* leaf 7, EDX */
#define EXTENDED_FEATURE_1GIB	  BIT(26) /* leaf 0x80000001, EDX */

static struct paging_plan plan;
static u64 map_capacity;
static u64 tables_root;

static bool has_gib_pages(void)
{
	return cpuid(0x80000000u, 0).eax >= CPUID_EXTENDED_FEATURES &&
	       (cpuid(CPUID_EXTENDED_FEATURES, 0).edx & EXTENDED_FEATURE_1GIB);
}

static bool has_cet(void)
{
	struct cpuid_leaf features;

	if (cpuid(0, 0).eax < CPUID_FEATURES)
		return false;
	features = cpuid(CPUID_FEATURES, 0);
	return (features.ecx & FEATURE_SHADOW_STACK) || (features.edx & FEATURE_BRANCH_TRACKING);
}

void check_machine(void)
{
	/*
	 * Paging levels cannot be changed while paging is on (SDM vol. 3 "Paging-Mode Enabling"), and our tables have
	 * four.
	 */
	if (read_cr4() & CR4_LA57)
		fail(EFI_UNSUPPORTED,
		     "Firmware runs with 5-level paging (CR4.LA57), which Trivisor does not support yet: "
		     "turn it off in firmware setup (\"5-level paging\", \"LA57\").");
	/* We go on running for a few instructions on the new tables, so they must map us. */
	if ((u64)&check_machine >= POOL_LIMIT || (u64)__builtin_frame_address(0) >= POOL_LIMIT)
		fail(EFI_UNSUPPORTED, "Firmware loaded Trivisor above 512 GiB, where it cannot run.");
}

static EFI_STATUS get_map(struct boot_info *info, UINTN *key)
{
	UINTN size = map_capacity, descriptor_size = 0;
	UINT32 version = 0;
	EFI_STATUS status;

	status = loader.services->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)info->map_pa, key, &descriptor_size,
					       &version);
	info->map_size = (u32)size;
	info->descriptor_size = (u32)descriptor_size;
	info->descriptor_version = version;
	return status;
}

/* Set up the buffer for the final memory map and read the map for the first time, to see what there is to be mapped. */
static void read_map(struct boot_info *info)
{
	UINTN key;
	EFI_STATUS status;

	map_capacity = 0;
	status = get_map(info, &key);
	if (status != EFI_BUFFER_TOO_SMALL || info->descriptor_size == 0)
		fail(status, "Firmware does not give its memory map (GetMemoryMap).");
	map_capacity = info->map_size + (u64)SPARE_DESCRIPTORS * info->descriptor_size;
	info->map_pa = (u64)pages_need(map_capacity, "the memory map");
	status = get_map(info, &key);
	if (EFI_ERROR(status))
		fail(status, "Firmware does not give its memory map (GetMemoryMap).");
}

static int map_framebuffer_above(struct paging *paging, const struct boot_framebuffer *fb)
{
	u64 start = ALIGN_DOWN(fb->pa, PAGING_CHUNK);

	if (fb->format == BOOT_PIXEL_NONE || fb->pa < POOL_LIMIT)
		return OK;
	return paging_map(paging, start, start, ALIGN_UP(fb->pa + fb->size - start, PAGING_CHUNK), true);
}

/*
 * Built while firmware still runs, so that a failure can be reported: whatever changes its type until we leave, RAM
 * stays RAM.
 */
void build_tables(struct boot_info *info, u64 image_va)
{
	const struct boot_framebuffer *fb = &info->framebuffer;
	bool gib_pages = has_gib_pages();
	struct paging paging;
	u32 pages;
	int error;

	read_map(info);
	paging_plan_add_map(&plan, (void *)info->map_pa, info->map_size, info->descriptor_size);
	paging_plan_add(&plan, 0, MIB); /* the BIOS areas, where older tables may lie */
	if (fb->format != BOOT_PIXEL_NONE)
		paging_plan_add(&plan, fb->pa, fb->pa + fb->size);
	pages = paging_pages_needed(&plan, info->image_size, fb->size, gib_pages);
	info->tables_size = pages * PAGE_SIZE;
	info->tables_pa = (u64)pages_need(info->tables_size, "page tables");
	paging_init(&paging, (void *)info->tables_pa, pages, gib_pages);
	error = paging_map_plan(&paging, &plan);
	if (!error)
		error = paging_map(&paging, image_va, info->image_pa, info->image_size, false);
	if (!error)
		error = map_framebuffer_above(&paging, fb);
	if (error)
		fail(EFI_OUT_OF_RESOURCES, "The loader's page tables do not hold this machine's memory map (error %d).",
		     error);
	tables_root = info->tables_pa;
}

/*
 * UEFI specification "EFI_BOOT_SERVICES.ExitBootServices()": a stale key is EFI_INVALID_PARAMETER, and the map is to be
 * read anew. After the first call nothing but memory services may be used.
 */
static EFI_STATUS exit_boot_services(struct boot_info *info)
{
	EFI_STATUS status = EFI_INVALID_PARAMETER;

	for (u32 i = 0; i < EXIT_ATTEMPTS && status == EFI_INVALID_PARAMETER; i++) {
		UINTN key;

		status = get_map(info, &key);
		if (EFI_ERROR(status))
			break;
		loader.leaving = true;
		status = loader.services->ExitBootServices(loader.image, key);
	}
	return status;
}

/* Firmware built with control-flow enforcement leaves it on; our code has neither shadow stacks nor ENDBR64. */
static void stop_cet(void)
{
	if (!has_cet())
		return;
	wrmsr(MSR_S_CET, 0);
	write_cr4(read_cr4() & ~CR4_CET);
}

void leave(struct boot_info *info, u64 entry)
{
	EFI_STATUS status;

	say("Leaving firmware.");
	status = exit_boot_services(info);
	if (EFI_ERROR(status))
		fail(status, "Firmware does not let go of the machine (ExitBootServices).");
	__asm__ volatile("cli" : : : "memory");
	stop_cet();
	/*
	 * Clearing CR4.PGE drops firmware's global translations, which a load of CR3 alone would leave (SDM vol. 3
	 * "Operations that Invalidate TLBs and Paging-Structure Caches"). The code here is mapped alike by both tables
	 * and lies in EfiLoaderCode.
	 */
	write_cr4(read_cr4() & ~(CR4_PGE | CR4_PCIDE));
	__asm__ volatile("cld\n\t"
			 "mov %0, %%cr3\n\t"
			 "jmp *%1"
			 :
			 : "r"(tables_root), "r"(entry), "D"(info)
			 : "memory");
	__builtin_unreachable();
}
