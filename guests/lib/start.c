/* From the assembly entry to guest_main() and to the end of the machine. */
#include "guests/lib/start.h"

#define PORT_DEBUG_EXIT	    0xf4   /* QEMU's isa-debug-exit; Trivisor has it too */
#define PORT_PIC_MASTER	    0x21 /* interrupt masks */
#define PORT_PIC_SLAVE	    0xa1
#define PORT_BOCHS_SHUTDOWN 0x8900 /* Bochs ends when it is sent the word "Shutdown" */

/*
 * No interrupt that was not asked for: a BIOS leaves the PICs open, at vectors that are exceptions in protected mode.
 */
static void mask_pics(void)
{
	out8(PORT_PIC_MASTER, 0xff);
	out8(PORT_PIC_SLAVE, 0xff);
}

void guest_start(u32 magic, word info)
{
	boot_parse(magic, info);
	console_init();
	mask_pics();
	segments_init();
	traps_init();
	guest_exit(guest_main());
}

void guest_exit(int code)
{
	console_flush();
	if (on_trivisor())
		hypercall(HYPERCALL_EXIT, (word)code, 0, 0, 0);
	out32(PORT_DEBUG_EXIT, (u32)code);
	for (const char *c = "Shutdown"; *c; c++)
		out8(PORT_BOCHS_SHUTDOWN, (u8)*c);
	for (;;) {
		cli();
		hlt();
	}
}
