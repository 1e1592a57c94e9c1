// sources: vmm/devices/uart16550.c vmm/devices/bus.c lib/ring.c
/* The UART against its data sheet (PC16550D). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "device_bench.h"
#include "vmm/devices/uart16550.h"

#define BASE 0x3f8
#define LINE 4

static struct bench bench;
static struct uart16550 uart;

static u8 in(u16 reg)
{
	return bench_in(&bench, (u16)(BASE + reg));
}

static void out(u16 reg, u8 value)
{
	bench_out(&bench, (u16)(BASE + reg), value);
}

static int setup(void **state)
{
	(void)state;
	bench_init(&bench);
	uart_init(&uart, &bench.services, LINE, BACKEND_CONSOLE);
	assert_int_equal(uart_attach(&uart, &bench.bus, BASE), OK);
	return 0;
}

/* 115200 8N1, FIFOs with trigger level 14, OUT2 on: as an operating system leaves it. */
static void open_port(void)
{
	out(UART_LCR, 0x83);
	out(UART_DLL, 1);
	out(UART_DLM, 0);
	out(UART_LCR, 0x03);
	out(UART_FCR, 0xc7);
	out(UART_MCR, 0x0b);
}

static void test_reset_values(void **state)
{
	(void)state;
	assert_int_equal(in(UART_IER), 0);
	assert_int_equal(in(UART_IIR), 1);
	assert_int_equal(in(UART_LCR), 0);
	assert_int_equal(in(UART_MCR), 0);
	assert_int_equal(in(UART_LSR), 0x60);
	assert_int_equal(in(UART_MSR), 0xb0);
	assert_int_equal(in(UART_SCR), 0);
}

/* What drivers do to find out which chip it is. */
static void test_detection(void **state)
{
	(void)state;
	out(UART_SCR, 0x5a);
	assert_int_equal(in(UART_SCR), 0x5a);
	out(UART_IER, 0xff);
	assert_int_equal(in(UART_IER), 0x0f);
	out(UART_MCR, 0xff);
	assert_int_equal(in(UART_MCR), 0x1f);
	out(UART_MCR, 0);
	out(UART_IER, 0);
	out(UART_FCR, 0x01);
	assert_int_equal(in(UART_IIR) & 0xc0, 0xc0);
	out(UART_FCR, 0x00);
	assert_int_equal(in(UART_IIR) & 0xc0, 0x00);
	/* Without the enable bit nothing else of FCR is taken. */
	out(UART_FCR, 0xc8);
	assert_int_equal(in(UART_IIR) & 0xc0, 0x00);
}

static void test_divisor(void **state)
{
	(void)state;
	out(UART_LCR, 0x80);
	out(UART_DLL, 0x34);
	out(UART_DLM, 0x12);
	assert_int_equal(in(UART_DLL), 0x34);
	assert_int_equal(in(UART_DLM), 0x12);
	out(UART_LCR, 0x03);
	assert_int_equal(in(UART_IER), 0);
	assert_int_equal(bench.output_length, 0);
	out(UART_LCR, 0x83);
	assert_int_equal(in(UART_DLL), 0x34);
}

static void test_polled_send(void **state)
{
	(void)state;
	open_port();
	for (const char *s = "hello"; *s; s++) {
		assert_int_equal(in(UART_LSR) & 0x60, 0x60);
		out(UART_THR, (u8)*s);
	}
	assert_string_equal(bench.output, "hello");
	assert_int_equal(bench.rises[LINE], 0);
}

static void test_word_length(void **state)
{
	(void)state;
	out(UART_LCR, 0x02); /* 7 bits */
	out(UART_THR, 0xc1);
	assert_string_equal(bench.output, "A");
}

static void test_slow_backend(void **state)
{
	(void)state;
	open_port();
	out(UART_IER, 2);
	in(UART_IIR);
	bench.room = 1;
	out(UART_THR, 'a');
	assert_int_equal(in(UART_IIR) & 0x0f, 2);
	out(UART_THR, 'b');
	assert_int_equal(in(UART_LSR) & 0x60, 0);
	assert_int_equal(in(UART_IIR) & 0x0f, 1);
	assert_false(bench.line[LINE]);
	out(UART_THR, 'c');
	bench_pass(&bench, 10000000);
	assert_int_equal(in(UART_LSR) & 0x60, 0);
	bench.room = 100;
	bench_pass(&bench, 10000000);
	assert_int_equal(in(UART_LSR) & 0x60, 0x60);
	assert_string_equal(bench.output, "abc");
	assert_true(bench.line[LINE]);
	assert_int_equal(in(UART_IIR) & 0x0f, 2);
	assert_ptr_equal(bench_next(&bench), NULL);
}

static void test_send_overflow_keeps_the_last(void **state)
{
	(void)state;
	open_port();
	bench.room = 0;
	for (u8 i = 0; i < 20; i++)
		out(UART_THR, (u8)('a' + i));
	bench.room = 100;
	bench_pass(&bench, 10000000);
	assert_string_equal(bench.output, "abcdefghijklmnot");
}

static void test_thr_interrupt(void **state)
{
	(void)state;
	open_port();
	out(UART_IER, 2); /* empty already: raised at once */
	assert_true(bench.line[LINE]);
	assert_int_equal(in(UART_IIR), 0xc2);
	assert_false(bench.line[LINE]); /* reading IIR clears it */
	assert_int_equal(in(UART_IIR), 0xc1);
	out(UART_THR, 'x');
	assert_true(bench.line[LINE]);
	out(UART_IER, 0);
	assert_false(bench.line[LINE]);
	out(UART_IER, 2);
	assert_true(bench.line[LINE]);
	out(UART_IER, 2); /* no edge: nothing new after it has been told */
	in(UART_IIR);
	out(UART_IER, 2);
	assert_false(bench.line[LINE]);
}

static void test_out2_gates_the_line(void **state)
{
	(void)state;
	open_port();
	out(UART_MCR, 0x03);
	out(UART_IER, 2);
	assert_false(bench.line[LINE]);
	assert_int_equal(in(UART_IIR), 0xc2);
	out(UART_IER, 0);
	out(UART_IER, 2);
	out(UART_MCR, 0x0b);
	assert_true(bench.line[LINE]);
	out(UART_MCR, 0x1b);
	assert_false(bench.line[LINE]);
}

static void test_receive_without_fifo(void **state)
{
	(void)state;
	out(UART_MCR, 0x08);
	out(UART_IER, 1);
	assert_int_equal(uart_receive(&uart, "ab", 2), 2);
	assert_true(bench.line[LINE]);
	assert_int_equal(in(UART_IIR), 4);
	assert_int_equal(in(UART_LSR), 0x61);
	assert_int_equal(in(UART_RBR), 'a');
	assert_int_equal(in(UART_RBR), 'b');
	assert_false(bench.line[LINE]);
	assert_int_equal(in(UART_LSR), 0x60);
	assert_int_equal(in(UART_RBR), 0);
	assert_int_equal(bench_next(&bench) == NULL, 1);
}

static void test_trigger_levels(void **state)
{
	static const u8 fcr[] = {0x01, 0x41, 0x81, 0xc1};
	static const u8 level[] = {1, 4, 8, 14};

	(void)state;
	for (u32 i = 0; i < 4; i++) {
		open_port();
		out(UART_FCR, (u8)(fcr[i] | 2));
		out(UART_IER, 1);
		for (u32 n = 1; n <= 16; n++) {
			assert_int_equal(uart_receive(&uart, "x", 1), 1);
			assert_int_equal(bench.line[LINE], n >= level[i]);
			assert_int_equal(in(UART_IIR), n >= level[i] ? 0xc4 : 0xc1);
		}
		for (u32 n = 16; n > 0; n--) {
			assert_int_equal(bench.line[LINE], n >= level[i]);
			assert_int_equal(in(UART_RBR), 'x');
		}
	}
}

static void test_character_timeout(void **state)
{
	u64 four = 4 * 10 * 16 * 1000000000ull / 1843200;

	(void)state;
	open_port();
	out(UART_IER, 1);
	uart_receive(&uart, "a", 1);
	bench_pass(&bench, four - 1000);
	assert_false(bench.line[LINE]);
	uart_receive(&uart, "b", 1); /* counts again */
	bench_pass(&bench, four - 1000);
	assert_false(bench.line[LINE]);
	bench_pass(&bench, 2000);
	assert_true(bench.line[LINE]);
	assert_int_equal(in(UART_IIR), 0xcc);
	assert_int_equal(in(UART_IIR), 0xcc);
	assert_int_equal(in(UART_RBR), 'a'); /* reading clears it and counts again */
	assert_false(bench.line[LINE]);
	bench_pass(&bench, four + 1000);
	assert_true(bench.line[LINE]);
	assert_int_equal(in(UART_RBR), 'b');
	assert_false(bench.line[LINE]);
	assert_int_equal(bench_pass(&bench, 10 * four), 0);
}

static void test_queue_before_the_fifo(void **state)
{
	u8 bytes[300];

	(void)state;
	open_port();
	for (u32 i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)i;
	assert_int_equal(uart_receive(&uart, bytes, 300), 256);
	assert_int_equal(uart_receive(&uart, bytes, 300), 16); /* those that moved on to the FIFO */
	assert_int_equal(uart_receive(&uart, bytes, 300), 0);
	for (u32 i = 0; i < 256; i++)
		assert_int_equal(in(UART_RBR), i);
	assert_int_equal(in(UART_LSR) & 2, 0); /* nothing was overrun */
}

static void test_fifo_reset(void **state)
{
	(void)state;
	open_port();
	uart_receive(&uart, "0123456789abcdefXYZ", 19);
	out(UART_FCR, 0xc3);
	assert_int_equal(in(UART_RBR), 'X');
	out(UART_FCR, 0x00); /* switching modes clears too */
	assert_int_equal(in(UART_LSR) & 1, 0);
}

static void test_loopback_data(void **state)
{
	(void)state;
	open_port();
	out(UART_MCR, 0x1b);
	out(UART_THR, 'q');
	assert_int_equal(bench.output_length, 0);
	assert_int_equal(in(UART_LSR), 0x61);
	assert_int_equal(in(UART_RBR), 'q');
	uart_receive(&uart, "z", 1); /* the input pin is cut off */
	assert_int_equal(in(UART_LSR) & 1, 0);
	out(UART_MCR, 0x0b);
	assert_int_equal(in(UART_LSR) & 1, 1);
	assert_int_equal(in(UART_RBR), 'z');
}

static void test_loopback_overrun(void **state)
{
	(void)state;
	open_port();
	out(UART_MCR, 0x1b);
	for (u32 i = 0; i < 17; i++)
		out(UART_THR, (u8)('a' + i));
	out(UART_IER, 4);
	assert_int_equal(in(UART_IIR), 0xc6);
	assert_int_equal(in(UART_LSR), 0x63);
	assert_int_equal(in(UART_LSR), 0x61); /* reading clears the error */
	assert_int_equal(in(UART_IIR), 0xc1);
	for (u32 i = 0; i < 16; i++)
		assert_int_equal(in(UART_RBR), 'a' + i);
	/* Without FIFOs the newer byte overwrites. */
	out(UART_FCR, 0);
	out(UART_THR, '1');
	out(UART_THR, '2');
	assert_int_equal(in(UART_LSR), 0x63);
	assert_int_equal(in(UART_RBR), '2');
}

static void test_loopback_break(void **state)
{
	(void)state;
	open_port();
	out(UART_MCR, 0x1b);
	out(UART_THR, 'a');
	out(UART_LCR, 0x43);
	assert_int_equal(in(UART_LSR), 0xe1); /* an error in the FIFO, not yet at its top */
	assert_int_equal(in(UART_RBR), 'a');
	assert_int_equal(in(UART_LSR) & 0x1c, 0x18);
	assert_int_equal(in(UART_LSR) & 0x9c, 0);
	assert_int_equal(in(UART_RBR), 0);
}

static void test_modem_loopback(void **state)
{
	static const u8 mcr[] = {0x01, 0x02, 0x04, 0x08};
	static const u8 msr[] = {0x20, 0x10, 0x40, 0x80};

	(void)state;
	open_port();
	for (u32 i = 0; i < 4; i++) {
		out(UART_MCR, 0x10);
		in(UART_MSR);
		out(UART_MCR, (u8)(0x10 | mcr[i]));
		assert_int_equal(in(UART_MSR) & 0xf0, msr[i]);
		assert_int_equal(in(UART_MSR) & 0x0f, 0); /* deltas go with the reading */
	}
	out(UART_MCR, 0x10);
	in(UART_MSR);
	out(UART_MCR, 0x14);
	assert_int_equal(in(UART_MSR) & 0x0f, 0); /* RI: its end counts, not its beginning */
	out(UART_MCR, 0x10);
	assert_int_equal(in(UART_MSR) & 0x0f, 4);
	out(UART_MCR, 0x1b);
	out(UART_IER, 8);
	assert_int_equal(in(UART_IIR), 0xc0);
	assert_int_equal(in(UART_MSR) & 0x0f, 0x0b);
	assert_int_equal(in(UART_IIR), 0xc1);
}

static void test_priorities(void **state)
{
	(void)state;
	open_port();
	out(UART_FCR, 0x07);
	out(UART_MCR, 0x10);
	in(UART_MSR);
	for (u32 i = 0; i < 17; i++)
		out(UART_THR, 'x');
	out(UART_MCR, 0x11);
	out(UART_IER, 0x0f);
	assert_int_equal(in(UART_IIR), 0xc6);
	in(UART_LSR);
	assert_int_equal(in(UART_IIR), 0xc4);
	out(UART_FCR, 0x03);
	assert_int_equal(in(UART_IIR), 0xc2);
	assert_int_equal(in(UART_IIR), 0xc0);
	in(UART_MSR);
	assert_int_equal(in(UART_IIR), 0xc1);
}

static void test_wide_access_is_bytes(void **state)
{
	(void)state;
	open_port();
	out(UART_SCR, 0x77);
	assert_int_equal(bench_in_sized(&bench, BASE + UART_MSR, 2), 0x77b0);
	bench_out_sized(&bench, BASE + UART_LCR, 2, 0x0b1b);
	assert_int_equal(in(UART_LCR), 0x1b);
	assert_int_equal(in(UART_MCR), 0x0b);
}

static void test_reset(void **state)
{
	(void)state;
	open_port();
	out(UART_IER, 0x0f);
	out(UART_SCR, 0x55);
	uart_receive(&uart, "abc", 3);
	assert_true(bench.line[LINE]);
	uart.device.ops->reset(&uart.device);
	assert_false(bench.line[LINE]);
	assert_int_equal(in(UART_SCR), 0x55);
	assert_int_equal(in(UART_LSR), 0x60);
	assert_int_equal(in(UART_IER), 0);
	assert_ptr_equal(bench_next(&bench), NULL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_reset_values),	 TEST(test_detection),	   TEST(test_divisor),
		TEST(test_polled_send),		 TEST(test_word_length),   TEST(test_slow_backend),
		TEST(test_send_overflow_keeps_the_last), TEST(test_thr_interrupt), TEST(test_out2_gates_the_line),
		TEST(test_receive_without_fifo), TEST(test_trigger_levels), TEST(test_character_timeout),
		TEST(test_queue_before_the_fifo), TEST(test_fifo_reset),  TEST(test_loopback_data),
		TEST(test_loopback_overrun),	 TEST(test_loopback_break), TEST(test_modem_loopback),
		TEST(test_priorities),		 TEST(test_wide_access_is_bytes), TEST(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
