/*
 * Where the house is put together: from the loader's hand-over to cores that run virtual machines. The stages are
 * numbered in the order in which a boot meets them, so that a machine that hangs shows where.
 */
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/lapic.h"
#include "arch/x86_64/cpu/mitigation.h"
#include "arch/x86_64/cpu/xstate.h"
#include "arch/x86_64/mmu/root.h"
#include "boot/boot_info.h"
#include "core/frame.h"
#include "core/log.h"
#include "core/memory_map.h"
#include "core/panic.h"
#include "core/time.h"
#include "drivers/framebuffer.h"
#include "drivers/keyboard.h"
#include "drivers/power.h"
#include "drivers/serial.h"
#include "lib/calendar.h"
#include "lib/string.h"
#include "vmm/core.h"
#include "vmm/main.h"
#include "vmm/platform.h"
#include "vmm/vm.h"

extern const struct engine_ops vmx_engine, svm_engine;

const struct engine_ops *const engines[] = {&vmx_engine, &svm_engine, NULL};
static struct engine_probe probes[ARRAY_SIZE(engines)]; /* what each said */

/* All of it is written by the boot core before the others start, and constant after, but where a comment says more. */
static struct boot_info boot_info;
static struct memory_map memory_map;
static struct config config;
static const struct engine_ops *engine; /* the one this machine has */
static u32 apic_ids[BOOT_MAX_CPUS]; /* of all cores that firmware lists */
static u32 apic_id_count;
static struct loader_file files[BOOT_MAX_FILES];

/*
 * What cannot go on is no broken invariant of ours: say it on every console and stop. The launcher ends a run at this
 * line.
 */
NORETURN static void stop(const char *what, const char *advice)
{
	log_line("*** Trivisor stops: %s", what);
	log_line("    %s", advice);
	log_flush();
	for (;;)
		halt_until_interrupt();
}

static void open_console(struct console *console)
{
	if (console)
		console_register(console);
}

static void take_boot_info(paddr_t pa)
{
	const struct boot_info *given = (const struct boot_info *)(POOL_BASE + pa);

	open_console(serial_open());
	log_stage(1, "Trivisor: the loader handed over");
	if (given->magic != BOOT_INFO_MAGIC || given->version != BOOT_INFO_VERSION || given->size != sizeof(boot_info))
		stop("the loader and the hypervisor do not belong together",
		     "Copy BOOTX64.EFI and trivisor.elf from the same build.");
	boot_info = *given;
	open_console(framebuffer_open(&boot_info.framebuffer, (void *)boot_info.framebuffer.pa));
	log_line("     firmware: %s", boot_info.firmware);
}

/* What the loader left in usable memory and must stay until it has been read. */
static void reserve_handover(paddr_t info_pa)
{
	memory_map_reserve(&memory_map, boot_info.image_pa, boot_info.image_pa + boot_info.image_size);
	memory_map_reserve(&memory_map, boot_info.tables_pa, boot_info.tables_pa + boot_info.tables_size);
	memory_map_reserve(&memory_map, info_pa, info_pa + sizeof(boot_info));
	memory_map_reserve(&memory_map, boot_info.trampoline_pa, boot_info.trampoline_pa + boot_info.trampoline_size);
	memory_map_reserve(&memory_map, boot_info.map_pa, boot_info.map_pa + boot_info.map_size);
	if (boot_info.config_pa)
		memory_map_reserve(&memory_map, boot_info.config_pa, boot_info.config_pa + boot_info.config_size);
	for (u32 i = 0; i < boot_info.file_count; i++)
		if (boot_info.files[i].pa)
			memory_map_reserve(&memory_map, boot_info.files[i].pa,
					   boot_info.files[i].pa + boot_info.files[i].size);
}

static void take_memory(paddr_t info_pa)
{
	int error = memory_map_read(&memory_map, (const void *)(POOL_BASE + boot_info.map_pa), boot_info.map_size,
				    boot_info.descriptor_size);

	if (error != OK)
		stop("firmware's memory map cannot be read", "Please report this machine's firmware with this screen.");
	reserve_handover(info_pa);
	if (frame_init(&memory_map) != OK)
		stop("there is no memory to start with", "Trivisor needs 64 MiB of RAM in one piece.");
	log_stage(2, "memory: %llu MiB usable in %u regions, %llu MiB for guests",
		  (unsigned long long)(memory_map_bytes(&memory_map, MEMORY_USABLE) / MIB), memory_map.count,
		  (unsigned long long)(frame_bytes_free() / MIB));
	if (memory_map.dropped)
		log_line("     %u descriptors of firmware's memory map were left out", memory_map.dropped);
}

static void take_address_space(void)
{
	if (root_build_base(&boot_info) != OK)
		stop("no memory for the hypervisor's page tables", "Trivisor needs 64 MiB of RAM in one piece.");
	root_load(&base_root);
	if (boot_info.framebuffer.format != BOOT_PIXEL_NONE)
		framebuffer_move(map_device(boot_info.framebuffer.pa, boot_info.framebuffer.size, CACHE_WC));
	log_stage(3, "address space: our own");
	root_check_wx(&base_root);
	root_report();
}

static void map_files(void)
{
	for (u32 i = 0; i < boot_info.file_count; i++) {
		const struct boot_file *from = &boot_info.files[i];

		if (from->pa)
			files[i] = (struct loader_file){
				.name = from->name, .bytes = map_module(from->pa, from->size), .size = from->size};
	}
}

static bool find_file(const char *name, struct loader_file *file)
{
	for (u32 i = 0; i < boot_info.file_count; i++) {
		if (files[i].bytes && !strcmp(files[i].name, name)) {
			*file = files[i];
			return true;
		}
	}
	return false;
}

static void take_time(void)
{
	struct calendar_time now = calendar_from_seconds(boot_info.time_seconds);

	if (!boot_info.time_seconds) {
		log_line("     no time of day: firmware does not know it; guests begin in 1970");
		return;
	}
	wall_start_ns = boot_info.time_seconds * 1000000000;
	wall_start_ticks = boot_info.time_tsc;
	log_line("     time of day: %u-%02u-%02u %02u:%02u:%02u UTC by firmware", now.year, now.month, now.day,
		 now.hour, now.minute, now.second);
}

static void take_platform(void)
{
	paddr_t ioapics[ACPI_MAX_IOAPICS];

	platform_read(&boot_info);
	apic_id_count = platform_list_cores(&boot_info, apic_ids, BOOT_MAX_CPUS);
	for (u32 i = 0; i < platform_acpi.ioapic_count; i++)
		ioapics[i] = platform_acpi.ioapic[i].pa;
	cpu_quiet_firmware(ioapics, platform_acpi.ioapic_count, platform_acpi.hpet);
	tsc_calibrate(platform_acpi.pm_timer_port, platform_acpi.hpet);
	lapic_init(); /* calibrates its timer against the TSC */
	log_line("     TSC %llu MHz", (unsigned long long)(tsc_hz / 1000000));
	take_time();
}

static void config_error(void *context UNUSED, u32 line, const char *message)
{
	if (line)
		log_line("trivisor.conf:%u: %s", line, message);
	else
		log_line("trivisor.conf: %s", message);
}

static void take_config(void)
{
	const struct config_limits limits = {.memory = frame_bytes_free(),
					     .cores = MIN(MAX(apic_id_count, 1u), MAX_CORES)};
	u32 errors;

	if (!boot_info.config_pa)
		stop("there is no \\trivisor\\trivisor.conf on the boot volume",
		     "Make the disk image with `./trivisor image -c CONFIG -o FILE`.");
	errors = config_parse(&config, map_module(boot_info.config_pa, boot_info.config_size), boot_info.config_size,
			      &limits, config_error, NULL);
	log_stage(5, "config: %u VMs, %u errors", config.vm_count, errors);
}

static void take_engine(u32 i)
{
	engine = engines[i];
	log_stage(6, "engine: %s (%s): %s", engine->name, engine->title, probes[i].features);
}

/*
 * Ask every engine; the first that can is the machine's, unless the config names one. Why the others cannot is for the
 * user.
 */
static void choose_engine(void)
{
	bool any = !strcmp(config.engine, "auto");

	for (u32 i = 0; engines[i]; i++) {
		bool there = engines[i]->probe(&probes[i]);

		if (!there)
			log_line("     engine %s (%s): %s", engines[i]->name, engines[i]->title, probes[i].reason);
		else if (!engine && (any || !strcmp(config.engine, engines[i]->name)))
			take_engine(i);
	}
	if (engine)
		return;
	if (!any)
		stop("this machine does not have the engine that trivisor.conf names",
		     "Write `engine = auto`, or see its reason above.");
	stop("this machine has no hardware virtualization that can be used",
	     "Each engine's reason stands above; what firmware switched off is switched on in its setup.");
}

/* Where the other cores come out of smp_start(). */
static void other_core_main(void)
{
	static char reason[160]; /* smp_start() reads it; cores start one at a time */

	if (!engine->core_enable(reason, sizeof(reason)))
		smp_core_unfit(reason);
	core_init();
	smp_core_ready();
	core_loop();
}

static void start_cores(void)
{
	char reason[160];

	if (!engine->core_enable(reason, sizeof(reason)))
		stop("the boot core cannot use the engine", reason);
	core_init();
	smp_start(apic_ids, apic_id_count, boot_info.trampoline_pa, boot_info.trampoline_size, other_core_main);
	log_stage(7, "cores: %u of %u up", core_count, MAX(apic_id_count, 1u));
}

static const struct engine_ops *find_engine(const char *name, const char **reason)
{
	if (!name[0] || !strcmp(name, "auto") || !strcmp(name, engine->name))
		return engine;
	*reason = "there is no engine of this name";
	for (u32 i = 0; engines[i]; i++)
		if (!strcmp(name, engines[i]->name))
			*reason = probes[i].reason[0] ? probes[i].reason
						      : "another engine is on; the cores can have only one";
	return NULL;
}

static void all_ended(void)
{
	if (config.on_idle != IDLE_POWEROFF) {
		log_line("Trivisor: all VMs have ended; on-idle = stay");
		return;
	}
	if (config.stats)
		overhead_print();
	log_line("Trivisor: power off");
	log_flush();
	power_off();
}

static const struct vmm_house the_house = {
	.config = &config,
	.find_file = find_file,
	.find_engine = find_engine,
	.all_ended = all_ended,
};

/* What rests on what all cores have in common: each core, once all of them are known. */
static void settle_core(void *context UNUSED)
{
	xstate_init_core();
	mitigation_init_core();
}

/* The rest, on the boot core's own guarded stack. */
NORETURN static void go_on(void)
{
	map_files();
	open_console(keyboard_open());
	take_platform();
	take_config();
	choose_engine();
	vmm_init(&the_house);
	start_cores();
	mitigation_init(config.mitigations == TOGGLE_OFF);
	smp_call_all(settle_core, NULL);
	power_init(&boot_info, &platform_acpi);
	log_stage(8, "running");
	if (!vmm_start_all())
		all_ended();
	log_direct(false);
	core_loop();
}

void kernel_main(paddr_t info_pa)
{
	cpu_init_core(0);
	take_boot_info(info_pa);
	take_memory(info_pa);
	take_address_space();
	cpu_leave_boot_stack(go_on);
}
