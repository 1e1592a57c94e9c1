/* Port I/O of guests. */
#ifndef VMM_IO_H
#define VMM_IO_H

#include "vmm/exit.h"

struct vcpu;

/* INS and OUTS, with REP; at most a page's worth of bytes, then the guest is entered again and goes on. */
enum verdict io_string(struct vcpu *vcpu, const struct exit_io *io);

#endif
