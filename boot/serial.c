#include "boot/loader.h"
#include "boot/machine.h"

/* The 16550 at COM1 (PC16550D data sheet, "Registers"). */
#define COM1		0x3f8
#define DATA		(COM1 + 0)
#define INTERRUPTS	(COM1 + 1)
#define FIFO		(COM1 + 2)
#define LINE		(COM1 + 3)
#define MODEM		(COM1 + 4)
#define LINE_STATUS	(COM1 + 5)
#define LINE_8N1	0x03
#define LINE_DIVISOR	0x80 /* DATA and INTERRUPTS are the divisor's bytes */
#define FIFO_ON_CLEARED 0x07
#define MODEM_DTR_RTS	0x03
#define STATUS_EMPTY	0x20 /* transmitter holding register */
#define STATUS_ABSENT	0xff /* what a bus without a device answers */

/* A port read takes about a microsecond, a byte at 9600 baud one millisecond: this is a tenth of a second or so. */
#define WAIT_LIMIT 100000u

static bool present;

void serial_init(bool set_line)
{
	present = in8(LINE_STATUS) != STATUS_ABSENT;
	if (!present || !set_line)
		return;
	out8(INTERRUPTS, 0);
	out8(LINE, LINE_DIVISOR | LINE_8N1);
	out8(DATA, 1); /* 115200 baud */
	out8(INTERRUPTS, 0);
	out8(LINE, LINE_8N1);
	out8(FIFO, FIFO_ON_CLEARED);
	out8(MODEM, MODEM_DTR_RTS);
}

static void put_byte(char byte)
{
	for (u32 i = 0; i < WAIT_LIMIT; i++) {
		if (in8(LINE_STATUS) & STATUS_EMPTY) {
			out8(DATA, (u8)byte);
			return;
		}
	}
	present = false; /* it never drains: do not wait for it again */
}

void serial_write(const char *text)
{
	while (present && *text != '\0')
		put_byte(*text++);
}
