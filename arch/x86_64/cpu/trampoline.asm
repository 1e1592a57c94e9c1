; Where an application processor wakes up: real mode, CS:IP = the trampoline's page:0 (SDM vol. 3 "MP Initialization
; Protocol Algorithm"). Copied to a page below 1 MiB, so all addresses in it are relative or were filled in by smp.c:
; struct trampoline there.

PARAMETERS	equ 0x800	; struct trampoline, in the same page

struc parameter
	.gdt		resq 4
	.pad0		resw 1
	.gdtr_limit	resw 1
	.gdtr_base	resd 1
	.protected_ip	resd 1
	.protected_cs	resw 1
	.pad1		resw 1
	.long_ip	resd 1
	.long_cs	resw 1
	.pad2		resw 1
	.pml4		resd 1
	.clear_xd_disable resd 1
	.efer		resd 1
	.apic_id	resd 1
	.has_leaf_b	resd 1
	.state		resd 1
	.index		resd 1
	.pad3		resd 1
	.stack_top	resq 1
	.cr3		resq 1
	.entry		resq 1
endstruc

STATE_WAITING	equ 1		; smp.c
STATE_CLAIMED	equ 2

SELECTOR_DATA	equ 0x10

CR0_PROTECTED	equ 0x11	; PE, ET: INIT set CD and NW, which are off here
CR0_LONG	equ 0x80010033	; PG, WP, NE, ET, MP, PE
CR4_PAE		equ 1 << 5
MSR_MISC_ENABLE	equ 0x1a0
XD_DISABLE_HIGH	equ 34 - 32
MSR_EFER	equ 0xc0000080

section .rodata

global trampoline_start
global trampoline_end
trampoline_start:

bits 16
	cli
	cld
	mov ax, cs
	mov ds, ax
	xor ebp, ebp
	mov bp, ax
	shl ebp, 4			; EBP = linear address of this page, from here on
	o32 lgdt [PARAMETERS + parameter.gdtr_limit]
	mov eax, CR0_PROTECTED
	mov cr0, eax
	jmp far dword [PARAMETERS + parameter.protected_ip]

bits 32
enter_protected:
	mov ax, SELECTOR_DATA
	mov ds, ax
	mov es, ax
	mov ss, ax
	lea esi, [ebp + PARAMETERS]
	; Firmware may have the no-execute feature hidden, and then EFER.NXE faults.
	cmp dword [esi + parameter.clear_xd_disable], 0
	je .nx_seen
	mov ecx, MSR_MISC_ENABLE
	rdmsr
	btr edx, XD_DISABLE_HIGH
	jnc .nx_seen
	wrmsr
.nx_seen:
	mov eax, CR4_PAE
	mov cr4, eax
	mov eax, [esi + parameter.pml4]
	mov cr3, eax
	mov ecx, MSR_EFER
	xor edx, edx
	mov eax, [esi + parameter.efer]
	wrmsr
	mov eax, CR0_LONG
	mov cr0, eax
	jmp far dword [esi + parameter.long_ip]

bits 64
enter_long:
	; Is it us who are waited for? A core that comes late must not take the place of the one now being started.
	mov r8d, esi
	cmp dword [r8 + parameter.has_leaf_b], 0
	je .short_id
	mov eax, 0xb
	xor ecx, ecx
	cpuid
	jmp .have_id
.short_id:
	mov eax, 1
	cpuid
	shr ebx, 24
	mov edx, ebx
.have_id:
	cmp edx, [r8 + parameter.apic_id]
	jne .not_wanted
	mov eax, STATE_WAITING
	mov ecx, STATE_CLAIMED
	lock cmpxchg [r8 + parameter.state], ecx
	jne .not_wanted
	mov rsp, [r8 + parameter.stack_top]
	mov edi, [r8 + parameter.index]
	mov rsi, [r8 + parameter.cr3]
	jmp [r8 + parameter.entry]
.not_wanted:
	cli
	hlt
	jmp .not_wanted

trampoline_end:

; For struct trampoline: where the modes are entered.
global trampoline_protected_offset
global trampoline_long_offset
trampoline_protected_offset: dd enter_protected - trampoline_start
trampoline_long_offset: dd enter_long - trampoline_start
