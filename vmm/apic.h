/* Between vCPUs and their local APICs: interrupts in, MSRs, CR8, and the MMIO window at the address they share. */
#ifndef VMM_APIC_H
#define VMM_APIC_H

#include "vmm/devices/apic_bus.h"
#include "vmm/devices/ioapic.h"
#include "vmm/devices/pic8259.h"
#include "vmm/kvmclock.h"
#include "vmm/vm.h"

/* One vCPU's. */
struct vcpu_apic {
	struct vlapic lapic;
	struct vm_apic *all; /* (i) */
	struct kvmclock clock; /* (c) */
	void *page; /* (i) the local APIC's registers */
	u32 assist; /* (i) APIC_ASSIST_*: what the processor does of its work */
};

/* Of a machine; (i) after creation but where a comment says more. */
struct vm_apic {
	struct vm *vm;
	const struct device_services *services;
	struct pic8259 *pic;
	struct ioapic *ioapic;
	u32 count;
	struct vcpu_apic *vcpu[MAX_VCPUS];
	struct vlapic *lapic[MAX_VCPUS];
	struct apic_bus bus;
	struct vlapic_wires lapic_wires;
	struct ioapic_wires ioapic_wires;
	struct pic_wires pic_wires;
	struct device window; /* MMIO of whichever vCPU is current on the core */
	bool extint; /* (a) the IOAPIC asked for an acknowledge cycle of the PIC */
	u64 boot_ns; /* time of day when VM time was 0, since 1970 */
};

/*
 * Make the local APICs of all vCPUs and put the window on the bus. The wires may be given to PIC and IOAPIC before.
 * Errors: ERR_MEMORY, bus_add_mmio()'s.
 */
int apic_create(struct vm_apic *apic);
void apic_init(struct vm_apic *apic, struct vm *vm, const struct device_services *services, struct pic8259 *pic,
	       struct ioapic *ioapic);
/* No timer of the VM fires any more, no vCPU runs. */
void apic_destroy(struct vm_apic *apic);

#endif
