/* Access to device memory: the guest's instruction is fetched, decoded and carried out here. */
#ifndef VMM_MMIO_H
#define VMM_MMIO_H

#include "vmm/exit.h"

struct bus_mmio_range;

/* The access of an exit in a range of the VM's bus, by the instruction at RIP. */
enum verdict mmio_emulate(struct vcpu *vcpu, const struct exit_memory *memory, const struct bus_mmio_range *range);

#endif
