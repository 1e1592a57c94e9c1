; VM entry and VM exit (SDM vol. 3 "VM Entries", "VM Exits").
;
;   void vmx_run_at(u64 *reg, struct vmx_vcpu *v)
;
; reg: vcpu->reg, where the vCPU begins, in the order of enum reg; RSP lives in the VMCS. v: its first two members are
; host_rsp and enter. It goes through vmx_enter(vcpu) into the guest, and from the stack that it leaves behind each
; exit calls
;   vmx_exited(vcpu)			an exit came
; which goes into the guest again, and then never comes back to its caller here: the next exit finds the stack as the
; first one did. So between an exit and the next entry no register is kept that C does not keep itself. When it returns
; instead, so does vmx_run_at(). An entry that fails without an exit goes to
;   vmx_entry_refused(vcpu, failure)	1: VMfailInvalid, 2: VMfailValid
; in the place of the function that entered.
;
;   void enter(u64 *reg, struct vmx_vcpu *v)	v->enter, for vmx_enter() and vmx_exited()
;
; There is one variant for each set of mitigations (arch/x86_64/cpu/mitigation.h), so that what is off costs nothing,
; not even a branch: bit 0 flushes the L1 data cache, bit 1 clears the buffers by VERW; after the exit bit 2 stuffs the
; return stack, which bit 4 says has 16 entries, and bit 3 sets IBRS again.
; HOST_RIP holds the variant's exit point; HOST_RSP is written when the stack is not where it was the last time. Each
; comes twice: the one that launches leaves the one that resumes in v->enter, for the entries after it.

bits 64

extern vmx_enter, vmx_exited, vmx_entry_refused

%include "arch/x86_64/cpu/mitigation.inc"

%define VARIANTS 32
%define V_HOST_RSP 0
%define V_ENTER 8
%define PERCPU_CURRENT 24
%define FIELD_HOST_RSP 0x6c14
%define MSR_FLUSH_CMD 0x10b
%define MSR_SPEC_CTRL 0x48
%define SPEC_CTRL_IBRS 1
%define HOST_DS 0x10

section .rodata
align 8
verw_selector:
	dw	HOST_DS			; VERW clears the buffers only with a valid, writable segment

section .text

global vmx_run_at
vmx_run_at:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	push	rdi
	cmp	rsp, [rsi + V_HOST_RSP]
	je	.placed
	mov	eax, FIELD_HOST_RSP
	vmwrite	rax, rsp
	mov	[rsi + V_HOST_RSP], rsp
.placed:
	call	vmx_enter
leave_loop:
	add	rsp, 8
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

; No guest value stays where a speculated host instruction could use it as an address: RDI and RSI are dealt with apart.
%macro CLEAR_REGISTERS 0
	xor	eax, eax
	xor	ecx, ecx
	xor	edx, edx
	xor	ebx, ebx
	xor	ebp, ebp
	xor	r8d, r8d
	xor	r9d, r9d
	xor	r10d, r10d
	xor	r11d, r11d
	xor	r12d, r12d
	xor	r13d, r13d
	xor	r14d, r14d
	xor	r15d, r15d
%endmacro

; ENTER variant, VMLAUNCH or VMRESUME
%macro ENTER 2
%if %1 & 1
	mov	ecx, MSR_FLUSH_CMD
	mov	eax, 1
	xor	edx, edx
	wrmsr
%endif
	mov	rax, [rdi + 0 * 8]
	mov	rcx, [rdi + 1 * 8]
	mov	rdx, [rdi + 2 * 8]
	mov	rbx, [rdi + 3 * 8]
	mov	rbp, [rdi + 5 * 8]
	mov	rsi, [rdi + 6 * 8]
	mov	r8, [rdi + 8 * 8]
	mov	r9, [rdi + 9 * 8]
	mov	r10, [rdi + 10 * 8]
	mov	r11, [rdi + 11 * 8]
	mov	r12, [rdi + 12 * 8]
	mov	r13, [rdi + 13 * 8]
	mov	r14, [rdi + 14 * 8]
	mov	r15, [rdi + 15 * 8]
	mov	rdi, [rdi + 7 * 8]
%if %1 & 2
	verw	[rel verw_selector]
%endif
	%2
	jmp	refused
%endmacro

; RSP and everything else is as it was, but guest values are in the registers. ZF: VMfailValid.
refused:
	setz	sil
	movzx	esi, sil
	inc	esi
	mov	rdi, [gs:PERCPU_CURRENT]
	CLEAR_REGISTERS
	jmp	vmx_entry_refused

%macro VARIANT 1
align 16
vmx_launch_%1:
	lea	rax, [rel vmx_resume_%1]
	mov	[rsi + V_ENTER], rax
	ENTER %1, vmlaunch

align 16
vmx_resume_%1:
	ENTER %1, vmresume

align 16
vmx_exit_%1:
	push	rdi
	mov	rdi, [rsp + 8]		; reg
	mov	[rdi + 0 * 8], rax
	mov	[rdi + 1 * 8], rcx
	mov	[rdi + 2 * 8], rdx
	mov	[rdi + 3 * 8], rbx
	mov	[rdi + 5 * 8], rbp
	mov	[rdi + 6 * 8], rsi
	mov	[rdi + 8 * 8], r8
	mov	[rdi + 9 * 8], r9
	mov	[rdi + 10 * 8], r10
	mov	[rdi + 11 * 8], r11
	mov	[rdi + 12 * 8], r12
	mov	[rdi + 13 * 8], r13
	mov	[rdi + 14 * 8], r14
	mov	[rdi + 15 * 8], r15
	pop	qword [rdi + 7 * 8]
%if (%1 & 20) == 20
	STUFF_RSB 16
%elif %1 & 4
	STUFF_RSB 32
%endif
%if %1 & 8
	mov	ecx, MSR_SPEC_CTRL
	mov	eax, SPEC_CTRL_IBRS
	xor	edx, edx
	wrmsr
%endif
	xor	esi, esi
	CLEAR_REGISTERS
	call	vmx_exited
	jmp	leave_loop
%endmacro

%assign variant 0
%rep VARIANTS
VARIANT variant
%assign variant variant + 1
%endrep

; Indexed by the variant; the exit points are what HOST_RIP holds.
section .rodata
align 8
%macro TABLE 1
%assign variant 0
%rep VARIANTS
	dq	%1 %+ variant
%assign variant variant + 1
%endrep
%endmacro

global vmx_launch_variants
vmx_launch_variants:
TABLE vmx_launch_
global vmx_exit_points
vmx_exit_points:
TABLE vmx_exit_
