/* Call gates and conforming code: the ways inwards that x86 was made with. (SDM "Call Gates", "Accessing a Code Segment
 * Through a Call Gate", "Stack Switching", "Accessing Conforming Code Segments") */
#include "guests/rings/rings.h"

#define SLOT_GATE0   (SLOT_FREE + 2) /* to ring 0, open to ring 3; a gate has two slots in long mode */
#define SLOT_GATE1   (SLOT_FREE + 4) /* to ring 1, open to ring 3 */
#define SLOT_INNER   (SLOT_FREE + 6) /* to ring 0, open to ring 1 */
#define SLOT_SHUT    (SLOT_FREE + 8) /* to ring 0, open to ring 0 only */
#define SLOT_ABSENT  (SLOT_FREE + 10)
#define SLOT_CONFORM (SLOT_FREE + 12)
#define PRESENT	     BIT(47)

static struct view before, after, inside[2];
static u8 stack1[1024] ALIGNED(16);

void gate0_seen(void)
{
	look(&inside[0]);
}

void gate1_seen(void)
{
	look(&inside[1]);
	far_call(SELECTOR(SLOT_INNER) | 1, NULL);
}

static word call_gate_at(word selector)
{
	look(&before);
	far_call((u16)selector, NULL);
	look(&after);
	return 0;
}

static word call_conforming(word selector)
{
	far_call((u16)selector, (const void *)conforming_entry);
	return 0;
}

static word jump_gate(word selector)
{
	far_jump((u16)selector, NULL);
	return 0;
}

static void prepare(void)
{
	call_gate(SLOT_GATE0, CODE(0), (const void *)gate0_entry, 0, 3);
	call_gate(SLOT_GATE1, CODE(1), (const void *)gate1_entry, 0, 3);
	call_gate(SLOT_INNER, CODE(0), (const void *)gate0_entry, 0, 1);
	call_gate(SLOT_SHUT, CODE(0), (const void *)gate0_entry, 0, 0);
	call_gate(SLOT_ABSENT, CODE(0), (const void *)gate0_entry, 0, 3);
	gdt[SLOT_ABSENT] &= ~PRESENT;
	tss_stack(1, (word)(stack1 + sizeof(stack1)));
}

void lesson_call_gates(void)
{
	prepare();
	attempt("CALL from ring 3 of a gate to ring 0:", 3, call_gate_at, SELECTOR(SLOT_GATE0) | 3);
	print_view("before, in ring 3", &before);
	print_view("inside, in ring 0, on its TSS stack", &inside[0]);
	print_view("after, in ring 3 again", &after);
	attempt("CALL of a gate to ring 1, which calls one to ring 0:", 3, call_gate_at, SELECTOR(SLOT_GATE1) | 3);
	print_view("before, in ring 3", &before);
	print_view("inside, in ring 1, on its TSS stack", &inside[1]);
	print_view("innermost, in ring 0", &inside[0]);
	print_view("after two returns, in ring 3", &after);
	attempt("CALL from ring 3 of a gate with DPL 0", 3, call_gate_at, SELECTOR(SLOT_SHUT) | 3);
	attempt("CALL from ring 2 of a gate with DPL 1", 2, call_gate_at, SELECTOR(SLOT_INNER) | 2);
	attempt("CALL of a gate that is not present", 3, call_gate_at, SELECTOR(SLOT_ABSENT) | 3);
	attempt("JMP from ring 3 through a gate to ring 0", 3, jump_gate, SELECTOR(SLOT_GATE0) | 3);
	attempt("CALL from ring 3 straight to ring 0's code", 3, call_gate_at, CODE(0));
	attempt("CALL from ring 3 to a data segment", 3, call_gate_at, DATA(3));
	attempt("CALL beyond the end of the GDT", 3, call_gate_at, 0xfff8);
	attempt("CALL of the null selector", 3, call_gate_at, 0);
}

void lesson_conforming(void)
{
	static const char *const where[] = {"ring 0 calls it", "ring 1 calls it", "ring 2 calls it", "ring 3 calls it"};

	gdt[SLOT_CONFORM] = descriptor(0, 0xfffff, 0x9e, sizeof(word) == 8 ? 0xa : 0xc);
	print("  Conforming code of DPL 0 runs in the ring of its caller, on the caller's stack:\n");
	for (int ring = 0; ring < 4; ring++) {
		faults_in_ring(ring, call_conforming, SELECTOR(SLOT_CONFORM), FLAG_FIXED, NULL);
		print_view(where[ring], &inside[0]);
	}
}
