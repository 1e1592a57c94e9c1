; Where a core enters the hypervisor: the boot core from the loader, the others from the trampoline. Both get a stack
; and go to C.
bits 64
default rel

extern kernel_main
extern smp_core_main

BOOT_STACK_SIZE equ 16384

section .text.entry progbits alloc exec nowrite align=16

; The loader's call: RDI = physical address of struct boot_info, state as in boot/boot_info.h.
global kernel_entry
kernel_entry:
	cli
	cld
	lea rsp, [boot_stack_top]
	push qword 2		; RFLAGS: nothing on, AC in particular
	popfq
	xor ebp, ebp		; ends every backtrace
	push rbp
	push rbp
	call kernel_main
.stop:
	hlt
	jmp .stop

; From the trampoline, still on its page tables, which share our upper half: RSP = this core's stack, RDI = its index,
; RSI = CR3.
global smp_entry
smp_entry:
	mov cr3, rsi
	push qword 2
	popfq
	xor ebp, ebp
	push rbp
	push rbp
	call smp_core_main
.stop:
	hlt
	jmp .stop

; void cpu_run_on(void *stack_top, void (*main)(void)): leave this stack for good.
global cpu_run_on
cpu_run_on:
	mov rsp, rdi
	xor ebp, ebp
	push rbp
	push rbp
	call rsi
.stop:
	hlt
	jmp .stop

section .bss
alignb 4096
boot_stack:
	resb BOOT_STACK_SIZE
boot_stack_top:
