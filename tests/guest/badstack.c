// guest: 32
/*
 * Takes an exception while the stack points to where there is no RAM: the hypervisor meets the missing memory in the
 * midst of delivering an event. Natively the pushes go nowhere, and the handler, which brings its own stack, goes on.
 */
#include "guests/lib/guest.h"

#define BEYOND (64u << 20)

static void survivor(void)
{
	print("delivered with its frame pushed to nowhere\n");
	guest_exit(0);
}

/* The gate's target: takes a good stack before it uses any. */
void badstack_stub(void);
__asm__("badstack_stub:\n\tmov $badstack_stack + 4096, %esp\n\tjmp *badstack_next");
u8 badstack_stack[4096] ALIGNED(16);
void (*badstack_next)(void) = survivor;

int guest_main(void)
{
	word nowhere = (word)boot_ram_end() + BEYOND;

	idt_gate(VECTOR_UD, CODE(0), (const void *)badstack_stub, GATE_INTERRUPT, 0);
	print("about to take #UD with ESP at 0x%lx\n", nowhere);
	__asm__ volatile("mov %0, %%esp; ud2" : : "r"(nowhere));
	return 1;
}
