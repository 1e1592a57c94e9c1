/* Far RET and IRET: outwards they lead anywhere, inwards never. (SDM "Returning from a Called Procedure") */
#include "guests/rings/rings.h"

static struct view before, after;
static u8 stacks[4][1024] ALIGNED(16);

static void top_of(int ring, struct far_frame *frame, const void *target)
{
	*frame = (struct far_frame){(word)target, CODE(ring), FLAG_FIXED, (word)(stacks[ring] + sizeof(stacks[ring])),
				    DATA(ring)};
}

/*
 * Where the returns lead to; home by a gate, since nobody called. DS may have become null: then it must be loaded
 * first.
 */
static NORETURN void outside(void)
{
	u16 ds;

	__asm__ volatile("mov %%ds, %0; mov %%ss, %%ax; mov %%ax, %%ds; mov %%ax, %%es" : "=b"(ds) : : "eax", "memory");
	look(&after);
	after.ds = ds;
	ring_home();
}

/* A far return to `ring` by RET, or by IRET. Returns by the way of outside(), or not at all where it faults. */
static word return_by_ret(word ring)
{
	struct far_frame frame;

	top_of((int)ring, &frame, (const void *)outside);
	look(&before);
	far_ret(&frame);
	return 0;
}

static word return_by_iret(word ring)
{
	struct far_frame frame;

	top_of((int)ring, &frame, (const void *)outside);
	look(&before);
	far_iret(&frame);
	return 0;
}

static void table(const char *title, word (*by)(word))
{
	print("  %-8s to ring 0  1    2    3\n", title);
	for (int from = 0; from < 4; from++) {
		print("  from ring %d   ", from);
		for (word to = 0; to < 4; to++) {
			faults_in_ring(from, by, to, FLAG_FIXED, NULL);
			print(" %-4s", outcome());
		}
		print("\n");
	}
}

void lesson_returns(void)
{
	faults_in_ring(0, return_by_ret, 3, FLAG_FIXED, NULL);
	print("  A far RET from ring 0 to ring 3; DS, which ring 3 may not use, becomes null on the way:\n");
	print_view("before, in ring 0", &before);
	print_view("after, in ring 3", &after);
	attempt("far RET from ring 3 to ring 0", 3, return_by_ret, 0);
	attempt("IRET from ring 3 to ring 0", 3, return_by_iret, 0);
	table("far RET", return_by_ret);
	table("IRET", return_by_iret);
}
