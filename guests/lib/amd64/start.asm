; Start-up of a 64-bit guest. It is entered in 32-bit protected mode without paging, by PVH ("x86/HVM direct boot ABI",
; EBX: hvm_start_info) or by multiboot 2 (EAX: magic, EBX: information), and takes itself to long mode. There is no
; multiboot 1 header: QEMU would take it before the PVH note and then refuse the file for being 64-bit.
bits 32

XEN_ELFNOTE_PHYS32_ENTRY equ 18
MULTIBOOT2_MAGIC	equ 0xe85250d6
CR0_KNOWN		equ 0x80000031	; paging, protected mode, x87 errors as exceptions; loaders leave different bits
CR4_PAE			equ 1 << 5
MSR_EFER		equ 0xc0000080
EFER_LME		equ 1 << 8
PAGE_TABLE		equ 7		; present, writable, user
PAGE_LARGE		equ 0x87	; the same, 2 MiB

extern guest_start
global guest_entry
global page_map_top

section .boot
align 8
multiboot2:
	dd MULTIBOOT2_MAGIC, 0, multiboot2_end - multiboot2
	dd -(MULTIBOOT2_MAGIC + multiboot2_end - multiboot2)
	dw 0, 0
	dd 8				; end tag
multiboot2_end:

section .note.Xen note alloc noexec nowrite align=4
	dd 4, 4, XEN_ELFNOTE_PHYS32_ENTRY
	db "Xen", 0
	dd guest_entry

section .text
guest_entry:
	cli
	cld
	mov	esp, stack_top
	mov	esi, eax		; kept for guest_start: magic and information
	mov	edi, ebx
	; Four page directories of 2 MiB pages: the lowest 4 GiB one to one.
	mov	dword [page_map_top], page_pointers + PAGE_TABLE
	mov	ecx, 4
.pointer:
	mov	eax, ecx
	shl	eax, 12
	add	eax, page_directories - 4096 + PAGE_TABLE
	mov	[page_pointers + ecx * 8 - 8], eax
	loop	.pointer
	mov	ecx, 2048
.large:
	lea	eax, [ecx - 1]
	shl	eax, 21
	or	eax, PAGE_LARGE
	mov	[page_directories + ecx * 8 - 8], eax
	loop	.large

	mov	eax, page_map_top
	mov	cr3, eax
	mov	eax, CR4_PAE
	mov	cr4, eax
	mov	ecx, MSR_EFER
	rdmsr
	or	eax, EFER_LME
	wrmsr
	mov	eax, CR0_KNOWN
	mov	cr0, eax
	lgdt	[start_gdt_pointer]
	jmp	8:long_mode

bits 64
long_mode:
	xor	eax, eax
	mov	ds, ax
	mov	es, ax
	mov	fs, ax
	mov	gs, ax
	mov	ss, ax
	mov	esp, stack_top
	push	2
	popfq
	xchg	edi, esi		; guest_start(magic, information); the upper halves are zero
	mov	edi, edi
	mov	esi, esi
	call	guest_start		; does not return

section .data
align 8
start_gdt:
	dq 0, 0x00af9a000000ffff	; only until segments_init()
start_gdt_pointer:
	dw start_gdt_pointer - start_gdt - 1
	dq start_gdt

section .bss
align 4096
page_map_top:	resb 4096
page_pointers:	resb 4096
page_directories: resb 4 * 4096
	resb	32768
stack_top:

section .note.GNU-stack noalloc noexec nowrite progbits
