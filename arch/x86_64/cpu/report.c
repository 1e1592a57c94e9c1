/* What is said about a fault of the hypervisor: registers, then (by panic) the callers. */
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/cpu/safe.h"
#include "arch/x86_64/cpu/symbols.h"
#include "arch/x86_64/cpu/trap.h"
#include "core/layout.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"

#define MAX_FRAMES 32u

static const char *const vector_names[32] = {
	[VECTOR_DE] = "#DE divide error",
	[VECTOR_DB] = "#DB debug",
	[VECTOR_NMI] = "NMI",
	[VECTOR_BP] = "#BP breakpoint",
	[VECTOR_OF] = "#OF overflow",
	[VECTOR_BR] = "#BR bound range",
	[VECTOR_UD] = "#UD invalid opcode",
	[VECTOR_NM] = "#NM no math coprocessor",
	[VECTOR_DF] = "#DF double fault",
	[VECTOR_TS] = "#TS invalid TSS",
	[VECTOR_NP] = "#NP segment not present",
	[VECTOR_SS] = "#SS stack fault",
	[VECTOR_GP] = "#GP general protection",
	[VECTOR_PF] = "#PF page fault",
	[VECTOR_MF] = "#MF x87 error",
	[VECTOR_AC] = "#AC alignment check",
	[VECTOR_MC] = "#MC machine check",
	[VECTOR_XM] = "#XM SIMD error",
	[VECTOR_VE] = "#VE virtualization",
	[VECTOR_CP] = "#CP control protection",
};

static const char *vector_name(u64 vector)
{
	return vector < ARRAY_SIZE(vector_names) && vector_names[vector] ? vector_names[vector] : "unknown trap";
}

static void log_place(u32 number, u64 address)
{
	u64 offset;
	const char *name = symbol_lookup(&kernel_symbols, address, &offset);

	if (name)
		log_line("  #%-2u %016llx %s+0x%llx", number, (unsigned long long)address, name,
			 (unsigned long long)offset);
	else
		log_line("  #%-2u %016llx", number, (unsigned long long)address);
}

void backtrace_log(void)
{
	u64 frame = (u64)__builtin_frame_address(0);

	log_line("backtrace:");
	for (u32 i = 0; i < MAX_FRAMES && frame != 0; i++) {
		u64 address, next;

		/* A broken chain ends the walk, not the machine's last words. */
		if (!peek(frame + 8, &address) || !peek(frame, &next) || address == 0)
			break;
		log_place(i, address);
		frame = next;
	}
}

static void log_page_fault(const struct trap_frame *f)
{
	const char *access = f->error & PF_FETCH ? "fetch from" : f->error & PF_WRITE ? "write to" : "read from";

	log_line("  %s address %016llx: %s%s%s", access, (unsigned long long)read_cr2(),
		 f->error & PF_PRESENT ? "not allowed" : "nothing mapped there",
		 f->error & PF_USER ? ", user mode" : "", f->error & PF_RSVD ? ", reserved bit in the tables" : "");
}

/* The usual cause: a push met the page below a stack, and so did the push of that fault's frame. */
static void log_double_fault(void)
{
	u64 address = read_cr2();
	bool on_stacks = address >= STACK_BASE && address < STACK_BASE + SLOT_SIZE;

	log_line("  last page fault at %016llx%s", (unsigned long long)address,
		 on_stacks ? ": the stack has overflowed" : "");
}

#define ROW(a, b, c, d) \
	log_line("  %-4s %016llx  %-4s %016llx  %-4s %016llx  %-4s %016llx", #a, (unsigned long long)f->a, #b, \
		 (unsigned long long)f->b, #c, (unsigned long long)f->c, #d, (unsigned long long)f->d)

static void log_registers(const struct trap_frame *f)
{
	ROW(rax, rbx, rcx, rdx);
	ROW(rsi, rdi, rbp, rsp);
	ROW(r8, r9, r10, r11);
	ROW(r12, r13, r14, r15);
	log_line("  cs %llx ss %llx rflags %llx cr0 %llx cr3 %llx cr4 %llx", (unsigned long long)f->cs,
		 (unsigned long long)f->ss, (unsigned long long)f->rflags, (unsigned long long)read_cr0(),
		 (unsigned long long)read_cr3(), (unsigned long long)read_cr4());
}

void trap_fatal(const struct trap_frame *f)
{
	u64 offset = 0;
	const char *name = symbol_lookup(&kernel_symbols, f->rip, &offset);

	log_emergency();
	log_line("core %u: %s, error code %llx, at %016llx", this_core()->index, vector_name(f->vector),
		 (unsigned long long)f->error, (unsigned long long)f->rip);
	if (f->vector == VECTOR_PF)
		log_page_fault(f);
	if (f->vector == VECTOR_DF)
		log_double_fault();
	log_registers(f);
	panic("%s in %s+0x%llx", vector_name(f->vector), name ? name : "unknown code", (unsigned long long)offset);
}
