; drivers/firmware_call.h: calling firmware, and coming back in spite of it.
bits 64
default rel

CALL_FUNCTION	equ 0
CALL_CR3	equ 8
CALL_IDTR	equ 16
CALL_ARGUMENTS	equ 24

; The specification asks for 4 KiB of stack; firmware has been seen to use more.
STACK_SIZE	equ 32768
SHADOW_SPACE	equ 32		; Microsoft's convention: room for the four register arguments
MXCSR_DEFAULT	equ 0x1f80

OUTCOME_FAULTED	equ 1
OUTCOME_LATE	equ 2

section .text

; u32 firmware_call(const struct firmware_call *call): RDI = call.
global firmware_call
firmware_call:
	push rbp
	push rbx
	push r12
	push r13
	push r14
	push r15
	mov [saved_stack], rsp
	sidt [saved_idtr]
	mov rax, cr3
	mov [saved_cr3], rax
	mov rbx, rdi
	mov rax, [rbx + CALL_IDTR]
	lidt [rax]
	mov rax, [rbx + CALL_CR3]
	mov cr3, rax
	lea rsp, [stack_top - SHADOW_SPACE]
	fninit			; the state the specification promises to firmware
	ldmxcsr [mxcsr]
	mov rcx, [rbx + CALL_ARGUMENTS]
	mov rdx, [rbx + CALL_ARGUMENTS + 8]
	mov r8, [rbx + CALL_ARGUMENTS + 16]
	mov r9, [rbx + CALL_ARGUMENTS + 24]
	sti
	call [rbx + CALL_FUNCTION]
	xor eax, eax
	jmp back

global firmware_call_faulted
firmware_call_faulted:
	mov eax, OUTCOME_FAULTED
	jmp back

global firmware_call_late
firmware_call_late:
	mov eax, OUTCOME_LATE

back:
	cli
	cld
	mov rcx, [saved_cr3]
	mov cr3, rcx
	lidt [saved_idtr]
	mov rsp, [saved_stack]
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbx
	pop rbp
	ret

section .rodata
align 4
mxcsr:	dd MXCSR_DEFAULT

section .bss
alignb 16
	resb STACK_SIZE
stack_top:
saved_stack:	resq 1
saved_cr3:	resq 1
saved_idtr:	resb 16
