; Samples that end in a handler. The handlers save nothing: what they interrupt, here, reckons with it.
bits 64
default abs

MSR_X2APIC_EOI		equ 0x80b
MSR_X2APIC_SELF_IPI	equ 0x83f
MSR_TSC_DEADLINE	equ 0x6e0

global stub_empty, stub_rdmsr_gp, stub_gp_entry, stub_irq_entry
global stub_self_ipi, stub_self_ipi_empty, stub_hlt_pending, stub_hlt_pending_empty, stub_timer_spin, stub_timer_hlt

section .text
stub_empty:
	mov	ecx, edi
	rdtsc
	mov	r11d, eax
	rdtsc
	sub	eax, r11d
	ret

stub_rdmsr_gp:
	mov	[saved_sp], rsp
	mov	ecx, edi
	rdtsc
	mov	r11d, eax
	rdmsr				; #GP: on at stub_gp_entry
	ud2

stub_gp_entry:
	rdtsc
	sub	eax, r11d
	mov	rsp, [saved_sp]		; the frame and the error code are dropped
	ret

; An interrupt: when, and that it came. RAX, RCX and RDX are lost.
stub_irq_entry:
	rdtsc
	mov	[irq_low], eax
	mov	byte [irq_seen], 1
	mov	ecx, MSR_X2APIC_EOI
	xor	eax, eax
	xor	edx, edx
	wrmsr
	iretq

wait_seen:				; with interrupts on
	cmp	byte [irq_seen], 0
	je	wait_seen
	cli
	mov	eax, [irq_low]
	sub	eax, r11d
	ret

stub_self_ipi:
	mov	byte [irq_seen], 0
	sti
	mov	ecx, MSR_X2APIC_SELF_IPI
	rdtsc
	mov	r11d, eax
	mov	eax, edi
	xor	edx, edx
	wrmsr
	jmp	wait_seen

stub_self_ipi_empty:
	mov	byte [irq_seen], 0
	sti
	mov	ecx, MSR_X2APIC_SELF_IPI
	rdtsc
	mov	r11d, eax
	mov	eax, edi
	xor	edx, edx
	rdtsc
	sub	eax, r11d
	cli
	ret

stub_hlt_pending:
	mov	byte [irq_seen], 0
	mov	ecx, MSR_X2APIC_SELF_IPI
	mov	eax, edi
	xor	edx, edx
	wrmsr				; waits, since IF = 0
	rdtsc
	mov	r11d, eax
	sti
	hlt				; in the shadow of STI, with the interrupt pending
	jmp	wait_seen

stub_hlt_pending_empty:
	rdtsc
	mov	r11d, eax
	nop				; for STI
	rdtsc
	sub	eax, r11d
	ret

%macro arm 0				; the deadline, RDI ticks from now; its low half in R11D
	mov	byte [irq_seen], 0
	rdtsc
	shl	rdx, 32
	or	rax, rdx
	add	rax, rdi
	mov	r11, rax
	mov	rdx, rax
	shr	rdx, 32
	mov	ecx, MSR_TSC_DEADLINE
	wrmsr
%endmacro

stub_timer_spin:
	arm
	sti
	jmp	wait_seen

stub_timer_hlt:
	arm
	sti
	hlt
	jmp	wait_seen

section .bss
align 8
saved_sp:	resq 1
irq_low:	resd 1
irq_seen:	resd 1

section .note.GNU-stack noalloc noexec nowrite progbits
