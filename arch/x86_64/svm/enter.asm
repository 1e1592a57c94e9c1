; svm_enter: VMRUN as a function that returns (APM vol. 2 "VMRUN Instruction", "Global Interrupt Flag").
;
;   void svm_enter(u64 *gpr, paddr_t vmcb, paddr_t host_vmcb)
;
; gpr: vcpu->reg, in the order of enum reg; RAX and RSP live in the VMCB.
; The caller holds GIF = 0 and IF = 0. VMRUN saves what the host needs at VM_HSAVE_PA, apart from what VMSAVE covers
; (FS, GS, TR, LDTR, KernelGSBase, the SYSCALL and SYSENTER MSRs): those come back from host_vmcb, which
; svm_core_enable() filled. With V_INTR_MASKING the host's RFLAGS.IF decides whether a physical interrupt ends guest
; mode, so it is set around VMRUN; GIF = 0 keeps it from being taken here. On return GIF and IF are 0 again.

; svm_enter_plain, and svm_enter_stuffed, which fills the return stack before the first RET (MITIGATE_RSB_FILL): what is
; off costs nothing.

bits 64

%include "arch/x86_64/cpu/mitigation.inc"

section .text

%macro ENTER_VARIANT 2
global %1
%1:
	push	rbp
	push	rbx
	push	r12
	push	r13
	push	r14
	push	r15
	push	rdi			; needed again after the exit
	push	rsi
	push	rdx

	mov	rax, rsi
	vmload
	sti				; not right before VMRUN: QEMU's TCG takes its shadow along into the guest
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
	vmrun
	cli
	vmsave			; VMRUN restored the host's RAX: still the VMCB

	mov	rax, [rsp]		; host_vmcb
	vmload
	mov	rax, [rsp + 16]		; gpr
	mov	[rax + 1 * 8], rcx
	mov	[rax + 2 * 8], rdx
	mov	[rax + 3 * 8], rbx
	mov	[rax + 5 * 8], rbp
	mov	[rax + 6 * 8], rsi
	mov	[rax + 7 * 8], rdi
	mov	[rax + 8 * 8], r8
	mov	[rax + 9 * 8], r9
	mov	[rax + 10 * 8], r10
	mov	[rax + 11 * 8], r11
	mov	[rax + 12 * 8], r12
	mov	[rax + 13 * 8], r13
	mov	[rax + 14 * 8], r14
	mov	[rax + 15 * 8], r15
%if %2
	STUFF_RSB 32
%endif
	; No guest value stays where a speculated host instruction could use it as an address.
	xor	ecx, ecx
	xor	edx, edx
	xor	esi, esi
	xor	edi, edi
	xor	r8d, r8d
	xor	r9d, r9d
	xor	r10d, r10d
	xor	r11d, r11d

	add	rsp, 24
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbx
	pop	rbp
	ret
%endmacro

ENTER_VARIANT svm_enter_plain, 0
ENTER_VARIANT svm_enter_stuffed, 1

; void svm_open_gate(void): GIF = 1 with IF = 1 for a moment, so that what ended guest mode (interrupt, NMI) goes
; through the IDT. NMIs and machine checks pending at GIF = 0 are taken by STGI as well.
global svm_open_gate
svm_open_gate:
	sti
	stgi
	nop
	cli
	ret

; void svm_gif_set(void), void svm_gif_clear(void)
global svm_gif_set
svm_gif_set:
	stgi
	ret

global svm_gif_clear
svm_gif_clear:
	clgi
	ret
