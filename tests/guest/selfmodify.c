// guest: 32
/* Code that writes itself, a million times and just ahead of itself; then an IDT full of garbage, and an exception. */
#include "guests/lib/guest.h"

#define ROUNDS 100000u

/* mov $N, %eax; ret: N is overwritten before each call. */
static u8 code[16] = {0xb8, 0, 0, 0, 0, 0xc3};

/* The instruction after the store is the one stored to: inc %eax becomes dec %eax. */
static u32 modify_ahead(u32 value)
{
	__asm__ volatile("	movb $0x48, 1f\n"
			 "	jmp 1f\n" /* SDM "Handling Self- and Cross-Modifying Code" asks for a jump */
			 "1:	inc %0\n"
			 "	movb $0x40, 1b\n"
			 : "+a"(value)
			 :
			 : "memory");
	return value;
}

static void garbage_idt(void)
{
	static u8 garbage[2048];
	u32 state = 0x2545f491;

	for (size_t i = 0; i < sizeof(garbage); i++) {
		state = state * 1664525 + 1013904223;
		garbage[i] = (u8)(state >> 24);
	}
	lidt(&(struct table_pointer){sizeof(garbage) - 1, (word)garbage});
	__asm__ volatile("ud2");
}

int guest_main(void)
{
	u32 (*function)(void) = (u32(*)(void))(word)code;
	u32 wrong = 0;

	for (u32 i = 0; i < ROUNDS; i++) {
		memcpy(code + 1, &i, sizeof(i));
		wrong += function() != i;
		wrong += modify_ahead(i) != i - 1;
	}
	check_equal("self-modifying-code", wrong, 0);
	check_summary();
	print("about to fault with a garbage IDT\n");
	garbage_idt();
	return 1;
}
