// guest: 32
/*
 * Echoes lines of COM1, polled, until it is told "quit" or the UART is gone: for tests of the console. `deaf=N`: it
 * begins to read N ms after it has said that it is ready.
 */
#include "guests/lib/guest.h"

#define LINE_SIZE 120

static void write_text(const char *text)
{
	for (; *text; text++)
		com1_write(*text);
}

/* A line without its end; false when there is no UART. */
static bool read_line(char *line)
{
	size_t used = 0;
	int c;

	for (c = com1_read(); c >= 0 && c != '\r' && c != '\n'; c = com1_read())
		if (used < LINE_SIZE)
			line[used++] = (char)c;
	line[used] = 0;
	return c >= 0;
}

static void wait_ms(u64 ms)
{
	u64 end = time_ns() + ms * 1000000;

	while (time_ns() < end)
		pause();
}

int guest_main(void)
{
	char line[LINE_SIZE + 1];

	if (!com1_there()) {
		print("no UART at COM1\n");
		return 1;
	}
	write_text("echo ready\r\n");
	wait_ms(option_number("deaf", 0));
	while (read_line(line)) {
		write_text("echo: ");
		write_text(line);
		write_text("\r\n");
		if (!strncmp(line, "quit", 5))
			return 0;
	}
	return 1;
}
