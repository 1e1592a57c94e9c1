/*
 * The hypercall ABI, shared with guests. VMCALL (VMMCALL on AMD) in ring 0: number in RAX, arguments in RBX, RCX, RDX,
 * RSI; result in RAX, a negative value of enum hypercall_error on failure. All other registers are kept. 32-bit guests
 * use the lower halves: EAX, EBX, ECX, EDX, ESI; 64-bit results are then in EDX:EAX where stated.
 */
#ifndef VMM_HYPERCALL_ABI_H
#define VMM_HYPERCALL_ABI_H

#define HYPERCALL_VERSION	0 /* -> ABI version, now 1 */
#define HYPERCALL_CONSOLE_WRITE 1 /* (gpa, length <= 4096) -> bytes written */
#define HYPERCALL_YIELD		2 /* -> 0, after others ran */
#define HYPERCALL_TIME		3 /* -> nanoseconds since the VM started; 32-bit guests: EDX:EAX */
#define HYPERCALL_EXIT		4 /* (code): ends the VM; does not return */
#define HYPERCALLS		5

#define HYPERCALL_ABI_VERSION 1

enum hypercall_error {
	HYPERCALL_UNKNOWN = -1, /* no such number */
	HYPERCALL_RANGE = -2,	/* an address or length outside the VM's memory */
	HYPERCALL_DENIED = -3,	/* from ring 3, or not permitted to this VM */
};

/* CPUID leaf 0x40000000: EAX highest leaf, EBX/ECX/EDX this signature. */
#define TRIVISOR_SIGNATURE "TrivisorTriv"

#endif
