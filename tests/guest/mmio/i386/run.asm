; Run one instruction with all registers and ES chosen, in code of 16 or 32 bits as the selector says.
	section .bss
	global mmio_registers, mmio_entry, mmio_es
mmio_registers:	resd 17
mmio_entry:	resb 6
mmio_es:	resw 1
saved_stack:	resd 1

%define REG(n) [mmio_registers + 4 * (n)]

	section .text
	global mmio_run, mmio_back
mmio_run:
	pushad
	push	es
	mov	[saved_stack], esp
	mov	es, [mmio_es]
	push	dword REG(16)
	popfd
	mov	eax, REG(0)
	mov	ecx, REG(1)
	mov	edx, REG(2)
	mov	ebx, REG(3)
	mov	ebp, REG(5)
	mov	esi, REG(6)
	mov	edi, REG(7)
	mov	esp, REG(4)
	jmp	far [mmio_entry]
mmio_back:
	mov	REG(4), esp
	mov	esp, [saved_stack]
	pushfd
	pop	dword REG(16)
	cld
	mov	REG(0), eax
	mov	REG(1), ecx
	mov	REG(2), edx
	mov	REG(3), ebx
	mov	REG(5), ebp
	mov	REG(6), esi
	mov	REG(7), edi
	pop	es
	popad
	ret

	section .note.GNU-stack noalloc noexec nowrite progbits
