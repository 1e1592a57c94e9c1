; Trap stubs, catching of faults, and the way to an outer ring and back, for 64-bit guests.
bits 64
default abs

DATA0			equ 0x10
VECTOR_RING_RETURN	equ 0x7e

extern trap_dispatch, tss, fault
global trap_stubs, fault_catch, fault_resume, fault_saved_sp, run_in_ring, ring_return

section .text
%macro stub 1
stub_%1:
%if %1 != 8 && (%1 < 10 || %1 > 14) && %1 != 17 && %1 != 21
	push	0			; no error code: keep the frame's shape
%endif
	push	%1
	jmp	trap_common
%endmacro
%assign i 0
%rep 256
	stub	i
%assign i i + 1
%endrep

%macro for_all_registers 1
	%1	rax
	%1	rcx
	%1	rdx
	%1	rbx
	%1	rbp
	%1	rsi
	%1	rdi
	%1	r8
	%1	r9
	%1	r10
	%1	r11
	%1	r12
	%1	r13
	%1	r14
	%1	r15
%endmacro

trap_common:
	for_all_registers push
	cld
	mov	rdi, rsp
	mov	rbp, rsp
	and	rsp, -16
	call	trap_dispatch
	mov	rsp, rbp
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	r11
	pop	r10
	pop	r9
	pop	r8
	pop	rdi
	pop	rsi
	pop	rbp
	pop	rbx
	pop	rdx
	pop	rcx
	pop	rax
	add	rsp, 16
	iretq

; int fault_catch(void): keeps what a C function must find again. The return address is kept too, since the caller's
; stack below it changes until the fault.
fault_catch:
	mov	rax, [rsp]
	mov	[saved_ip], rax
	lea	rax, [rsp + 8]
	mov	[fault_saved_sp], rax
	mov	[saved_bx], rbx
	mov	[saved_bp], rbp
	mov	[saved_r12], r12
	mov	[saved_r13], r13
	mov	[saved_r14], r14
	mov	[saved_r15], r15
	pushfq
	pop	qword [saved_flags]
	mov	byte [fault], 0
	xor	eax, eax
	ret

; Left by IRET, so that NMIs are open again after one was caught.
fault_resume:
	mov	eax, DATA0
	mov	ds, ax
	mov	es, ax
	mov	ss, ax
	mov	rsp, [fault_saved_sp]
	mov	rbx, [saved_bx]
	mov	rbp, [saved_bp]
	mov	r12, [saved_r12]
	mov	r13, [saved_r13]
	mov	r14, [saved_r14]
	mov	r15, [saved_r15]
	mov	rax, rsp
	push	DATA0
	push	rax
	push	qword [saved_flags]
	push	8
	push	qword [saved_ip]
	mov	eax, 1
	iretq

; word run_in_ring(int ring, word (*function)(word), word argument, word flags)
run_in_ring:
	push	rbp
	push	rbx
	push	r12
	push	r13
	push	r14
	push	r15
	mov	qword [ring_stack_top - 8], .home
	mov	[home_sp], rsp
	mov	[tss + 4], rsp		; ring 0's stack: what lies above is kept
	mov	eax, edi		; selectors: DATA(ring), CODE(ring)
	shl	eax, 4
	or	eax, edi
	add	eax, 16
	push	rax
	push	ring_stack_top - 8
	push	rcx
	sub	eax, 8
	push	rax
	push	rsi
	mov	rdi, rdx
	iretq
.home:
	int	VECTOR_RING_RETURN	; in the outer ring; the result is in RAX

ring_return:
	mov	ecx, DATA0
	mov	ds, cx
	mov	es, cx
	mov	ss, cx
	mov	rsp, [home_sp]
	push	2
	popfq
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbx
	pop	rbp
	ret

section .rodata
trap_stubs:
%assign i 0
%rep 256
	dq	stub_ %+ i
%assign i i + 1
%endrep

section .bss
align 16
fault_saved_sp:	resq 1
saved_ip:	resq 1
saved_bx:	resq 1
saved_bp:	resq 1
saved_r12:	resq 1
saved_r13:	resq 1
saved_r14:	resq 1
saved_r15:	resq 1
saved_flags:	resq 1
home_sp:	resq 1
	resb	8192
ring_stack_top:

section .note.GNU-stack noalloc noexec nowrite progbits
