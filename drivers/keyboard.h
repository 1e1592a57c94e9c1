/* The PS/2 keyboard, polled, as an input-only console. USB keyboards are seen only as far as firmware emulates one. */
#ifndef DRIVERS_KEYBOARD_H
#define DRIVERS_KEYBOARD_H

#include "core/log.h"

/* NULL: no 8042 controller answers. The console is to be registered by the caller. */
struct console *keyboard_open(void);

#endif
