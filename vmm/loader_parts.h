/*
 * What the guest loaders have in common: messages, segments, modules, a place for boot information, the 32-bit start.
 */
#ifndef VMM_LOADER_PARTS_H
#define VMM_LOADER_PARTS_H

#include "vmm/elf.h"
#include "vmm/loader.h"
#include "vmm/placement.h"

/* A 32-bit entry sees addresses below this. */
#define LOADER_LIMIT_32 (4 * GIB)

/* Set the message (the caller names the file) and return `error`. */
int loader_fail(const struct loader_input *input, int error, const char *format, ...) PRINTF(3, 4);
/* The VM's memory for messages, in MiB as the configuration has it: what is left out of RAM belongs to it. */
unsigned long long loader_memory_mib(const struct loader_input *input);

/*
 * Copy `size` bytes of the kernel from `offset` to `gpa`, and keep what follows up to memory_size free: it is zero, as
 * all of a VM's RAM is before something is loaded there. `what` is for the message.
 */
int loader_put_segment(const struct loader_input *input, struct placement *placement, const char *what, u64 offset,
		       u64 size, gpa_t gpa, u64 memory_size);
/* All segments of an ELF file, which must lie below `limit`. */
int loader_put_elf(const struct loader_input *input, struct placement *placement, const struct elf *elf, gpa_t limit);
/* All modules behind the kernel, page aligned, below `limit`; gpa[i] says where. */
int loader_put_modules(const struct loader_input *input, struct placement *placement, gpa_t limit, gpa_t *gpa);

/* Boot information is written into one area of RAM, piece after piece. The first error sticks. */
struct loader_info {
	const struct loader_input *input;
	gpa_t next, end;
	int error;
};

/* Take an area of at least `size` bytes below `limit`, by preference below 640 KiB. */
void loader_info_begin(struct loader_info *info, const struct loader_input *input, struct placement *placement,
		       u64 size, gpa_t limit);
/* Append bytes, aligned to 8; returns where they are, 0 after an error. */
gpa_t loader_info_put(struct loader_info *info, const void *bytes, u64 size);
/* Append a string "first second", or either alone when the other is empty. */
gpa_t loader_info_put_string(struct loader_info *info, const char *first, const char *second);
/* Room for the information about modules and command line. */
u64 loader_info_size(const struct loader_input *input);

/* Whether an ELF file has the note that PVH starts by. */
bool loader_pvh_has_entry(const struct loader_file *kernel);

/* Protected mode without paging, flat 4 GiB segments, interrupts off, the caches on, A20 on (as always here). */
void loader_state_flat(struct vcpu_state *state, gpa_t entry);

/* Writes a protocol's boot information, of modules that lie at module[i]; `at`: where it is. */
typedef int (*loader_put_info_t)(const struct loader_input *input, struct placement *placement, const gpa_t *module,
				 gpa_t *at);
/*
 * With the kernel in place: its modules, its boot information, and the flat start at `entry` with EBX naming the
 * information.
 */
int loader_finish(const struct loader_input *input, struct placement *placement, loader_put_info_t put_info,
		  gpa_t entry, struct vcpu_state *state);

#endif
