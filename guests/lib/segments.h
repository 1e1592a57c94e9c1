/* What segments.c needs of a width. */
#ifndef GUESTS_LIB_SEGMENTS_H
#define GUESTS_LIB_SEGMENTS_H

#include "guests/lib/guest.h"

extern const u8 segments_code_flags; /* of a descriptor, bits 55:52 */
/* CS from the GDT as it is now: CODE(0). */
void segments_load_code(void);

#endif
