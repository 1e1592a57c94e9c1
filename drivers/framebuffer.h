/* The firmware's framebuffer (UEFI "Graphics Output Protocol") as a console. */
#ifndef DRIVERS_FRAMEBUFFER_H
#define DRIVERS_FRAMEBUFFER_H

#include "boot/boot_info.h"
#include "core/log.h"

/*
 * `pixels`: where framebuffer->pa is mapped now. NULL: there is none, or it has no place for a line. The console is to
 * be registered by the caller.
 */
struct console *framebuffer_open(const struct boot_framebuffer *framebuffer, void *pixels);
/*
 * It is mapped elsewhere from now on (write-combining, by map_device()), and no longer where it was. NULL: nowhere;
 * nothing is drawn.
 */
void framebuffer_move(void *pixels);

#endif
