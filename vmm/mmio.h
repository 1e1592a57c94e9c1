/* Access to device memory: the guest's instruction is fetched, decoded and carried out here. */
#ifndef VMM_MMIO_H
#define VMM_MMIO_H

#include "vmm/exit.h"

struct vm;

/* Whether something answers at `gpa`, or nothing does as on a PC: a device, or the empty window of a VGA card. */
bool mmio_answers(const struct vm *vm, gpa_t gpa);
/* The access of an exit at such an address, by the instruction at RIP. */
enum verdict mmio_emulate(struct vcpu *vcpu, const struct exit_memory *memory);

#endif
