/* Between the library's own files: what runs before guest_main(), and what the assembly calls. */
#ifndef GUESTS_LIB_START_H
#define GUESTS_LIB_START_H

#include "guests/lib/guest.h"

void guest_start(u32 magic, word info) NORETURN;
void boot_parse(u32 magic, word info);
void console_init(void);
void console_flush(void); /* wait until COM1 has sent its last byte */

/* traps.asm */
void trap_dispatch(struct trap_frame *frame);
void fault_resume(void) NORETURN; /* to where fault_catch() was called */
void ring_return(void);	  /* the gate by which run_in_ring() comes home */
extern word fault_saved_sp;	  /* 0: not catching */

#endif
