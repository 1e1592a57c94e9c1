/*
 * SYSENTER/SYSEXIT and SYSCALL/SYSRET: ring 3 to ring 0 and back without a gate, a table or a check. They take no stack
 * from the TSS and their segments' descriptors are not even read. (SDM "Performing Fast Calls to System Procedures
 * ...")
 */
#include "guests/rings/rings.h"

#define SLOT_SYSTEM	 SLOT_FREE /* in the order that both pairs of instructions reckon with, see prepare() */
#define MSR_SYSENTER_CS	 0x174u
#define MSR_SYSENTER_ESP 0x175u
#define MSR_SYSENTER_EIP 0x176u
#define MSR_EFER	 0xc0000080u
#define MSR_STAR	 0xc0000081u
#define MSR_LSTAR	 0xc0000082u
#define MSR_FMASK	 0xc0000084u
#define EFER_SCE	 BIT(0)

static struct view before, inside, after;
static u8 stack[2048] ALIGNED(16);

void system_call_seen(void)
{
	look(&inside);
}

static word call_sysenter(word unused UNUSED)
{
	look(&before);
	do_sysenter();
	look(&after);
	return 0;
}

static word call_syscall(word unused UNUSED)
{
	look(&before);
	do_syscall();
	look(&after);
	return 0;
}

static void prepare(void)
{
	u8 wide = sizeof(word) == 8 ? 0xa : 0xc;

	gdt[SLOT_SYSTEM] = descriptor(0, 0xfffff, 0x9a, wide); /* ring 0 code, then its stack */
	gdt[SLOT_SYSTEM + 1] = descriptor(0, 0xfffff, 0x92, 0xc);
	gdt[SLOT_SYSTEM + 2] = descriptor(0, 0xfffff, 0xfa, 0xc); /* ring 3: 32-bit code, stack, 64-bit code, stack */
	gdt[SLOT_SYSTEM + 3] = descriptor(0, 0xfffff, 0xf2, 0xc);
	gdt[SLOT_SYSTEM + 4] = descriptor(0, 0xfffff, 0xfa, 0xa);
	gdt[SLOT_SYSTEM + 5] = descriptor(0, 0xfffff, 0xf2, 0xc);
}

static void print_views(void)
{
	if (fault.taken)
		return;
	print_view("before, in ring 3", &before);
	print_view("inside, in ring 0", &inside);
	print_view("after, in ring 3", &after);
}

void lesson_sysenter(void)
{
	prepare();
	wrmsr(MSR_SYSENTER_CS, 0);
	attempt("SYSENTER with IA32_SYSENTER_CS = 0", 3, call_sysenter, 0);
	wrmsr(MSR_SYSENTER_CS, SELECTOR(SLOT_SYSTEM));
	wrmsr(MSR_SYSENTER_ESP, (word)(stack + sizeof(stack)));
	wrmsr(MSR_SYSENTER_EIP, (word)sysenter_entry);
	attempt("SYSENTER", 3, call_sysenter, 0);
	print_views();
	attempt("SYSEXIT from ring 3", 3, do_sysexit, 0);
}

void lesson_syscall(void)
{
	prepare();
	attempt("SYSCALL with EFER.SCE = 0", 3, call_syscall, 0);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
	wrmsr(MSR_STAR,
	      (u64)(SELECTOR(SLOT_SYSTEM + 2) | 3) << 48 | (u64)SELECTOR(SLOT_SYSTEM) << 32 | (word)syscall_entry);
	wrmsr(MSR_LSTAR, (word)syscall_entry);
	wrmsr(MSR_FMASK, FLAG_IF);
	attempt("SYSCALL (Intel: in 64-bit mode only)", 3, call_syscall, 0);
	print_views();
	attempt("SYSRET from ring 3", 3, do_sysret, 0);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SCE);
}
