/* The guest's machine: which devices a VM has, and where. */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include "lib/types.h"

struct vm;
/*
 * Put the devices on the VM's bus (which bus_init() has prepared) and give its vCPUs, which exist, their local APICs.
 * 0, or an error that is already logged.
 */
int machine_create(struct vm *vm);
/* No vCPU of the VM runs any more. Harmless when there is none. */
void machine_destroy(struct vm *vm);
/* Put the ACPI tables into the VM's memory, whose root is loaded. Returns where the RSDP is; 0: there was no room. */
gpa_t machine_put_tables(struct vm *vm);
/* Bytes for the VM's first serial port; returns how many it took. Any core. */
u32 machine_console_input(struct vm *vm, const void *bytes, u32 n);

#endif
