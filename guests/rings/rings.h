/* Between the lessons of guests/rings: what a ring looks like from inside, and how a lesson prints it. */
#ifndef GUESTS_RINGS_RINGS_H
#define GUESTS_RINGS_RINGS_H

#include "guests/lib/guest.h"

#define FLAG_CF	   0x001u
#define FLAG_FIXED 0x002u /* always set */
#define FLAG_IF	   0x200u
#define FLAG_IOPL(n) ((word)(n) << 12)
#define FLAG_NT	   0x4000u
#define FLAG_AC	   0x40000u

/* The registers that say which ring we are in, and on which stack. */
struct view {
	u16 cs, ss, ds;
	word sp, flags;
};

static inline __attribute__((always_inline)) void look(struct view *view)
{
	__asm__ volatile("mov %%cs, %0; mov %%ss, %1; mov %%ds, %2" : "=r"(view->cs), "=r"(view->ss), "=r"(view->ds));
	__asm__ volatile("mov %%" STACK ", %0" : "=r"(view->sp));
	view->flags = read_flags();
}

struct lesson {
	const char *title;
	void (*run)(void);
};

/* The lessons of this width, in order; ended by a title of NULL. (i386/lessons.c, amd64/lessons.c) */
extern const struct lesson lessons[];

/* One line: where, and the registers there. */
void print_view(const char *where, const struct view *view);
/* One line: what was tried, and the fault it ended in, or none. */
void print_fault(const char *what);
/* "ok" or "#GP" and so on, after CATCH: one cell of a table. */
const char *outcome(void);

/* far.asm: far transfers; the offset is of no matter where the selector is a gate. */
void far_call(u16 selector, const void *offset);
void far_jump(u16 selector, const void *offset);
void far_return_target(void);  /* a far function that does nothing */
void gate_return_target(void); /* the same, to be entered by a call gate */
void ring_home(void) NORETURN; /* back from where nobody called: INT VECTOR_RING_RETURN */

/* What a far return takes; RET takes no flags, and returns within a ring no stack. */
struct far_frame {
	word ip, cs, flags, sp, ss;
};

void far_ret(const struct far_frame *frame);
void far_iret(const struct far_frame *frame);

/* entries.asm: what gates lead to; each calls its *_seen() in gates.c and returns as it was called. */
void gate0_entry(void);
void gate1_entry(void);
void conforming_entry(void);
void gate0_seen(void);
void gate1_seen(void);

/* Fast system calls. The last two are tried where they are refused, and do not return. */
void do_sysenter(void);
void do_syscall(void);
word do_sysexit(word unused);
word do_sysret(word unused);
void sysenter_entry(void);
void syscall_entry(void);
void system_call_seen(void);

/*
 * The paging lesson's map (maps.c of each width): our own image for supervisors, one frame of code mapped twice, for
 * each class, and a page to test.
 */
#define PAGE_CODE      0x40000000ul
#define PAGE_CODE_USER 0x40001000ul
#define PAGE_TEST      0x40002000ul

struct page_kind {
	const char *name;
	u64 bits;
};

extern const struct page_kind page_kinds[]; /* ended by a name of NULL */
extern u8 page_code[], page_test[];
void maps_start(void);
void maps_stop(void);
void maps_set(u64 bits); /* of PAGE_TEST */

/* Run it in the ring, and print a line of what happened. */
void attempt(const char *what, int ring, word (*function)(word), word argument);

/* The lessons of both widths ... */
void lesson_rings(void);
void lesson_call_gates(void);
void lesson_conforming(void);
void lesson_data_rules(void);
void lesson_code_rules(void);
void lesson_gate_rules(void);
void lesson_returns(void);
void lesson_interrupt_gates(void);
void lesson_io(void);
void lesson_sysenter(void);
void lesson_syscall(void);
void lesson_pages(void);
/* ... and of one. */
void lesson_parameters(void);
void lesson_ist(void);

#endif
