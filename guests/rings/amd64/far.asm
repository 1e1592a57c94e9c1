; Far transfers of control for the lessons, and what gates lead to, 64-bit. Far pointers are m16:32: AMD has no m16:64,
; and all lies below 4 GiB.
bits 64

VECTOR_RING_RETURN	equ 0x7e

extern gate0_seen, gate1_seen, system_call_seen
global far_call, far_jump, far_ret, far_iret, far_return_target, gate_return_target, ring_home
global gate0_entry, gate1_entry, conforming_entry
global do_sysenter, sysenter_entry, do_syscall, syscall_entry, do_sysexit, do_sysret

%macro save_scratch 0			; what a C function may change; the stack aligned for it
	push	rbp
	mov	rbp, rsp
	push	rax
	push	rcx
	push	rdx
	push	rsi
	push	rdi
	push	r8
	push	r9
	push	r10
	push	r11
	and	rsp, -16
%endmacro

%macro restore_scratch 0
	lea	rsp, [rbp - 9 * 8]
	pop	r11
	pop	r10
	pop	r9
	pop	r8
	pop	rdi
	pop	rsi
	pop	rdx
	pop	rcx
	pop	rax
	pop	rbp
%endmacro

section .text
; void far_call(u16 selector, const void *offset)
far_call:
	sub	rsp, 8
	mov	[rsp], esi
	mov	[rsp + 4], edi
	call	far dword [rsp]
	add	rsp, 8
	ret

; void far_jump(u16 selector, const void *offset)
far_jump:
	sub	rsp, 8
	mov	[rsp], esi
	mov	[rsp + 4], edi
	jmp	far dword [rsp]

; void far_ret(const struct far_frame *frame)
far_ret:
	push	qword [rdi + 32]
	push	qword [rdi + 24]
	push	qword [rdi + 8]
	push	qword [rdi]
	retfq

; void far_iret(const struct far_frame *frame)
far_iret:
	push	qword [rdi + 32]
	push	qword [rdi + 24]
	push	qword [rdi + 16]
	push	qword [rdi + 8]
	push	qword [rdi]
	iretq

far_return_target:			; entered by CALL with an operand of 32 bits: so is the frame
	retf

gate_return_target:			; entered by a 64-bit call gate: the frame has 64 bits
	retfq

ring_home:
	int	VECTOR_RING_RETURN

gate0_entry:
	save_scratch
	call	gate0_seen
	restore_scratch
	retfq

gate1_entry:
	save_scratch
	call	gate1_seen
	restore_scratch
	retfq

conforming_entry:
	save_scratch
	call	gate0_seen
	restore_scratch
	retf

do_sysenter:
	mov	rcx, rsp		; where SYSEXIT is to return to: both are up to the caller
	mov	edx, .back
	sysenter
.back:
	ret

sysenter_entry:
	push	rdx
	push	rcx
	call	system_call_seen
	pop	rcx
	pop	rdx
	o64 sysexit

do_syscall:
	syscall
	ret

syscall_entry:				; on the caller's stack, for SYSCALL leaves it
	save_scratch
	call	system_call_seen
	restore_scratch
	o64 sysret

do_sysexit:
	o64 sysexit

do_sysret:
	o64 sysret

section .note.GNU-stack noalloc noexec nowrite progbits
