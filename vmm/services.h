/* What a VM gives its devices: vmm/devices/services.h over guest memory, console, timers and the VM's end. */
#ifndef VMM_SERVICES_H
#define VMM_SERVICES_H

#include "vmm/devices/services.h"

struct vm;
struct device_backing;

#define SERVICE_LINES 64

/* Embedded in a machine; set at creation unless marked. */
struct vm_services {
	struct device_services services; /* services.context is this struct */
	struct vm *vm;
	/*
	 * Where interrupt lines lead. NULL: the machine has no interrupt controller, and a line that rises is reported
	 * once.
	 */
	void (*line_sink)(void *context, u32 line, bool level);
	void *line_context;
	u64 line_levels; /* atomic: BIT(line) while it is high */
	bool line_reported; /* atomic */
	struct device_backing *backings; /* under the devices' locks: each device's own; the list by compare-exchange */
};

void vm_services_init(struct vm_services *services, struct vm *vm);
/* Let go of all timers, on every core. No vCPU of the VM runs any more. */
void vm_services_destroy(struct vm_services *services);

#endif
