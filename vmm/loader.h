/* Guest loaders: put an image into a VM's memory and say how its boot vCPU starts. */
#ifndef VMM_LOADER_H
#define VMM_LOADER_H

#include "lib/types.h"
#include "vmm/config.h"
#include "vmm/vcpu_state.h"

struct vm;

struct loader_file {
	const char *name;
	const char *arguments;
	const void *bytes; /* read-only mapping */
	u64 size;
};

struct loader_input {
	struct vm *vm; /* its root is loaded */
	struct loader_file kernel;
	u32 module_count;
	struct loader_file module[CONFIG_MAX_MODULES];
	const char *extra;
	gpa_t rsdp; /* where the ACPI tables begin; 0: there are none */
	char *message; /* filled on error: which field is wrong */
	size_t message_size;
};

struct loader_ops {
	const char *name; /* "multiboot", "pvh", "linux" */
	/* Whether the file is of this kind; looks at bytes only. */
	bool (*recognize)(const struct loader_file *kernel);
	/* Load and fill `state` (already at reset). 0, or an error with `message` set. */
	int (*load)(const struct loader_input *input, struct vcpu_state *state);
};

/* In the order they are asked; ended by NULL. */
extern const struct loader_ops *const loaders[];
extern const struct loader_ops loader_linux, loader_multiboot, loader_pvh;

#endif
