// sources: vmm/config.c vmm/config_values.c lib/ini.c lib/fmt.c lib/string_copy.c
/* Any bytes as trivisor.conf: what comes out keeps every promise of config.h, and each error is reported once. */
#include <string.h>
#include "tests/fuzz/fuzz.h"
#include "vmm/config.h"

static struct config config;

static void count(void *context, u32 line, const char *message)
{
	(void)line;
	REQUIRE(message[0] && strlen(message) < 256);
	++*(u32 *)context;
}

static void check_vm(const struct vm_config *vm, const struct config_limits *limits)
{
	REQUIRE(vm->name[0] && memchr(vm->name, 0, sizeof(vm->name)));
	REQUIRE(vm->kernel[0] && memchr(vm->kernel, 0, sizeof(vm->kernel)));
	REQUIRE(memchr(vm->extra, 0, sizeof(vm->extra)) && memchr(vm->engine, 0, sizeof(vm->engine)));
	REQUIRE(vm->memory >= CONFIG_MIN_MEMORY && vm->memory <= CONFIG_MAX_MEMORY && vm->memory % PAGE_SIZE == 0);
	REQUIRE(vm->vcpus >= 1 && vm->vcpus <= CONFIG_MAX_VCPUS);
	REQUIRE(vm->cpus >> limits->cores == 0);
	REQUIRE(vm->module_count <= CONFIG_MAX_MODULES);
	for (u32 i = 0; i < vm->module_count; i++)
		REQUIRE(vm->module[i].file[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_limits limits = {.memory = 512 * MIB, .cores = 6};
	u32 reported = 0;
	u64 total = 0;
	u32 errors = config_parse(&config, (const char *)data, size, &limits, count, &reported);

	REQUIRE(errors == reported);
	REQUIRE(config.vm_count <= CONFIG_MAX_VMS);
	REQUIRE(config.slice_ms >= 1 && config.slice_ms <= 1000);
	for (u32 i = 0; i < config.vm_count; i++) {
		check_vm(&config.vm[i], &limits);
		total += config.vm[i].memory;
		for (u32 j = 0; j < i; j++)
			REQUIRE(strcmp(config.vm[i].name, config.vm[j].name));
	}
	REQUIRE(total <= limits.memory);
	return 0;
}
