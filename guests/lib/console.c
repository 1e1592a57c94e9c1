/*
 * Where a guest prints: the debug port 0xe9 where reading it answers 0xe9 (Bochs, QEMU's -debugcon, Trivisor), else
 * COM1. `console=` on the command line overrides: e9, com1, hypercall or none.
 */
#include "guests/lib/start.h"

#define PORT_DEBUG   0xe9
#define COM1	     0x3f8
#define COM1_LCR     (COM1 + 3)
#define COM1_MCR     (COM1 + 4)
#define COM1_LSR     (COM1 + 5)
#define LSR_DATA     0x01
#define LSR_EMPTY    0x20
#define LSR_IDLE     0x40
#define LINE_SIZE    128
#define PATIENCE     1000000 /* polls until a transmitter that does not empty is given up for this byte */

static enum { CONSOLE_NONE, CONSOLE_E9, CONSOLE_COM1, CONSOLE_HYPERCALL } console;

/* 115200 baud, 8N1, no FIFO and no interrupts. (16550D data sheet, "Registers") */
static void com1_init(void)
{
	out8(COM1 + 1, 0);
	out8(COM1_LCR, 0x80);
	out8(COM1, 1);
	out8(COM1 + 1, 0);
	out8(COM1_LCR, 3);
	out8(COM1 + 2, 0);
	out8(COM1_MCR, 3);
}

bool com1_there(void)
{
	return in8(COM1_LSR) != 0xff;
}

void com1_write(char c)
{
	for (u32 i = 0; i < PATIENCE && !(in8(COM1_LSR) & LSR_EMPTY); i++)
		pause();
	out8(COM1, (u8)c);
}

void console_flush(void)
{
	for (u32 i = 0; i < PATIENCE && !(in8(COM1_LSR) & LSR_IDLE); i++)
		pause();
}

int com1_read(void)
{
	while (!(in8(COM1_LSR) & LSR_DATA))
		pause();
	return com1_there() ? in8(COM1) : -1;
}

void console_init(void)
{
	char name[16];

	if (com1_there())
		com1_init();
	console = in8(PORT_DEBUG) == PORT_DEBUG ? CONSOLE_E9 : CONSOLE_COM1;
	if (!option_text("console", name, sizeof(name)))
		return;
	console = !strncmp(name, "e9", 3)	  ? CONSOLE_E9
		  : !strncmp(name, "com1", 5)	  ? CONSOLE_COM1
		  : !strncmp(name, "hypercall", 10) ? CONSOLE_HYPERCALL
						  : CONSOLE_NONE;
}

/* By hypercall a line at a time: a call for each byte would make the exits the most of what is seen. */
static void put_buffered(char c)
{
	static char line[LINE_SIZE];
	static u32 used;

	line[used++] = c;
	if (c == '\n' || used == LINE_SIZE) {
		if (on_trivisor())
			hypercall(HYPERCALL_CONSOLE_WRITE, (word)line, used, 0, 0);
		used = 0;
	}
}

static void put_raw(char c)
{
	if (console == CONSOLE_E9)
		out8(PORT_DEBUG, (u8)c);
	else if (console == CONSOLE_COM1 && com1_there())
		com1_write(c);
	else if (console == CONSOLE_HYPERCALL)
		put_buffered(c);
}

void put_char(char c)
{
	if (c == '\n' && console == CONSOLE_COM1)
		put_raw('\r');
	put_raw(c);
}

void put_bytes(const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		put_raw(((const char *)bytes)[i]);
}
