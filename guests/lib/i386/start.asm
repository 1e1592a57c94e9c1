; Start-up of a 32-bit guest: multiboot 1 (Multiboot Specification 0.6.96, "OS image format" and "Machine state").
bits 32

MULTIBOOT_MAGIC	equ 0x1badb002
MULTIBOOT_FLAGS	equ 3			; modules on page boundaries, memory information wanted

CR0_KNOWN	equ 0x31		; protected mode, and x87 errors as exceptions; no paging

extern guest_start
global guest_entry

section .boot
align 4
	dd MULTIBOOT_MAGIC
	dd MULTIBOOT_FLAGS
	dd -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

section .text
guest_entry:
	cli
	mov	esp, stack_top
	mov	ecx, CR0_KNOWN		; loaders and firmware leave different caching bits
	mov	cr0, ecx
	xor	ecx, ecx
	mov	cr4, ecx
	push	dword 2			; flags: all clear but the bit that is always set
	popfd
	push	ebx			; the boot information
	push	eax			; the loader's magic
	call	guest_start		; does not return

section .bss
align 16
	resb	32768
stack_top:

section .note.GNU-stack noalloc noexec nowrite progbits
