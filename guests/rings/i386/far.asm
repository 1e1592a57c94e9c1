; Far transfers of control for the lessons, and what gates lead to, 32-bit.
bits 32

VECTOR_RING_RETURN	equ 0x7e

extern gate0_seen, gate1_seen, parameter_seen, system_call_seen
global far_call, far_jump, far_ret, far_iret, far_return_target, gate_return_target, ring_home
global gate0_entry, gate1_entry, conforming_entry, parameter_entry
global do_sysenter, sysenter_entry, do_syscall, syscall_entry, do_sysexit, do_sysret

section .text
; void far_call(u16 selector, const void *offset)
far_call:
	push	dword [esp + 4]
	push	dword [esp + 12]
	call	far [esp]
	add	esp, 8
	ret

; void far_jump(u16 selector, const void *offset)
far_jump:
	push	dword [esp + 4]
	push	dword [esp + 12]
	jmp	far [esp]

; void far_ret(const struct far_frame *frame)
far_ret:
	mov	eax, [esp + 4]
	push	dword [eax + 16]
	push	dword [eax + 12]
	push	dword [eax + 4]
	push	dword [eax]
	retf

; void far_iret(const struct far_frame *frame)
far_iret:
	mov	eax, [esp + 4]
	push	dword [eax + 16]
	push	dword [eax + 12]
	push	dword [eax + 8]
	push	dword [eax + 4]
	push	dword [eax]
	iretd

far_return_target:
gate_return_target:
	retf

ring_home:
	int	VECTOR_RING_RETURN

gate0_entry:
conforming_entry:
	pushad
	call	gate0_seen
	popad
	retf

gate1_entry:
	pushad
	call	gate1_seen
	popad
	retf

parameter_entry:
	pushad
	lea	eax, [esp + 32]
	push	eax
	call	parameter_seen
	add	esp, 4
	popad
	retf	4			; one parameter, taken off this stack and off the caller's

do_sysenter:
	mov	ecx, esp		; where SYSEXIT is to return to: both are up to the caller
	mov	edx, .back
	sysenter
.back:
	ret

sysenter_entry:
	push	edx
	push	ecx
	call	system_call_seen
	pop	ecx
	pop	edx
	sysexit

do_syscall:
	syscall
	ret

syscall_entry:				; on the caller's stack, for SYSCALL leaves it
	pushad
	call	system_call_seen
	popad
	sysret

do_sysexit:
	sysexit

do_sysret:
	sysret

section .note.GNU-stack noalloc noexec nowrite progbits
