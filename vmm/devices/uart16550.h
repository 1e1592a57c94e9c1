/*
 * 16550A UART with FIFOs (National Semiconductor PC16550D data sheet). What it sends goes to the backend at once; what
 * it receives waits in a queue before the 16-byte FIFO, so that fast typing does not overrun a slow guest. Pure.
 */
#ifndef VMM_DEVICES_UART16550_H
#define VMM_DEVICES_UART16550_H

#include "lib/ring.h"
#include "vmm/devices/bus.h"

#define UART_COM1_PORT 0x3f8
#define UART_COM1_LINE 4
#define UART_PORTS     8

#define UART_FIFO_SIZE	16
#define UART_QUEUE_SIZE 256

/* Registers by offset; RBR, THR and DLL, IER and DLM, IIR and FCR share theirs. */
enum uart_register { UART_RBR, UART_IER, UART_IIR, UART_LCR, UART_MCR, UART_LSR, UART_MSR, UART_SCR, UART_THR = 0,
		    UART_DLL = 0, UART_DLM = 1, UART_FCR = 2 };

struct uart_fifo {
	u8 byte[UART_FIFO_SIZE];
	u8 error[UART_FIFO_SIZE]; /* LSR bits that belong to the byte */
	u32 first, count;
};

/* Guarded by the device's lock. */
struct uart16550 {
	struct device device;
	u32 line, backend;
	u8 ier, fcr, lcr, mcr, lsr, msr, scr; /* msr: only the delta bits are kept here */
	u16 divisor;
	bool thr_interrupt; /* THR empty: not yet told by IIR */
	bool timed_out;	    /* bytes below the trigger level stand in the FIFO for four character times */
	bool level;	    /* of the interrupt line */
	struct uart_fifo receive, send;
	struct device_timer timeout, resend;
	struct ring queue;
	u8 queue_bytes[UART_QUEUE_SIZE];
};

/* `line`: global system interrupt number; `backend`: where bytes go. */
void uart_init(struct uart16550 *uart, const struct device_services *services, u32 line, u32 backend);
/* Errors as bus_add_ports(). */
int uart_attach(struct uart16550 *uart, struct bus *bus, u16 base);
/* Bytes for the guest, from any core without the device's lock. Returns how many fitted. */
u32 uart_receive(struct uart16550 *uart, const void *bytes, u32 n);

#endif
