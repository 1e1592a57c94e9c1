/* PS/2 scan codes of set 1 to bytes, US layout. Pure. */
#ifndef DRIVERS_SCANCODE_H
#define DRIVERS_SCANCODE_H

#include "lib/types.h"

struct scancode_state {
	bool shift_left, shift_right, control, caps;
	bool extended; /* the last byte was E0 */
	u8 skip;       /* bytes of a Pause key still to come */
};

/*
 * One byte from the controller. The byte a terminal would send, or -1: none (a release, a modifier, a key without a
 * byte).
 */
int scancode_decode(struct scancode_state *state, u8 code);

#endif
