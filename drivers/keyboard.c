#include "drivers/keyboard.h"
#include "arch/x86_64/cpu/insn.h"
#include "drivers/scancode.h"

/* IBM PC/AT 8042. */
#define PORT_DATA    0x60
#define PORT_STATUS  0x64
#define STATUS_FULL  0x01 /* a byte for us */
#define STATUS_MOUSE 0x20 /* it is the auxiliary device's */
#define STATUS_ABSENT 0xff

#define COMMAND_READ_CONFIG  0x20
#define COMMAND_WRITE_CONFIG 0x60
#define COMMAND_ENABLE	     0xae
#define STATUS_BUSY	     0x02
#define CONFIG_INTERRUPTS    0x03
#define CONFIG_CLOCK_OFF     0x10
#define CONFIG_TRANSLATE     0x40 /* set 2 of the keyboard to set 1 */

/* Looks at the status before the controller counts as dead: about a tenth of a second. */
#define LOOKS 100000u

static struct scancode_state state; /* log's console lock */

static bool wait_status(u8 mask, u8 wanted)
{
	for (u32 i = 0; i < LOOKS; i++) {
		if ((in8(PORT_STATUS) & mask) == wanted)
			return true;
		cpu_pause();
	}
	return false;
}

static bool command(u8 byte)
{
	if (!wait_status(STATUS_BUSY, 0))
		return false;
	out8(PORT_STATUS, byte);
	return true;
}

static void drop_pending(void)
{
	for (u32 i = 0; i < 32 && (in8(PORT_STATUS) & STATUS_FULL); i++)
		in8(PORT_DATA);
}

/* Translated to set 1, no interrupts, clock on. False: the controller does not answer its own commands. */
static bool set_up(void)
{
	u8 config;

	drop_pending();
	if (!command(COMMAND_READ_CONFIG) || !wait_status(STATUS_FULL, STATUS_FULL))
		return false;
	config = in8(PORT_DATA);
	config = (u8)((config & ~(CONFIG_INTERRUPTS | CONFIG_CLOCK_OFF)) | CONFIG_TRANSLATE);
	if (!command(COMMAND_WRITE_CONFIG) || !wait_status(STATUS_BUSY, 0))
		return false;
	out8(PORT_DATA, config);
	return command(COMMAND_ENABLE);
}

static int keyboard_read(struct console *console UNUSED)
{
	u8 status, code;

	/* Until a key gives a byte or nothing is left; bounded, since an absent controller reads as always full. */
	for (u32 i = 0; i < 16; i++) {
		int byte;

		status = in8(PORT_STATUS);
		if (status == STATUS_ABSENT || !(status & STATUS_FULL))
			return -1;
		code = in8(PORT_DATA);
		if (status & STATUS_MOUSE)
			continue;
		byte = scancode_decode(&state, code);
		if (byte >= 0)
			return byte;
	}
	return -1;
}

static struct console keyboard = {.name = "keyboard", .read = keyboard_read};

struct console *keyboard_open(void)
{
	if (in8(PORT_STATUS) == STATUS_ABSENT || !set_up())
		return NULL;
	return &keyboard;
}
