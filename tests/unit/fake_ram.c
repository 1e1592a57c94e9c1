/* Guest memory's checked copies over an array. */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_ram.h"
#include "vmm/guest_memory.h"

u8 *ram;
struct vm *vm;

int guest_write(struct vm *to, gpa_t gpa, const void *from, u64 size)
{
	int error = guest_memory_check(&to->memory, gpa, size, true);

	if (!error)
		memcpy(ram + gpa, from, size);
	return error;
}

int fake_ram_make(u64 size)
{
	ram = malloc(size);
	vm = calloc(1, sizeof(*vm));
	if (!ram || !vm)
		return -1;
	memset(ram, FAKE_RAM_POISON, size);
	return guest_memory_insert(&vm->memory, 0, size, true);
}

void fake_ram_free(void)
{
	free(ram);
	free(vm);
}
