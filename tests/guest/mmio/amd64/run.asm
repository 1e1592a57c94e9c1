; Run one instruction with all registers chosen.
	default abs
	section .bss
	global mmio_registers, mmio_entry, mmio_es
mmio_registers:	resq 17
mmio_entry:	resb 10
mmio_es:	resw 1
saved_stack:	resq 1

%define REG(n) [mmio_registers + 8 * (n)]

	section .text
	global mmio_run, mmio_back
mmio_run:
	push	rbx
	push	rbp
	push	r12
	push	r13
	push	r14
	push	r15
	mov	[saved_stack], rsp
	push	qword REG(16)
	popfq
	mov	rax, REG(0)
	mov	rcx, REG(1)
	mov	rdx, REG(2)
	mov	rbx, REG(3)
	mov	rbp, REG(5)
	mov	rsi, REG(6)
	mov	rdi, REG(7)
	mov	r8, REG(8)
	mov	r9, REG(9)
	mov	r10, REG(10)
	mov	r11, REG(11)
	mov	r12, REG(12)
	mov	r13, REG(13)
	mov	r14, REG(14)
	mov	r15, REG(15)
	mov	rsp, REG(4)
	jmp	qword [mmio_entry]
mmio_back:
	mov	REG(4), rsp
	mov	rsp, [saved_stack]
	pushfq
	pop	qword REG(16)
	cld
	mov	REG(0), rax
	mov	REG(1), rcx
	mov	REG(2), rdx
	mov	REG(3), rbx
	mov	REG(5), rbp
	mov	REG(6), rsi
	mov	REG(7), rdi
	mov	REG(8), r8
	mov	REG(9), r9
	mov	REG(10), r10
	mov	REG(11), r11
	mov	REG(12), r12
	mov	REG(13), r13
	mov	REG(14), r14
	mov	REG(15), r15
	pop	r15
	pop	r14
	pop	r13
	pop	r12
	pop	rbp
	pop	rbx
	ret

	section .note.GNU-stack noalloc noexec nowrite progbits
