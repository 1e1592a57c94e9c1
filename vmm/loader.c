/* The guest loaders, in the order they are asked. */
#include "vmm/loader.h"

const struct loader_ops *const loaders[] = {
	&loader_linux,
	&loader_multiboot,
	&loader_pvh,
	NULL,
};
