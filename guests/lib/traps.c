/* Exceptions and interrupts: to a handler, to whoever catches faults, or the end with a report. */
#include "guests/lib/start.h"

#define EXIT_UNEXPECTED 100 /* exit code of an unexpected exception: this plus its vector */

struct fault fault;
static trap_handler handlers[256];

static const char *const names[32] = {
	[VECTOR_DE] = "#DE", [VECTOR_DB] = "#DB", [VECTOR_NMI] = "NMI", [VECTOR_BP] = "#BP", [VECTOR_OF] = "#OF",
	[VECTOR_BR] = "#BR", [VECTOR_UD] = "#UD", [VECTOR_NM] = "#NM", [VECTOR_DF] = "#DF",  [VECTOR_TS] = "#TS",
	[VECTOR_NP] = "#NP", [VECTOR_SS] = "#SS", [VECTOR_GP] = "#GP", [VECTOR_PF] = "#PF",  [VECTOR_MF] = "#MF",
	[VECTOR_AC] = "#AC", [VECTOR_MC] = "#MC", [VECTOR_XM] = "#XM", [VECTOR_CP] = "#CP",
};

const char *vector_name(u32 vector)
{
	if (vector >= ARRAY_SIZE(names))
		return "interrupt";
	return names[vector] ? names[vector] : "reserved exception";
}

void trap_handle(u8 vector, trap_handler handler)
{
	handlers[vector] = handler;
}

void fault_end(void)
{
	fault_saved_sp = 0;
}

static NORETURN void unexpected(const struct trap_frame *frame)
{
	print("unexpected %s (%lu), error 0x%lx, at 0x%lx:0x%lx, flags 0x%lx, CR2 0x%lx\n",
	      vector_name((u32)frame->vector), (word)frame->vector, (word)frame->error, (word)frame->cs,
	      (word)frame->ip, (word)frame->flags, read_cr2());
	print("ax 0x%lx bx 0x%lx cx 0x%lx dx 0x%lx si 0x%lx di 0x%lx bp 0x%lx\n", (word)frame->ax, (word)frame->bx,
	      (word)frame->cx, (word)frame->dx, (word)frame->si, (word)frame->di, (word)frame->bp);
	guest_exit(EXIT_UNEXPECTED + (int)(frame->vector & 31));
}

void trap_dispatch(struct trap_frame *frame)
{
	trap_handler handler = handlers[frame->vector & 0xff];

	if (handler && handler(frame))
		return;
	if (!fault_saved_sp)
		unexpected(frame);
	fault = (struct fault){true, (u32)frame->vector, (u32)frame->error, (word)frame->ip, read_cr2(),
			       (u16)frame->cs};
	fault_resume();
}

bool faults_in_ring(int ring, word (*function)(word), word argument, word flags, word *result)
{
	static word value; /* static: it must survive the second return of fault_catch() */

	CATCH(value = run_in_ring(ring, function, argument, flags));
	if (result)
		*result = value;
	return fault.taken;
}

void traps_init(void)
{
	for (u32 i = 0; i < 256; i++)
		idt_gate((u8)i, CODE(0), (const void *)trap_stubs[i], GATE_INTERRUPT, 0);
	idt_gate(VECTOR_RING_RETURN, CODE(0), (const void *)ring_return, GATE_INTERRUPT, 3);
}
