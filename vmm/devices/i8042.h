/*
 * The keyboard controller of a PC without keyboard and mouse: there for its reset line, its A20 gate and software that
 * tests it (IBM PC AT Technical Reference "Keyboard Controller"). Pure.
 */
#ifndef VMM_DEVICES_I8042_H
#define VMM_DEVICES_I8042_H

#include "vmm/devices/bus.h"

#define I8042_DATA_PORT	   0x60
#define I8042_COMMAND_PORT 0x64

struct i8042 {
	struct device device;
	u8 configuration, output;
	bool full;	 /* `output` waits to be read */
	u8 command;	 /* its data byte comes next; 0: none */
	bool was_command; /* the last write was to the command port */
};

void i8042_init(struct i8042 *controller, const struct device_services *services);
/* Errors as bus_add_ports(). */
int i8042_attach(struct i8042 *controller, struct bus *bus);

#endif
