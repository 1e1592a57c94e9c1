// guest: 32
/* Hypercalls with bad numbers, bad pointers, and from ring 3: each an error value, never the end of anything. */
#include "guests/lib/guest.h"

#define NOWHERE 0xf0000000u

static word version_from_ring(word number)
{
	return (word)hypercall(number, 0, 0, 0, 0);
}

CHECKS(hypercalls)
{
	word end = (word)boot_ram_end();

	if (!on_trivisor()) {
		check_skip("hypercalls", "no Trivisor under us");
		return;
	}
	check_equal("version", hypercall(HYPERCALL_VERSION, 0, 0, 0, 0), HYPERCALL_ABI_VERSION);
	check_equal("unknown-next", hypercall(HYPERCALLS, 0, 0, 0, 0), HYPERCALL_UNKNOWN);
	check_equal("unknown-largest", hypercall(~0ul, 0, 0, 0, 0), HYPERCALL_UNKNOWN);
	check_equal("write-nowhere", hypercall(HYPERCALL_CONSOLE_WRITE, NOWHERE, 16, 0, 0), HYPERCALL_RANGE);
	check_equal("write-across-the-end", hypercall(HYPERCALL_CONSOLE_WRITE, end - 8, 16, 0, 0), HYPERCALL_RANGE);
	check_equal("write-wraps", hypercall(HYPERCALL_CONSOLE_WRITE, ~0ul - 7, 16, 0, 0), HYPERCALL_RANGE);
	check_equal("write-too-long", hypercall(HYPERCALL_CONSOLE_WRITE, 0x100000, 4097, 0, 0), HYPERCALL_RANGE);
	check_equal("write-huge", hypercall(HYPERCALL_CONSOLE_WRITE, 0x100000, ~0ul, 0, 0), HYPERCALL_RANGE);
	check_equal("write-nothing", hypercall(HYPERCALL_CONSOLE_WRITE, 0x100000, 0, 0, 0), 0);
	check_equal("yield", hypercall(HYPERCALL_YIELD, 0, 0, 0, 0), 0);
	check("time-goes-on", hypercall_time() <= hypercall_time());
	check_equal("ring-3-version", run_in_ring(3, version_from_ring, HYPERCALL_VERSION, 2), (word)HYPERCALL_DENIED);
	check_equal("ring-3-exit", run_in_ring(3, version_from_ring, HYPERCALL_EXIT, 2), (word)HYPERCALL_DENIED);
	check_equal("ring-1-exit", run_in_ring(1, version_from_ring, HYPERCALL_EXIT, 2), (word)HYPERCALL_DENIED);
}
