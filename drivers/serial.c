#include "drivers/serial.h"
#include "arch/x86_64/cpu/insn.h"

#define COM1 0x3f8

enum uart_register {
	UART_DATA = 0, /* divisor low with DLAB */
	UART_IER = 1,  /* divisor high with DLAB */
	UART_FCR = 2,
	UART_LCR = 3,
	UART_MCR = 4,
	UART_LSR = 5,
	UART_SCRATCH = 7,
};

#define LCR_8N1		0x03
#define LCR_DLAB	0x80
/* Nothing is interrupted by the trigger, but QEMU passes on no more bytes at a time: 14, not one. */
#define FCR_ENABLE_CLEAR 0xc7
#define MCR_DTR_RTS	0x03
#define LSR_DATA_READY	0x01
#define LSR_THR_EMPTY	0x20
#define LSR_ALL_EMPTY	0x40 /* FIFO and shift register */
#define LSR_ABSENT	0xff
#define DIVISOR_115200	1
#define FIFO_SIZE	16u

/* A port read takes about a microsecond; a full FIFO needs 1400 of them. */
#define DRAIN_LOOKS 100000u

static u8 uart_read(enum uart_register reg)
{
	return in8((u16)(COM1 + reg));
}

static void uart_write(enum uart_register reg, u8 value)
{
	out8((u16)(COM1 + reg), value);
}

/*
 * A bus without a UART floats; one that is disabled in the chipset does not keep what is written to its scratch
 * register.
 */
static bool answers(void)
{
	static const u8 patterns[] = {0x5a, 0xa5};

	if (uart_read(UART_LSR) == LSR_ABSENT)
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(patterns); i++) {
		uart_write(UART_SCRATCH, patterns[i]);
		if (uart_read(UART_SCRATCH) != patterns[i])
			return false;
	}
	return true;
}

static void set_up(void)
{
	uart_write(UART_IER, 0); /* polled */
	uart_write(UART_LCR, LCR_DLAB);
	uart_write(UART_DATA, DIVISOR_115200);
	uart_write(UART_IER, 0);
	uart_write(UART_LCR, LCR_8N1);
	uart_write(UART_FCR, FCR_ENABLE_CLEAR);
	uart_write(UART_MCR, MCR_DTR_RTS);
}

/* The FIFO takes 16 bytes once it is empty; until then it says nothing of how many. A newline is two of them. */
static size_t serial_write(struct console *console UNUSED, const char *bytes, size_t n)
{
	u32 room = FIFO_SIZE;
	size_t taken = 0;

	if (!(uart_read(UART_LSR) & LSR_THR_EMPTY))
		return 0;
	while (taken < n && room >= (bytes[taken] == '\n' ? 2u : 1u)) {
		if (bytes[taken] == '\n') {
			uart_write(UART_DATA, '\r');
			room--;
		}
		uart_write(UART_DATA, (u8)bytes[taken++]);
		room--;
	}
	return taken;
}

static int serial_read(struct console *console UNUSED)
{
	u8 status = uart_read(UART_LSR);

	return status != LSR_ABSENT && (status & LSR_DATA_READY) ? uart_read(UART_DATA) : -1;
}

static struct console serial = {.name = "serial", .write = serial_write, .read = serial_read};

struct console *serial_open(void)
{
	if (!answers())
		return NULL;
	set_up();
	return &serial;
}

void serial_drain(void)
{
	for (u32 looks = 0; looks < DRAIN_LOOKS && !(uart_read(UART_LSR) & LSR_ALL_EMPTY); looks++)
		cpu_pause();
}
