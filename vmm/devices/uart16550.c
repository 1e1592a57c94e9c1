/* 16550A UART. Names of registers and bits as in the PC16550D data sheet. */
#include "vmm/devices/uart16550.h"

#define IER_RECEIVED	BIT(0)
#define IER_THR_EMPTY	BIT(1)
#define IER_LINE_STATUS BIT(2)
#define IER_MODEM	BIT(3)

#define IIR_NONE	0x01
#define IIR_MODEM	0x00
#define IIR_THR_EMPTY	0x02
#define IIR_RECEIVED	0x04
#define IIR_LINE_STATUS 0x06
#define IIR_TIMEOUT	0x0c
#define IIR_FIFOS	0xc0

#define FCR_ENABLE	  BIT(0)
#define FCR_CLEAR_RECEIVE BIT(1)
#define FCR_CLEAR_SEND	  BIT(2)
#define FCR_KEPT	  (FCR_ENABLE | BIT(3) | BITS(7, 6))

#define LCR_LENGTH(lcr) (5u + ((lcr) & 3u))
#define LCR_STOP	BIT(2)
#define LCR_PARITY	BIT(3)
#define LCR_BREAK	BIT(6)
#define LCR_DLAB	BIT(7)

#define MCR_DTR	     BIT(0)
#define MCR_RTS	     BIT(1)
#define MCR_OUT1     BIT(2)
#define MCR_OUT2     BIT(3)
#define MCR_LOOPBACK BIT(4)

#define LSR_READY      BIT(0)
#define LSR_OVERRUN    BIT(1)
#define LSR_PARITY     BIT(2)
#define LSR_FRAMING    BIT(3)
#define LSR_BREAK      BIT(4)
#define LSR_THR_EMPTY  BIT(5)
#define LSR_IDLE       BIT(6)
#define LSR_FIFO_ERROR BIT(7)
#define LSR_OF_BYTE    (LSR_PARITY | LSR_FRAMING | LSR_BREAK)
#define LSR_ERRORS     (LSR_OVERRUN | LSR_OF_BYTE)

#define MSR_DELTA_CTS 0x01
#define MSR_DELTA_DSR 0x02
#define MSR_RI_ENDED  0x04
#define MSR_DELTA_DCD 0x08
#define MSR_CTS	      0x10
#define MSR_DSR	      0x20
#define MSR_RI	      0x40
#define MSR_DCD	      0x80

/* The UART's clock on a PC, before the division by 16. */
#define CLOCK_HZ 1843200u

static struct uart16550 *uart_of(struct device *device)
{
	return CONTAINER_OF(device, struct uart16550, device);
}

static u64 now(struct uart16550 *uart)
{
	return uart->device.services->now_ns(uart->device.services->context);
}

static void arm(struct uart16550 *uart, struct device_timer *timer, u64 deadline)
{
	uart->device.services->arm(uart->device.services->context, timer, deadline);
}

static u64 character_ns(const struct uart16550 *uart)
{
	u64 bits = 1 + LCR_LENGTH(uart->lcr) + (uart->lcr & LCR_PARITY ? 1 : 0) + (uart->lcr & LCR_STOP ? 2 : 1);

	return bits * 16 * 1000000000u * MAX(uart->divisor, 1u) / CLOCK_HZ;
}

/* Bytes a FIFO holds: one without FIFO mode. */
static u32 capacity(const struct uart16550 *uart)
{
	return uart->fcr & FCR_ENABLE ? UART_FIFO_SIZE : 1;
}

static u32 trigger(const struct uart16550 *uart)
{
	static const u8 levels[] = {1, 4, 8, 14};

	return uart->fcr & FCR_ENABLE ? levels[uart->fcr >> 6] : 1;
}

static void fifo_put(struct uart_fifo *fifo, u8 byte, u8 error)
{
	u32 at = (fifo->first + fifo->count++) % UART_FIFO_SIZE;

	fifo->byte[at] = byte;
	fifo->error[at] = error;
}

static u8 fifo_get(struct uart_fifo *fifo)
{
	u8 byte = fifo->byte[fifo->first];

	fifo->first = (fifo->first + 1) % UART_FIFO_SIZE;
	fifo->count--;
	return byte;
}

static bool fifo_has_error(const struct uart_fifo *fifo)
{
	for (u32 i = 0; i < fifo->count; i++)
		if (fifo->error[(fifo->first + i) % UART_FIFO_SIZE])
			return true;
	return false;
}

/* The interrupt with the highest priority (data sheet, "Interrupt Control Functions"). */
static u8 interrupt(const struct uart16550 *uart)
{
	if (uart->ier & IER_LINE_STATUS && uart->lsr & LSR_ERRORS)
		return IIR_LINE_STATUS;
	if (uart->ier & IER_RECEIVED && uart->receive.count >= trigger(uart))
		return IIR_RECEIVED;
	if (uart->ier & IER_RECEIVED && uart->timed_out)
		return IIR_TIMEOUT;
	if (uart->ier & IER_THR_EMPTY && uart->thr_interrupt)
		return IIR_THR_EMPTY;
	if (uart->ier & IER_MODEM && uart->msr)
		return IIR_MODEM;
	return IIR_NONE;
}

/*
 * On a PC the pin OUT2 opens the way from the UART to the interrupt controller; loopback mode holds the pin inactive.
 */
static void update_line(struct uart16550 *uart)
{
	bool open = (uart->mcr & (MCR_OUT2 | MCR_LOOPBACK)) == MCR_OUT2;
	bool level = open && interrupt(uart) != IIR_NONE;

	if (level == uart->level)
		return;
	uart->level = level;
	uart->device.services->set_line(uart->device.services->context, uart->line, level);
}

/* After the FIFO changed: the timeout counts again from here. */
static void restart_timeout(struct uart16550 *uart)
{
	bool waiting = uart->fcr & FCR_ENABLE && uart->receive.count;

	uart->timed_out = false;
	if (waiting)
		arm(uart, &uart->timeout, now(uart) + 4 * character_ns(uart));
	else if (uart->timeout.deadline_ns != TIMER_NEVER)
		arm(uart, &uart->timeout, TIMER_NEVER);
}

/* An error becomes visible in LSR when its byte reaches the top of the FIFO. */
static void show_top_error(struct uart16550 *uart)
{
	if (uart->receive.count)
		uart->lsr |= uart->receive.error[uart->receive.first];
}

static void receive_byte(struct uart16550 *uart, u8 byte, u8 error)
{
	if (uart->receive.count == capacity(uart)) {
		uart->lsr |= LSR_OVERRUN;
		/* With FIFOs the byte in the shift register is lost; without, the old one in RBR is overwritten. */
		if (uart->fcr & FCR_ENABLE)
			return;
		uart->receive.count = 0;
	}
	fifo_put(&uart->receive, byte, error);
	if (uart->receive.count == 1)
		show_top_error(uart);
	restart_timeout(uart);
}

/* From the queue into the FIFO, as far as there is room. In loopback the input pin is cut off. */
static void refill(struct uart16550 *uart)
{
	u8 byte;

	while (!(uart->mcr & MCR_LOOPBACK) && uart->receive.count < capacity(uart) && ring_get(&uart->queue, &byte, 1))
		receive_byte(uart, byte, 0);
}

/* Put out what the sender holds; what the backend does not take now is tried again after a character's time. */
static void transmit(struct uart16550 *uart)
{
	const struct device_services *services = uart->device.services;

	while (uart->send.count) {
		u8 byte = uart->send.byte[uart->send.first];

		if (uart->mcr & MCR_LOOPBACK)
			receive_byte(uart, byte, 0);
		else if (!services->push(services->context, uart->backend, &byte, 1))
			break;
		fifo_get(&uart->send);
		if (!uart->send.count)
			uart->thr_interrupt = true;
	}
	if (uart->send.count)
		arm(uart, &uart->resend, now(uart) + character_ns(uart));
}

static void write_thr(struct uart16550 *uart, u8 byte)
{
	u32 mask = (1u << LCR_LENGTH(uart->lcr)) - 1;

	uart->thr_interrupt = false;
	/* A guest that does not look at LSR overwrites the last byte, as the chip's THR does. */
	if (uart->send.count == capacity(uart))
		uart->send.count--;
	fifo_put(&uart->send, (u8)(byte & mask), 0);
	transmit(uart);
}

static u8 read_rbr(struct uart16550 *uart)
{
	u8 byte;

	if (!uart->receive.count)
		return 0;
	byte = fifo_get(&uart->receive);
	show_top_error(uart);
	restart_timeout(uart);
	refill(uart);
	return byte;
}

static void write_ier(struct uart16550 *uart, u8 value)
{
	/* Enabling the interrupt while THR is empty raises it at once, which drivers rely on to start sending. */
	if (value & IER_THR_EMPTY && !(uart->ier & IER_THR_EMPTY) && !uart->send.count)
		uart->thr_interrupt = true;
	uart->ier = value & 0x0f;
}

static u8 read_iir(struct uart16550 *uart)
{
	u8 iir = interrupt(uart);

	if (iir == IIR_THR_EMPTY)
		uart->thr_interrupt = false;
	return iir | (uart->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static void clear_receive(struct uart16550 *uart)
{
	uart->receive.count = 0;
	restart_timeout(uart);
}

static void clear_send(struct uart16550 *uart)
{
	if (uart->send.count) {
		uart->send.count = 0;
		uart->thr_interrupt = true;
		arm(uart, &uart->resend, TIMER_NEVER);
	}
}

static void write_fcr(struct uart16550 *uart, u8 value)
{
	bool switched = (value ^ uart->fcr) & FCR_ENABLE;

	/* Bits other than the enable are only taken with it set. */
	if (!(value & FCR_ENABLE))
		value = 0;
	uart->fcr = value & FCR_KEPT;
	if (switched || value & FCR_CLEAR_RECEIVE)
		clear_receive(uart);
	if (switched || value & FCR_CLEAR_SEND)
		clear_send(uart);
	refill(uart);
}

static void write_lcr(struct uart16550 *uart, u8 value)
{
	bool breaks = value & LCR_BREAK && !(uart->lcr & LCR_BREAK);

	uart->lcr = value;
	/*
	 * A break on the line is a zero byte without a stop bit; nobody but our own receiver in loopback would see it.
	 */
	if (breaks && uart->mcr & MCR_LOOPBACK)
		receive_byte(uart, 0, LSR_BREAK | LSR_FRAMING);
}

/* The modem's lines: ours in loopback, else a modem that is always ready. */
static u8 modem_lines(const struct uart16550 *uart)
{
	u8 mcr = uart->mcr;

	if (!(mcr & MCR_LOOPBACK))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	return (u8)((mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) | (mcr & MCR_OUT1 ? MSR_RI : 0) |
		    (mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static void write_mcr(struct uart16550 *uart, u8 value)
{
	u8 before = modem_lines(uart), changed, after;

	uart->mcr = value & 0x1f;
	after = modem_lines(uart);
	changed = before ^ after;
	if (changed & MSR_CTS)
		uart->msr |= MSR_DELTA_CTS;
	if (changed & MSR_DSR)
		uart->msr |= MSR_DELTA_DSR;
	if (changed & MSR_DCD)
		uart->msr |= MSR_DELTA_DCD;
	if (before & ~after & MSR_RI)
		uart->msr |= MSR_RI_ENDED;
	refill(uart);
}

static u8 read_lsr(struct uart16550 *uart)
{
	u8 lsr = uart->lsr;

	if (uart->receive.count)
		lsr |= LSR_READY;
	if (!uart->send.count)
		lsr |= LSR_THR_EMPTY | LSR_IDLE;
	if (uart->fcr & FCR_ENABLE && fifo_has_error(&uart->receive))
		lsr |= LSR_FIFO_ERROR;
	uart->lsr = 0;
	if (uart->receive.count)
		uart->receive.error[uart->receive.first] = 0;
	return lsr;
}

static u8 read_msr(struct uart16550 *uart)
{
	u8 msr = uart->msr | modem_lines(uart);

	uart->msr = 0;
	return msr;
}

static u8 read_register(struct uart16550 *uart, u16 offset)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (offset) {
	case UART_RBR:
		return dlab ? (u8)uart->divisor : read_rbr(uart);
	case UART_IER:
		return dlab ? (u8)(uart->divisor >> 8) : uart->ier;
	case UART_IIR:
		return read_iir(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return read_lsr(uart);
	case UART_MSR:
		return read_msr(uart);
	default:
		return uart->scr;
	}
}

static void write_register(struct uart16550 *uart, u16 offset, u8 value)
{
	bool dlab = uart->lcr & LCR_DLAB;

	switch (offset) {
	case UART_THR:
		if (dlab)
			uart->divisor = (u16)((uart->divisor & 0xff00) | value);
		else
			write_thr(uart, value);
		break;
	case UART_IER:
		if (dlab)
			uart->divisor = (u16)((uart->divisor & 0x00ff) | value << 8);
		else
			write_ier(uart, value);
		break;
	case UART_FCR:
		write_fcr(uart, value);
		break;
	case UART_LCR:
		write_lcr(uart, value);
		break;
	case UART_MCR:
		write_mcr(uart, value);
		break;
	case UART_SCR:
		uart->scr = value;
		break;
	default: /* LSR and MSR: writing is for the factory's tests */
		break;
	}
}

static enum device_answer uart_read(struct device *device, UNUSED u32 range, u16 offset, UNUSED u8 size, u32 *value)
{
	struct uart16550 *uart = uart_of(device);

	*value = read_register(uart, offset);
	update_line(uart);
	return DEVICE_DONE;
}

static enum device_answer uart_write(struct device *device, UNUSED u32 range, u16 offset, UNUSED u8 size, u32 value)
{
	struct uart16550 *uart = uart_of(device);

	write_register(uart, offset, (u8)value);
	update_line(uart);
	return DEVICE_DONE;
}

static void timeout_fired(struct device *device, UNUSED u32 which)
{
	struct uart16550 *uart = uart_of(device);

	uart->timed_out = uart->receive.count != 0;
	update_line(uart);
}

static void resend_fired(struct device *device, UNUSED u32 which)
{
	struct uart16550 *uart = uart_of(device);

	transmit(uart);
	update_line(uart);
}

/* Data sheet, "Reset Control": SCR and the divisor keep what they hold. */
static void uart_reset(struct device *device)
{
	struct uart16550 *uart = uart_of(device);

	uart->ier = uart->fcr = uart->lcr = uart->mcr = uart->lsr = uart->msr = 0;
	uart->thr_interrupt = uart->timed_out = false;
	uart->receive.count = uart->send.count = 0;
	arm(uart, &uart->timeout, TIMER_NEVER);
	arm(uart, &uart->resend, TIMER_NEVER);
	update_line(uart);
}

static const struct device_ops uart_ops = {
	.name = "uart16550",
	.byte_wide = true,
	.port_read = uart_read,
	.port_write = uart_write,
	.reset = uart_reset,
};

void uart_init(struct uart16550 *uart, const struct device_services *services, u32 line, u32 backend)
{
	*uart = (struct uart16550){
		.device = {.ops = &uart_ops, .services = services}, .line = line, .backend = backend};
	uart->divisor = 12; /* 9600 baud: what firmware would have left */
	uart->timeout =
		(struct device_timer){.deadline_ns = TIMER_NEVER, .device = &uart->device, .fire = timeout_fired};
	uart->resend = (struct device_timer){.deadline_ns = TIMER_NEVER, .device = &uart->device, .fire = resend_fired};
	ring_init(&uart->queue, uart->queue_bytes, UART_QUEUE_SIZE);
}

int uart_attach(struct uart16550 *uart, struct bus *bus, u16 base)
{
	return bus_add_ports(bus, &uart->device, 0, base, (u16)(base + UART_PORTS - 1));
}

u32 uart_receive(struct uart16550 *uart, const void *bytes, u32 n)
{
	u32 taken;

	lock_acquire(&uart->device.lock);
	taken = ring_put(&uart->queue, bytes, n);
	refill(uart);
	update_line(uart);
	lock_release(&uart->device.lock);
	return taken;
}
