#include "tests/unit/native_insn.h"

#include <asm/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The place is page aligned, at addresses that fit 31 bits, so that all of addressing can be tried. */
#define PLACE 0x20000000ull

struct native_state native_now;
u64 native_caller_stack;
void *native_code;
extern char native_back[];
void native_enter(void);

/* clang-format off */
__asm__(
"native_enter:\n"
"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
"	mov %rsp, native_caller_stack(%rip)\n"
"	pushq native_now+128(%rip); popfq\n"
"	mov native_now+0(%rip), %rax; mov native_now+8(%rip), %rcx; mov native_now+16(%rip), %rdx\n"
"	mov native_now+24(%rip), %rbx; mov native_now+32(%rip), %rsp; mov native_now+40(%rip), %rbp\n"
"	mov native_now+48(%rip), %rsi; mov native_now+56(%rip), %rdi; mov native_now+64(%rip), %r8\n"
"	mov native_now+72(%rip), %r9; mov native_now+80(%rip), %r10; mov native_now+88(%rip), %r11\n"
"	mov native_now+96(%rip), %r12; mov native_now+104(%rip), %r13; mov native_now+112(%rip), %r14\n"
"	mov native_now+120(%rip), %r15\n"
"	jmp *native_code(%rip)\n"
"native_back:\n"
"	mov %rax, native_now+0(%rip); mov %rcx, native_now+8(%rip); mov %rdx, native_now+16(%rip)\n"
"	mov %rbx, native_now+24(%rip); mov %rsp, native_now+32(%rip); mov %rbp, native_now+40(%rip)\n"
"	mov %rsi, native_now+48(%rip); mov %rdi, native_now+56(%rip); mov %r8, native_now+64(%rip)\n"
"	mov %r9, native_now+72(%rip); mov %r10, native_now+80(%rip); mov %r11, native_now+88(%rip)\n"
"	mov %r12, native_now+96(%rip); mov %r13, native_now+104(%rip); mov %r14, native_now+112(%rip)\n"
"	mov %r15, native_now+120(%rip)\n"
"	mov native_caller_stack(%rip), %rsp\n"
"	pushfq; popq native_now+128(%rip)\n"
"	cld\n"
"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
"	ret\n"
);
/* clang-format on */

u64 native_place(void)
{
	return PLACE;
}

void native_set_gs(u64 base)
{
	if (syscall(SYS_arch_prctl, ARCH_SET_GS, base))
		abort();
}

/* Behind the instruction stands JMP *0(%rip) and the address to come back to. */
void native_run(struct native_state *state, const u8 *bytes, u32 length)
{
	static const u8 jump[] = {0xff, 0x25, 0, 0, 0, 0};
	char *back = native_back;

	if (!native_code) {
		native_code = mmap((void *)PLACE, PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (native_code != (void *)PLACE)
			abort();
	}
	memcpy(native_code, bytes, length);
	memcpy((u8 *)native_code + length, jump, sizeof(jump));
	memcpy((u8 *)native_code + length + sizeof(jump), &back, sizeof(back));
	native_now = *state;
	native_enter();
	*state = native_now;
}
