; The accesses behind window.c. Each opens the window's user pages for itself alone and closes them again, also after a
; fault: the fixup goes on at .fault with RFLAGS.AC as it was. All return 0, or 1 after a fault.
bits 64
default rel

CR4_SMAP_BIT equ 21

; STAC and CLAC are #UD where the core has no SMAP, so ask this very core (hybrid machines). Changes RAX, R11 and flags.
; CR2 may be a guest's, which stays in the register while its exits are handled: R11 keeps it for the case that we fault
; ourselves.
%macro OPEN 0
	mov	r11, cr2
	mov	rax, cr4
	bt	eax, CR4_SMAP_BIT
	jnc	%%none
	stac
%%none:
%endmacro

%macro CLOSE 0
	mov	rax, cr4
	bt	eax, CR4_SMAP_BIT
	jnc	%%none
	clac
%%none:
%endmacro

; The instruction before the label may fault (core/cpu: struct fixup).
%macro FIXUP 2
	[section .fixups progbits alloc noexec nowrite align=8]
	dq	%1, %2
	__?SECT?__
%endmacro

%macro SUCCEED 0
	CLOSE
	xor	eax, eax
	ret
%endmacro

section .text.window progbits alloc exec nowrite align=16

; Where every fault goes: no function below has anything on the stack.
fault:
	mov	cr2, r11
	CLOSE
	mov	eax, 1
	ret

; int window_copy(void *to, const void *from, u64 size): REP MOVSB, each byte once
global window_copy
window_copy:
	OPEN
	mov	rcx, rdx
.access:
	rep movsb
	FIXUP .access, fault
	SUCCEED

; int window_loadN(const void *from, u64 *value): one access of N bits, zero-extended
%macro LOAD 4
global window_load%1
window_load%1:
	OPEN
.access:
	%2	%3, %4 [rdi]
	FIXUP .access, fault
	mov	[rsi], rdx
	SUCCEED
%endmacro

LOAD 8, movzx, edx, byte
LOAD 16, movzx, edx, word
LOAD 32, mov, edx, dword
LOAD 64, mov, rdx, qword

; int window_compare(const struct window_word *word, u32 count, const void *window): one access of 64 bits to each,
; until one differs, which is told like a fault
WORD_GPA   equ 0
WORD_VALUE equ 8
WORD_SIZE  equ 16

global window_compare
window_compare:
	OPEN
.next:
	mov	rcx, [rdi + WORD_GPA]
.access:
	mov	rax, [rdx + rcx]
	FIXUP .access, fault
	cmp	rax, [rdi + WORD_VALUE]
	jne	.differs
	add	rdi, WORD_SIZE
	dec	esi
	jnz	.next
	SUCCEED
.differs:
	CLOSE
	mov	eax, 1
	ret

; int window_storeN(void *to, u64 value)
%macro STORE 2
global window_store%1
window_store%1:
	OPEN
.access:
	mov	[rdi], %2
	FIXUP .access, fault
	SUCCEED
%endmacro

STORE 8, sil
STORE 16, si
STORE 32, esi
STORE 64, rsi

; int window_exchangeN(void *at, u64 *expected, u64 desired): LOCK CMPXCHG; *expected becomes what was there
%macro EXCHANGE 3
global window_exchange%1
window_exchange%1:
	OPEN
	mov	rax, [rsi]
.access:
	lock cmpxchg [rdi], %2
	FIXUP .access, fault
	mov	%3, %3
	mov	[rsi], rax
	SUCCEED
%endmacro

EXCHANGE 32, edx, eax
EXCHANGE 64, rdx, rax
