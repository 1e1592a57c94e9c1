/*
 * Everything a guest of ours needs, in one include. A guest is a freestanding kernel for one core without an operating
 * system: it defines guest_main() and is entered with interrupts off, all exceptions caught, and a console that works.
 *
 * A 32-bit guest (multiboot 1) runs in protected mode without paging. A 64-bit guest (PVH, or multiboot 2 under GRUB)
 * runs in long mode, the lowest 4 GiB mapped one to one, writable, executable and open to ring 3 (its lessons need
 * that). The same file runs natively (QEMU's -kernel, GRUB) and under any engine; nothing here needs Trivisor.
 */
#ifndef GUESTS_LIB_GUEST_H
#define GUESTS_LIB_GUEST_H

#include "guests/lib/insn.h"
#include "vmm/hypercall_abi.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n)	      (1ull << (n))
#define UNUSED	      __attribute__((unused))
#define ALIGNED(n)    __attribute__((aligned(n)))
#define NORETURN      __attribute__((noreturn))
#define NOINLINE      __attribute__((noinline))

/* The guest itself. What it returns is its exit code, 0 for success. */
int guest_main(void);

/* ---- what the loader told us (boot.c) ---- */

#define BOOT_MODULES 16
#define BOOT_RANGES  64
#define RANGE_RAM    1 /* type of usable memory, in multiboot's and PVH's numbering alike */

struct boot_module {
	const char *arguments;
	const u8 *start;
	word size;
};

struct boot_range {
	u64 base, size;
	u32 type;
};

struct boot {
	const char *protocol; /* "multiboot", "multiboot2" or "PVH" */
	const char *command_line;
	const void *rsdp; /* ACPI's, when the loader told; else NULL */
	u32 module_count, range_count;
	struct boot_module module[BOOT_MODULES];
	struct boot_range range[BOOT_RANGES];
};

extern struct boot boot;

/* Bytes of usable RAM, and the first address above the highest of it. */
u64 boot_ram_size(void);
u64 boot_ram_end(void);

/* `name=value` on the command line: the value as text copied to `buffer` (false: not given), or as a number. */
bool option_text(const char *name, char *buffer, size_t size);
u64 option_number(const char *name, u64 otherwise);

/* ---- console (console.c, printf.c) ---- */

void put_char(char c);
void put_bytes(const void *bytes, size_t size); /* as they are, no newline made into anything */

/* %s %c %d %i %u %x %p %%, flags - and 0, a width, lengths l, ll and z. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* COM1, polled. Reading waits; -1 when there is no UART. */
bool com1_there(void);
int com1_read(void);
void com1_write(char c);

/* ---- hypervisor (hypervisor.c, time.c) ---- */

/* The signature of CPUID leaf 0x40000000, or "" without a hypervisor; and whether it is Trivisor's. */
const char *hypervisor_signature(void);
bool on_trivisor(void);

/* A hypercall as vmm/hypercall_abi.h says. Only on_trivisor(): elsewhere the instruction may be undefined. */
long hypercall(word number, word a, word b, word c, word d);
u64 hypercall_time(void);
/* Under Trivisor the other VMs of the core run meanwhile, then a slice of ours begins; elsewhere nothing happens. */
void let_others_run(void);
bool uses_vmmcall(void); /* VMMCALL rather than VMCALL on this processor */

/* Nanoseconds since start: by hypercall, else by the TSC measured against the PIT; time_source() says which. */
u64 time_ns(void);
const char *time_source(void);

/* End the machine: by hypercall, QEMU's isa-debug-exit, or Bochs's shutdown port; else halt for good. */
void guest_exit(int code) NORETURN;

/* ---- strings (string.c) ---- */

void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strncmp(const char *a, const char *b, size_t size);

/* ---- segments (segments.c, i386/segments.c, amd64/segments.c) ---- */

/*
 * Code and data segments, flat, for each ring; requested privilege level as the ring. The GDT is writable and has room.
 */
#define CODE(ring)	(u16)((8 + 16 * (ring)) | (ring))
#define DATA(ring)	(u16)((16 + 16 * (ring)) | (ring))
#define SLOT_TSS	9  /* two slots in long mode */
#define SLOT_FREE	11 /* first slot of the GDT that the library leaves to the guest */
#define GDT_SLOTS	64
#define SELECTOR(slot)	(u16)((slot) * 8)

extern u64 gdt[GDT_SLOTS];
extern u8 idt[], tss[]; /* tss has room for an I/O bitmap behind it; see tss_io_bitmap() */
extern struct table_pointer gdt_pointer, idt_pointer;

/*
 * A segment descriptor; `limit` in the units that `flags` says. access and flags: SDM "Segment Descriptors", bits
 * 47:40, 55:52.
 */
u64 descriptor(u32 base, u32 limit, u8 access, u8 flags);

/* An IDT gate. type: GATE_INTERRUPT or GATE_TRAP. */
#define GATE_INTERRUPT 14
#define GATE_TRAP      15
void idt_gate(u8 vector, u16 selector, const void *target, u8 type, u8 dpl);
/* A call gate in the GDT (two slots in long mode). `count`: parameters copied from stack to stack, 32-bit only. */
void call_gate(u32 slot, u16 selector, const void *target, u8 count, u8 dpl);
/* The stack for entries to `ring` (0 to 2) from an outer ring. */
void tss_stack(int ring, word top);

/*
 * The I/O permission bitmap of ports 0 to 65535, part of the TSS from now on (all ports closed), or NULL: none any
 * more.
 */
#define TSS_SIZE   104
#define IO_BITMAP  8192
u8 *tss_io_bitmap(bool wanted);

/* The library's GDT, IDT and TSS as at the start; undoes what a lesson did to them. */
void segments_init(void);
void traps_init(void);

/* ---- traps (traps.c, traps.asm) ---- */

enum vector {
	VECTOR_DE = 0,
	VECTOR_DB = 1,
	VECTOR_NMI = 2,
	VECTOR_BP = 3,
	VECTOR_OF = 4,
	VECTOR_BR = 5,
	VECTOR_UD = 6,
	VECTOR_NM = 7,
	VECTOR_DF = 8,
	VECTOR_TS = 10,
	VECTOR_NP = 11,
	VECTOR_SS = 12,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	VECTOR_MF = 16,
	VECTOR_AC = 17,
	VECTOR_MC = 18,
	VECTOR_XM = 19,
	VECTOR_CP = 21,
};

/* What a trap stub saved, lowest address first. */
struct trap_frame {
#ifdef __x86_64__
	u64 r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, bx, dx, cx, ax;
	u64 vector, error, ip, cs, flags, sp, ss; /* sp, ss: always pushed in long mode */
#else
	u32 gs, fs, es, ds, di, si, bp, unused, bx, dx, cx, ax;
	u32 vector, error, ip, cs, flags, sp, ss; /* sp, ss: pushed only when coming from another ring */
#endif
};

/* The library's entry for each vector, for gates of one's own to go through trap handlers. */
extern word trap_stubs[256];

/* A handler for a vector; true: handled, the frame (as changed) is returned to. NULL takes the handler away. */
typedef bool (*trap_handler)(struct trap_frame *frame);
void trap_handle(u8 vector, trap_handler handler);

/* "#GP" for 13, and so on; "interrupt" above 31. */
const char *vector_name(u32 vector);

struct fault {
	bool taken;
	u32 vector, error; /* error: 0 where the exception pushes none */
	word ip, address;  /* address: CR2, for a page fault */
	u16 cs;
};

extern struct fault fault; /* the last one caught */

/*
 * Catching faults works like setjmp: fault_catch() returns 0; when an exception then hits, in any ring and with any
 * stack, it returns once more, with 1, in ring 0 with the flat segments, and `fault` says what it was.
 * fault_end() ends the catching. Use expect_fault() or CAUGHT() rather than these.
 */
int fault_catch(void) __attribute__((returns_twice));
void fault_end(void);

/* Run the statements; afterwards fault.taken says whether one of them faulted, and how. */
#define CATCH(...)                     \
	do {                           \
		if (!fault_catch()) {  \
			__VA_ARGS__;   \
		}                      \
		fault_end();           \
	} while (0)

/*
 * Call function(argument) in a ring, on a stack of its own and with `flags` as RFLAGS; its result comes back through a
 * gate (VECTOR_RING_RETURN) that is there for this. A fault there is caught like any other.
 */
#define VECTOR_RING_RETURN 0x7e
word run_in_ring(int ring, word (*function)(word), word argument, word flags);
/* The same within CATCH; whether it faulted, and the result if it did not. */
bool faults_in_ring(int ring, word (*function)(word), word argument, word flags, word *result);

/*
 * For a guest built for both widths: the 32-bit half ends by loading the 64-bit one, that is inside it, and starting it
 * as a PVH loader would. Paging must be off. Does not return.
 */
void second_half(void) NORETURN;

/* ---- the PC's interrupt controllers and timer (timer.c) ---- */

#define VECTOR_IRQ0 0x20
#define PIT_HZ	    1193182u

bool timer_there(void);	      /* whether there are a PIC and a PIT */
void pic_init(void);	      /* vectors VECTOR_IRQ0 and up, all masked */
void pic_mask(u16 mask);      /* a bit for each interrupt request line; 1: masked */
void pic_eoi(u8 irq);
void pit_one_shot(u16 count); /* channel 0: IRQ 0 once, after count / PIT_HZ seconds */
/* Both, with a handler that takes the one interrupt and masks it again: something to wake up by. */
void alarm(u16 count);
extern volatile bool alarm_rang;

/* ---- ports (ports.c) ---- */

/* An access of up to four bytes from here would end or reset the machine, or print. */
bool port_ends_or_prints(u32 port);

/* ---- the local APIC, at its architectural address, not in x2APIC mode (apic.c) ---- */

#define APIC_ID	     0x20
#define APIC_VERSION 0x30
#define APIC_TPR     0x80
#define APIC_PPR     0xa0
#define APIC_EOI     0xb0
#define APIC_SVR     0xf0
#define APIC_ISR     0x100
#define APIC_IRR     0x200
#define APIC_ICR     0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0
#define ICR_SELF     0x40000u /* destination shorthand */
#define ICR_NMI	     0x400u   /* delivery mode */

bool apic_there(void);
bool ioapic_there(void); /* in the ACPI tables (acpi.c): touching an address to find out might be the end */
void x2apic_enable(void); /* x2APIC mode, software enabled; for good. By CPUID it must be there */
void x2apic_timer_deadline(u8 vector, bool masked);
void apic_enable(void); /* by its software enable bit */
u32 apic_read(u32 offset);
void apic_write(u32 offset, u32 value);
/* Whether the bit of a vector is set in APIC_ISR or APIC_IRR. */
bool apic_bit(u32 registers, u8 vector);

/* ---- the test kit (kit.c) ---- */

/*
 * One line a check: "pass name" or "FAIL name: file:line: why". The name identifies it in lists of known differences.
 */
#define check(name, condition)	      check_report(name, condition, __FILE__, __LINE__, #condition)
#define check_equal(name, is, should) check_value(name, (u64)(is), (u64)(should), __FILE__, __LINE__)

/* Run the statements and demand this exception with this error code. */
#define expect_fault(name, vector, error, ...)                          \
	do {                                                            \
		CATCH(__VA_ARGS__);                                     \
		check_fault(name, vector, error, __FILE__, __LINE__);   \
	} while (0)
/* ... or demand that they run through. */
#define expect_none(name, ...)                                    \
	do {                                                      \
		CATCH(__VA_ARGS__);                               \
		check_no_fault(name, __FILE__, __LINE__);         \
	} while (0)
/* A check that this machine cannot make, and why: counted neither way. */
void check_skip(const char *name, const char *why);

void check_report(const char *name, bool ok, const char *file, int line, const char *text);
void check_value(const char *name, u64 is, u64 should, const char *file, int line);
void check_fault(const char *name, u32 vector, u32 error, const char *file, int line);
void check_no_fault(const char *name, const char *file, int line);

/* Prints "N passed, N failed"; returns the exit code: 0 when none failed, else 1. */
int check_summary(void);

/*
 * A group of checks: CHECKS(name) { ... }. A guest without a guest_main() of its own runs all groups that are linked
 * into it, each on a machine put back to its start, and ends with the summary.
 */
struct check_group {
	const char *name;
	void (*run)(void);
};

#define CHECKS(group)                                                                                               \
	static void group(void);                                                                                    \
	static const struct check_group group##_group __attribute__((used, section(".checks"))) = {#group, group}; \
	static void group(void)

#endif
