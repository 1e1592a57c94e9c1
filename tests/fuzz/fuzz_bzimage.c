// sources: vmm/loader_linux.c vmm/loader_parts.c vmm/elf.c vmm/placement.c vmm/e820.c vmm/guest_memory_map.c lib/fmt.c lib/error.c tests/unit/fake_pool.c tests/unit/fake_ram.c
/*
 * Any bytes as a Linux kernel: nothing is written outside the VM's RAM or read outside the file, and a refusal says
 * why.
 */
#include <string.h>
#include "tests/fuzz/fuzz.h"
#include "tests/unit/fake_ram.h"
#include "vmm/guest_memory.h"
#include "vmm/loader.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

#define RAM (4 * MIB)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	REQUIRE(!fake_ram_make(RAM));
	return 0;
}

/* Random bytes would never pass the two magic numbers: they are given. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vcpu_state state;
	char message[160] = "";
	u8 *file = malloc(size);
	struct loader_input input = {
		.vm = vm,
		.kernel = {.name = "fuzz", .arguments = "", .bytes = file, .size = size},
		.module_count = 1,
		.module[0] = {.name = "initrd", .arguments = "", .bytes = "initrd", .size = 6},
		.extra = "console=ttyS0",
		.message = message,
		.message_size = sizeof(message),
	};
	int error;

	REQUIRE(file || !size);
	memcpy(file, data, size);
	if (size >= 0x206) {
		memcpy(file + 0x1fe, "\x55\xaa", 2);
		memcpy(file + 0x202, "HdrS", 4);
	}
	memset(&state, 0, sizeof(state));
	if (loader_linux.recognize(&input.kernel)) {
		error = loader_linux.load(&input, &state);
		REQUIRE(error ? message[0] && memchr(message, 0, sizeof(message))
			      : guest_memory_contains(&vm->memory, state.reg[REG_RSI], PAGE_SIZE, true));
	}
	free(file);
	return 0;
}
