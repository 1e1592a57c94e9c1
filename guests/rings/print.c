/* How the lessons print what they saw, and the first lesson. */
#include "guests/rings/rings.h"

void print_view(const char *where, const struct view *view)
{
	print("  %-36s CS 0x%02x (ring %u)  SS 0x%02x  DS 0x%02x  SP 0x%lx  IF %u  IOPL %u\n", where, view->cs,
	      view->cs & 3, view->ss, view->ds, view->sp, !!(view->flags & FLAG_IF), (u32)(view->flags >> 12 & 3));
}

/* An error code that names a segment: selector and table. (SDM "Error Code") */
static void print_selector_error(u32 error)
{
	if (error & 2)
		print(" = IDT vector 0x%x%s", error >> 3, error & 1 ? ", external" : "");
	else if (error)
		print(" = %s selector 0x%x%s", error & 4 ? "LDT" : "GDT", error & 0xfff8u,
		      error & 1 ? ", external" : "");
}

/* SDM "Page-Fault Exceptions" */
static void print_page_error(u32 error)
{
	print(" = %s by %s of a %s page%s", error & 16 ? "fetch" : error & 2 ? "write" : "read",
	      error & 4 ? "user" : "supervisor", error & 1 ? "present" : "missing",
	      error & 32 ? ", protection key" : "");
}

void print_fault(const char *what)
{
	print("  %-58s", what);
	if (!fault.taken) {
		print(" no fault\n");
		return;
	}
	print(" %s in ring %u", vector_name(fault.vector), fault.cs & 3);
	if (fault.vector >= VECTOR_TS && fault.vector <= VECTOR_PF)
		print(", error 0x%x", fault.error);
	if (fault.vector >= VECTOR_TS && fault.vector <= VECTOR_GP)
		print_selector_error(fault.error);
	else if (fault.vector == VECTOR_PF)
		print_page_error(fault.error);
	print("\n");
}

const char *outcome(void)
{
	return fault.taken ? vector_name(fault.vector) : "ok";
}

void attempt(const char *what, int ring, word (*function)(word), word argument)
{
	faults_in_ring(ring, function, argument, FLAG_FIXED, NULL);
	print_fault(what);
}

static struct view view;

static word look_around(word unused UNUSED)
{
	look(&view);
	return 0;
}

static word load_idt(word unused UNUSED)
{
	__asm__ volatile("lidt %0" : : "m"(idt_pointer)); /* privileged, and harmless: it is loaded already */
	return 0;
}

void lesson_rings(void)
{
	static const char *const where[] = {"ring 0, the kernel's", "ring 1", "ring 2", "ring 3, the user's"};

	for (int ring = 0; ring < 4; ring++) {
		faults_in_ring(ring, look_around, 0, FLAG_FIXED, NULL);
		print_view(where[ring], &view);
		attempt("a privileged instruction (LIDT) there:", ring, load_idt, 0);
	}
}
