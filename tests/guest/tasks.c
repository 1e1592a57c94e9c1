// guest: 32
/*
 * Hardware task switches, which VT-x never does itself: by CALL, JMP, INT and IRET, with their links, flags and busy
 * bits, and with what can be wrong in a TSS. (SDM "Task Management") Oracles: Bochs, QEMU.
 */
#include "guests/lib/guest.h"

#define SLOT_OTHER SLOT_FREE
#define SLOT_GATE  (SLOT_FREE + 1)
#define SLOT_DOCTOR (SLOT_FREE + 2)
#define MAIN	   SELECTOR(SLOT_TSS)
#define OTHER	   SELECTOR(SLOT_OTHER)
#define VECTOR_GATE 0x60
#define TYPE_TSS   0x89u /* present, available */
#define TYPE_BUSY  0x8bu
#define CR0_TS	   BIT(3)
#define FLAG_NT	   BIT(14)

struct task {
	u32 link, stack[6], cr3, ip, flags, ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, fs, gs, ldt;
	u16 trap, iomap;
};

static struct task other, doctor;
static u32 stack[1024], doctor_stack[1024];
static volatile u32 doctor_error, doctor_link;
static volatile u32 runs, seen_flags, seen_link, seen_cr0;

/*
 * The other task: notes what it finds, and goes back as it came. After IRET it goes on behind it when it is entered
 * again.
 */
static NORETURN void body(void)
{
	const struct {
		u32 offset;
		u16 selector;
	} __attribute__((packed)) back = {0, MAIN};

	for (;;) {
		runs++;
		seen_flags = read_flags();
		seen_link = other.link;
		seen_cr0 = read_cr0();
		__asm__ volatile("clts");
		if (seen_flags & FLAG_NT)
			__asm__ volatile("iret" : : : "memory");
		else
			__asm__ volatile("ljmp *%0" : : "m"(back) : "memory");
	}
}

static struct task task_of(void (*entry)(void), u32 *top)
{
	struct task task = {.ip = (u32)entry, .flags = 2, .sp = (u32)top, .cs = CODE(0), .ss = DATA(0)};

	task.ds = task.es = task.fs = task.gs = DATA(0);
	task.iomap = sizeof(task);
	return task;
}

static void prepare(u32 limit, u8 type)
{
	other = task_of(body, stack + ARRAY_SIZE(stack));
	gdt[SLOT_OTHER] = descriptor((u32)&other, limit, type, 0);
	gdt[SLOT_GATE] = (u64)0x85 << 40 | (u64)OTHER << 16;
	idt_gate(VECTOR_GATE, OTHER, NULL, 5, 0);
	runs = 0;
}

static void far_call(u16 selector)
{
	const struct {
		u32 offset;
		u16 selector;
	} __attribute__((packed)) target = {0, selector};

	__asm__ volatile("lcall *%0" : : "m"(target) : "memory", "cc");
}

static void far_jump(u16 selector)
{
	const struct {
		u32 offset;
		u16 selector;
	} __attribute__((packed)) target = {0, selector};

	__asm__ volatile("ljmp *%0" : : "m"(target) : "memory", "cc");
}

static u8 type_of(u32 slot)
{
	return (u8)(gdt[slot] >> 40);
}

static void good_switches(void)
{
	prepare(sizeof(other) - 1, TYPE_TSS);
	expect_none("call-tss", far_call(OTHER));
	check_equal("call-tss-ran", runs, 1);
	check_equal("call-tss-link", seen_link, MAIN);
	check("call-tss-nt", seen_flags & FLAG_NT);
	check("call-tss-ts", seen_cr0 & CR0_TS);
	check_equal("iret-frees-the-callee", type_of(SLOT_OTHER), TYPE_TSS);
	check_equal("iret-leaves-the-caller-busy", type_of(SLOT_TSS), TYPE_BUSY);
	check("nt-clear-again", !(read_flags() & FLAG_NT));
	__asm__ volatile("clts");
	expect_none("call-task-gate", far_call(SELECTOR(SLOT_GATE)));
	check_equal("call-task-gate-ran", runs, 2);
	expect_none("int-task-gate", __asm__ volatile("int %0" : : "i"(VECTOR_GATE) : "memory"));
	check_equal("int-task-gate-ran", runs, 3);
	check_equal("int-task-gate-link", seen_link, MAIN);
	prepare(sizeof(other) - 1, TYPE_TSS);
	expect_none("jmp-tss", far_jump(OTHER));
	check_equal("jmp-tss-ran", runs, 1);
	check("jmp-tss-no-nt", !(seen_flags & FLAG_NT));
	__asm__ volatile("clts");
}

static void set_type(u32 slot, u8 type)
{
	gdt[slot] = (gdt[slot] & ~(0xffull << 40)) | (u64)type << 40;
}

static void bad_tss(const char *name, u32 limit, u8 type, u32 vector)
{
	prepare(limit, type);
	expect_fault(name, vector, OTHER, far_call(OTHER));
}

/*
 * The handler of #TS is a task of its own: the fault hits in the new task, whose segments may not be there to run a
 * handler on. (SDM "Interrupt 10—Invalid TSS Exception (#TS)") The processor has pushed the error code on its stack.
 */
static __attribute__((regparm(1))) void doctor_body(u32 error)
{
	doctor_error = error;
	doctor_link = doctor.link;
	set_type(SLOT_TSS, TYPE_TSS); /* so that the first task can be jumped to, behind its CALL */
	far_jump(MAIN);
}

void doctor_entry(void);
__asm__("doctor_entry:\n\tpop %eax\n\tcall *doctor_target");
void (*doctor_target)(u32 error) __attribute__((regparm(1))) = doctor_body;

/* The new task is entered, and only then found wrong: the fault is its own. */
static void bad_state(const char *name, u32 *field, u32 value, u32 error)
{
	prepare(sizeof(other) - 1, TYPE_TSS);
	*field = value;
	doctor = task_of(doctor_entry, doctor_stack + ARRAY_SIZE(doctor_stack));
	gdt[SLOT_DOCTOR] = descriptor((u32)&doctor, sizeof(doctor) - 1, TYPE_TSS, 0);
	idt_gate(VECTOR_TS, SELECTOR(SLOT_DOCTOR), NULL, 5, 0);
	doctor_error = ~0u;
	CATCH(far_call(OTHER));
	__asm__ volatile("clts");
	check_equal(name, doctor_link << 16 | doctor_error, (u32)OTHER << 16 | error); /* it interrupted the new task */
}

static void bad_switches(void)
{
	bad_tss("tss-not-present", sizeof(other) - 1, TYPE_TSS & 0x7f, VECTOR_NP);
	bad_tss("tss-too-short", sizeof(other) - 2, TYPE_TSS, VECTOR_TS);
	bad_tss("tss-busy", sizeof(other) - 1, TYPE_BUSY, VECTOR_GP);
	bad_tss("tss-is-no-tss", sizeof(other) - 1, 0x80, VECTOR_GP);
	expect_fault("call-own-tss", VECTOR_GP, MAIN, far_call(MAIN));
	bad_state("new-cs-null", &other.cs, 0, 0);
	bad_state("new-cs-data", &other.cs, DATA(0), DATA(0));
	bad_state("new-ss-null", &other.ss, 0, 0);
	bad_state("new-ss-wrong-ring", &other.ss, DATA(3), DATA(3) & 0xfffc);
	bad_state("new-ds-beyond-gdt", &other.ds, 0xfff0, 0xfff0);
	bad_state("new-ldt-is-code", &other.ldt, CODE(0), CODE(0));
}

CHECKS(task_switches)
{
	good_switches();
	bad_switches();
}
