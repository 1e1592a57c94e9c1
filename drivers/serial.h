/* The 16550 UART at COM1 as a console (National Semiconductor PC16550D data sheet). 115200 baud, 8N1. */
#ifndef DRIVERS_SERIAL_H
#define DRIVERS_SERIAL_H

#include "core/log.h"

/* Find and set it up. NULL: no UART answers at COM1. The console is to be registered by the caller. */
struct console *serial_open(void);
/*
 * Wait until the last bit is on the wire, a tenth of a second or so at most: the next thing may be that the machine is
 * off.
 */
void serial_drain(void);

#endif
