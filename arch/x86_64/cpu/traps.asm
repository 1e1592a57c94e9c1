; The 256 entries behind the IDT, all alike, and the way back from an NMI that a VM exit delivered.
bits 64
default rel

extern trap_dispatch
extern nmi_handle

CR4_SMAP_BIT	equ 21
HOST_DS_SELECTOR equ 0x10

; Vectors for which the processor pushes an error code (SDM vol. 3 "Error Code"; 29 and 30 are AMD's #VC and #SX).
%define PUSHES_ERROR(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || (v) == 21 || (v) == 29 || (v) == 30)

section .text progbits alloc exec nowrite align=16

; Stub n stands at trap_stubs + 16 * n.
global trap_stubs
align 16
trap_stubs:
%assign vector 0
%rep 256
	align 16
%if !PUSHES_ERROR(vector)
	push qword 0
%endif
	push qword vector
	jmp trap_common
%assign vector vector + 1
%endrep

; Builds struct trap_frame (trap.h).
align 16
trap_common:
	push rax
	push rbx
	push rcx
	push rdx
	push rsi
	push rdi
	push rbp
	push r8
	push r9
	push r10
	push r11
	push r12
	push r13
	push r14
	push r15
	cld
	; Interrupted inside a guest copy, RFLAGS.AC is still set. CLAC is #UD where there is no SMAP: ask this core.
	mov rax, cr4
	bt eax, CR4_SMAP_BIT
	jnc .closed
	clac
.closed:
	mov rdi, rsp
	; A stack frame as if the interrupted function had called us, so that a backtrace names it too.
	push qword [rdi + 17 * 8]
	push rbp
	mov rbp, rsp
	call trap_dispatch
	add rsp, 16
	pop r15
	pop r14
	pop r13
	pop r12
	pop r11
	pop r10
	pop r9
	pop r8
	pop rbp
	pop rdi
	pop rsi
	pop rdx
	pop rcx
	pop rbx
	pop rax
	add rsp, 16
	iretq

; void nmi_handle_exit(void): an exit by NMI leaves NMIs blocked until the next IRET (SDM vol. 3 "Handling Multiple
; NMIs"). The handler runs on this stack and not on the NMI's: should a processor not block NMIs here (Bochs), a second
; one cannot overwrite it.
global nmi_handle_exit
nmi_handle_exit:
	push rbp
	mov rbp, rsp
	call nmi_handle
	mov rax, rsp
	push qword HOST_DS_SELECTOR
	push rax
	pushfq
	mov ecx, cs
	push rcx
	lea rcx, [.unblocked]
	push rcx
	iretq
.unblocked:
	pop rbp
	ret
