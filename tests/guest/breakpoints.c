// guest: 64
/* Breakpoint registers: on code (a fault, passed by RF), on data (a trap), on I/O, and what DR6 and DR7 keep. For both
 * widths. (SDM "Debug Registers", "Debug Exception (#DB)") Oracles: Bochs, QEMU. */
#include "guests/lib/guest.h"

#define CR4_DE	  8u
#define FLAG_RF	  0x10000u
#define DR6_IDLE  0xffff0ff0u
#define DR7_IDLE  0x400u
#define DR7_L0	  1u
#define KIND(n, kind, length) ((word)(kind) << (16 + 4 * (n)) | (word)(length) << (18 + 4 * (n)))
#define EXECUTE	  0
#define WRITE	  1
#define IO	  2
#define ACCESS	  3

extern const char watched_code[];
static u32 hits, dr6;
static word ip;
static volatile u32 data[2] ALIGNED(8);

static bool on_break(struct trap_frame *frame)
{
	dr6 = (u32)read_dr6();
	write_dr6(DR6_IDLE);
	ip = frame->ip;
	hits++;
	frame->flags |= FLAG_RF;
	return true;
}

static NOINLINE void run_watched_code(void)
{
	__asm__ volatile("watched_code: nop");
}

/* Hits of one use of what breakpoint 0 watches. */
#define HITS(address, control, ...)                 \
	({                                          \
		hits = 0;                           \
		write_dr0((word)(address));         \
		write_dr7(DR7_IDLE | DR7_L0 | (control)); \
		__VA_ARGS__;                        \
		write_dr7(DR7_IDLE);                \
		hits;                               \
	})

/* Where a graphics card has its memory, or nothing is: who emulates the access has to see to the breakpoint. */
static void check_device(void)
{
	volatile u32 *window = (volatile u32 *)0xa0000;

	check_equal("break-device-write", HITS(window, KIND(0, WRITE, 3), *window = 1), 1);
	check_equal("break-device-write-dr6", dr6 & 0xf00f, 1);
	check_equal("break-device-write-not-read", HITS(window, KIND(0, WRITE, 3), (void)*window), 0);
	check_equal("break-device-read", HITS(window, KIND(0, ACCESS, 3), (void)*window), 1);
	check_equal("break-device-modify", HITS(window, KIND(0, WRITE, 3), *window += 1), 1);
	check_equal("break-device-not-beside", HITS(window, KIND(0, ACCESS, 3), (void)window[1]), 0);
	check_equal("break-device-without", HITS(window, KIND(1, ACCESS, 3), (void)*window), 0);
}

/* INS and OUTS touch memory as well. */
static void check_string_io(void)
{
	volatile u32 *to = data;
	word count = 2;

	check_equal("break-outs-memory",
		    HITS(data, KIND(0, ACCESS, 3), __asm__ volatile("outsb" : "+S"(to) : "d"(0x80) : "memory")), 1);
	to = data;
	check_equal("break-ins-memory",
		    HITS(data, KIND(0, WRITE, 3), __asm__ volatile("insb" : "+D"(to) : "d"(0x80) : "memory")), 1);
	to = data;
	check_equal("break-outs-not-write",
		    HITS(data, KIND(0, WRITE, 3), __asm__ volatile("outsb" : "+S"(to) : "d"(0x80) : "memory")), 0);
	to = data;
	HITS(data, KIND(0, WRITE, 3), __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(0x80) : "memory"));
	check_equal("break-rep-ins-goes-on", count, 0);
}

/*
 * Whoever else runs on the core. TCG breaks, once armed, also where it has loaded another DR7 by VMRUN or an exit:
 * whichever guest it then is gets the #DB.
 */
static void check_that_they_stay(void)
{
	write_dr1(0x1230);
	write_dr2(0x4560);
	write_dr3(0x7890);
	if (uses_vmmcall())
		check_skip("break-stays", "TCG would break in other guests");
	else
		check_equal("break-stays",
			    HITS(watched_code, KIND(0, EXECUTE, 0), let_others_run(), run_watched_code()), 1);
	HITS(watched_code, KIND(0, EXECUTE, 0), run_watched_code());
	check_equal("dr-stay-behind-a-hit", read_dr1() + read_dr2() + read_dr3(), 0xd020);
	let_others_run();
	check_equal("dr-stay", read_dr0() - (word)watched_code + read_dr1() + read_dr2() + read_dr3(), 0xd020);
}

CHECKS(breakpoints)
{
	trap_handle(VECTOR_DB, on_break);
	check_equal("dr7-fixed-bit", read_dr7(), DR7_IDLE);
	write_dr6(0);
	check_equal("dr6-fixed-bits", read_dr6() & ~0x10000u, DR6_IDLE & ~0x10000u);
	check_equal("break-code", HITS(watched_code, KIND(0, EXECUTE, 0), run_watched_code()), 1);
	check_equal("break-code-is-a-fault", ip, (word)watched_code);
	check_equal("break-code-dr6", dr6 & 0xf00f, 1);
	check_that_they_stay();
	check_equal("break-write", HITS(data, KIND(0, WRITE, 3), data[0] = 1), 1);
	check_equal("break-write-not-read", HITS(data, KIND(0, WRITE, 3), (void)data[0]), 0);
	check_equal("break-access-read", HITS(data, KIND(0, ACCESS, 3), (void)data[0]), 1);
	check_equal("break-access-inside", HITS(data, KIND(0, ACCESS, 3), (void)((volatile u8 *)data)[2]), 1);
	check_equal("break-access-not-beside", HITS(data, KIND(0, ACCESS, 3), (void)data[1]), 0);
	check_device();
	check_string_io();
	write_cr4(read_cr4() | CR4_DE);
	check_equal("break-io", HITS(0x80, KIND(0, IO, 0), in8(0x80)), 1);
	check_equal("break-io-not-beside", HITS(0x80, KIND(0, IO, 0), in8(0x84)), 0);
	expect_fault("dr4-ud-with-de", VECTOR_UD, 0, __asm__ volatile("mov %%dr4, %%" ACCUMULATOR : : : "eax"));
	write_cr4(read_cr4() & ~(word)CR4_DE);
	write_dr6(0xffff0ff1);
	expect_none("dr4-is-dr6-without-de", __asm__ volatile("mov %%dr4, %%" ACCUMULATOR : "=a"(ip)));
	check_equal("dr4-value", ip & 0xf, 1);
	trap_handle(VECTOR_DB, NULL);
	expect_fault("icebp", VECTOR_DB, 0, __asm__ volatile(".byte 0xf1"));
}
