; Trap stubs, catching of faults, and the way to an outer ring and back, for 32-bit guests.
bits 32

DATA0			equ 0x10
VECTOR_RING_RETURN	equ 0x7e

extern trap_dispatch, tss, fault
global trap_stubs, fault_catch, fault_resume, fault_saved_sp, run_in_ring, ring_return

section .text
%macro stub 1
stub_%1:
%if %1 != 8 && (%1 < 10 || %1 > 14) && %1 != 17 && %1 != 21
	push	dword 0			; no error code: keep the frame's shape
%endif
	push	dword %1
	jmp	trap_common
%endmacro
%assign i 0
%rep 256
	stub	i
%assign i i + 1
%endrep

trap_common:
	pushad
	push	ds
	push	es
	push	fs
	push	gs
	mov	eax, DATA0
	mov	ds, ax
	mov	es, ax
	cld
	push	esp
	call	trap_dispatch
	add	esp, 4
	pop	gs
	pop	fs
	pop	es
	pop	ds
	popad
	add	esp, 8
	iretd

; int fault_catch(void): keeps what a C function must find again. The return address is kept too, since the caller's
; stack below it changes until the fault.
fault_catch:
	mov	eax, [esp]
	mov	[saved_ip], eax
	lea	eax, [esp + 4]
	mov	[fault_saved_sp], eax
	mov	[saved_bx], ebx
	mov	[saved_bp], ebp
	mov	[saved_si], esi
	mov	[saved_di], edi
	pushfd
	pop	dword [saved_flags]
	mov	byte [fault], 0
	xor	eax, eax
	ret

; Left by IRET, so that NMIs are open again after one was caught.
fault_resume:
	mov	eax, DATA0
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	gs, ax
	mov	ss, ax
	mov	esp, [fault_saved_sp]
	mov	ebx, [saved_bx]
	mov	ebp, [saved_bp]
	mov	esi, [saved_si]
	mov	edi, [saved_di]
	mov	eax, 1
	push	dword [saved_flags]
	push	dword 8
	push	dword [saved_ip]
	iretd

; word run_in_ring(int ring, word (*function)(word), word argument, word flags)
run_in_ring:
	push	ebp
	mov	ebp, esp
	push	ebx
	push	esi
	push	edi
	mov	eax, [ebp + 8]
	mov	ecx, [ebp + 16]
	mov	[ring_stack_top - 4], ecx
	mov	dword [ring_stack_top - 8], .home
	mov	[home_sp], esp
	mov	[tss + 4], esp		; ring 0's stack: what lies above is kept
	mov	dword [tss + 8], DATA0
	test	eax, eax
	jz	.inner
	mov	ecx, eax		; selectors: DATA(ring), CODE(ring)
	shl	ecx, 4
	or	ecx, eax
	add	ecx, 16
	push	ecx
	push	dword ring_stack_top - 8
	push	dword [ebp + 20]
	lea	edx, [ecx - 8]
	push	edx
	push	dword [ebp + 12]
	mov	ds, cx
	mov	es, cx
	mov	fs, cx
	mov	gs, cx
	iretd
.inner:					; IRET to the same ring takes no stack: change it first
	mov	esp, ring_stack_top - 8
	push	dword [ebp + 20]
	push	dword 8
	push	dword [ebp + 12]
	iretd
.home:
	int	VECTOR_RING_RETURN	; in the outer ring; the result is in EAX

ring_return:
	mov	ecx, DATA0
	mov	ds, cx
	mov	es, cx
	mov	fs, cx
	mov	gs, cx
	mov	esp, [home_sp]
	push	dword 2
	popfd
	pop	edi
	pop	esi
	pop	ebx
	pop	ebp
	ret

section .rodata
trap_stubs:
%assign i 0
%rep 256
	dd	stub_ %+ i
%assign i i + 1
%endrep

section .bss
align 16
fault_saved_sp:	resd 1
saved_ip:	resd 1
saved_bx:	resd 1
saved_bp:	resd 1
saved_si:	resd 1
saved_di:	resd 1
saved_flags:	resd 1
home_sp:	resd 1
	resb	8192
ring_stack_top:

section .note.GNU-stack noalloc noexec nowrite progbits
