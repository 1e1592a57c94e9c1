/*
 * 8254 programmable interval timer at 0x40 with the PC's port 0x61 (Intel 8254 data sheet). Channel 0 drives interrupt
 * line 0; channel 2 has its gate at port 0x61 and is what software times itself by. Pure.
 *
 * Nothing ticks: where a counter stands is computed from the VM's time when somebody looks.
 */
#ifndef VMM_DEVICES_PIT8254_H
#define VMM_DEVICES_PIT8254_H

#include "vmm/devices/bus.h"

#define PIT_PORT	 0x40
#define PIT_CONTROL_PORT 0x61
#define PIT_HZ		 1193182u
#define PIT_CHANNELS	 3

/* Times in PIT ticks of VM time. */
struct pit_channel {
	u8 mode;   /* 0 to 5 */
	u8 access; /* 1: low byte, 2: high byte, 3: both */
	bool bcd, gate;
	bool running;	   /* the counting element counts: elapsed = now - start */
	u32 reload;	   /* in the counting element, 1 to 65536; 0: none since the control word */
	u32 written;	   /* not yet there; 0: none */
	u64 start;	   /* tick at which `reload` was loaded */
	u64 frozen;	   /* elapsed ticks while not running */
	u64 written_at;	   /* modes 2 and 3: tick at which `written` takes effect */
	bool written_half; /* mode 3: that is the middle of a cycle */
	u8 low;		   /* first byte of a count to be written */
	bool write_high, read_high; /* the next byte is the second */
	u16 latch;
	u8 latch_bytes; /* left to be read */
	u8 status;
	bool status_latched;
};

struct pit8254 {
	struct device device;
	u32 line;
	struct pit_channel channel[PIT_CHANNELS];
	u8 control; /* port 0x61, bits 0 to 3 */
	struct device_timer timer; /* the next rising edge of channel 0 */
};

void pit_init(struct pit8254 *pit, const struct device_services *services, u32 line);
/* Errors as bus_add_ports(). */
int pit_attach(struct pit8254 *pit, struct bus *bus);

#endif
