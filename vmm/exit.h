/*
 * The neutral VM exit: what happened in the guest, without a word about VMCS, VMCB or translated code. The engine fills
 * it, vmm/exit.c dispatches it. Only the member of the union that belongs to `kind` is valid.
 */
#ifndef VMM_EXIT_H
#define VMM_EXIT_H

#include "lib/types.h"

struct vcpu;

enum exit_kind {
	EXIT_INTERRUPT,	       /* a physical interrupt; the engine has dispatched it */
	EXIT_SLICE,	       /* the engine's slice timer ran out */
	EXIT_NMI,	       /* a physical NMI; the engine has run the host's handler */
	EXIT_MACHINE_CHECK,    /* likewise, at a VM entry or by #MC interception */
	EXIT_INTERRUPT_WINDOW, /* the guest can take an interrupt now */
	EXIT_NMI_WINDOW,
	EXIT_CPUID,
	EXIT_HLT,
	EXIT_IO,
	EXIT_MSR_READ,
	EXIT_MSR_WRITE,
	EXIT_CR,
	EXIT_DR,
	EXIT_XSETBV,
	EXIT_MEMORY,	   /* second-level translation refused the access */
	EXIT_HYPERCALL,
	EXIT_EXCEPTION,	   /* one that the engine was asked to catch */
	EXIT_TASK_SWITCH,
	EXIT_CACHE,	   /* INVD, WBINVD, WBNOINVD */
	EXIT_PAUSE,
	EXIT_MONITOR,	   /* MONITOR and MWAIT: #UD, since CPUID hides them */
	EXIT_UNDEFINED,	   /* an instruction the guest is not to have: VMX, SVM, SGX, ...: #UD */
	EXIT_DENIED,	   /* one that is #GP(0) for this guest: RDPMC */
	EXIT_APIC,	   /* the processor helps with the local APIC, and needs us */
	EXIT_TRIPLE_FAULT,
	EXIT_INIT,	   /* INIT or SIPI met a guest: never expected */
	EXIT_ENTRY_FAILED, /* the guest's state was refused at entry; the engine's dump says which check */
	EXIT_UNKNOWN,
	EXIT_KINDS,
};

struct exit_io {
	u16 port;
	u8 size; /* 1, 2, 4 */
	bool in, string;
	/* String I/O: address size in bytes (2, 4, 8) and enum segment_name of the memory operand (ES for INS). */
	bool rep;
	u8 address_size, segment;
};

enum cr_access { CR_WRITE, CR_READ, CR_CLTS, CR_LMSW };

struct exit_cr {
	u8 cr; /* 0, 3, 4, 8 */
	enum cr_access access;
	u8 gpr; /* enum reg */
	u16 source; /* LMSW */
};

struct exit_dr {
	u8 dr;
	bool read;
	u8 gpr;
};

#define MEMORY_READ    BIT(0)
#define MEMORY_WRITE   BIT(1)
#define MEMORY_EXECUTE BIT(2)

struct exit_memory {
	gpa_t gpa;
	gva_t gva; /* valid when gva_valid */
	u32 access; /* MEMORY_* */
	bool gva_valid;
	bool page_walk; /* met while reading or marking the guest's page tables */
	bool present;	/* the range was mapped: rights were missing */
};

struct exit_exception {
	u8 vector;
	bool has_error;
	u32 error;
	u64 address; /* #PF: CR2; #DB: the DR6 bits */
};

enum task_switch_source { TASK_CALL, TASK_IRET, TASK_JMP, TASK_GATE };

struct exit_task_switch {
	u16 selector;
	enum task_switch_source source;
	bool by_instruction; /* CALL, JMP, IRET, INT n: the old task's RIP goes after it; else an event */
	bool has_error; /* a gate reached by an exception with an error code */
	u32 error;
};

/* What a processor that helps with the local APIC has left to us. The instruction is over: RIP is behind it. */
enum apic_event {
	APIC_TPR_FELL, /* below apic_view.threshold */
	APIC_ENDED,    /* the vector, of apic_view.level[] */
	APIC_WRITTEN,  /* the register at this offset of the page */
};

struct exit_apic {
	enum apic_event event;
	u16 detail; /* vector or offset */
};

enum cache_operation { CACHE_INVD, CACHE_WBINVD };

struct vm_exit {
	enum exit_kind kind;
	u32 raw; /* the engine's own reason, under which the exit is counted (vmm/account.h) */
	union {
		struct exit_io io;
		struct exit_cr cr;
		struct exit_dr dr;
		struct exit_memory memory;
		struct exit_exception exception;
		struct exit_task_switch task;
		enum cache_operation cache;
		struct exit_apic apic;
		u64 qualification; /* UNKNOWN, ENTRY_FAILED, UNDEFINED */
	};
};

/* What happens next: nothing is implied, RIP moves only where a handler said so. */
enum verdict {
	VERDICT_ADVANCE, /* go on after the instruction: honours TF, ends STI and MOV-SS blocking */
	VERDICT_RETRY,	 /* enter again at the same RIP */
	VERDICT_INJECT,	 /* as RETRY; the handler has queued an exception with event_raise() */
	VERDICT_BLOCK,	 /* after the instruction, but not before something wakes the vCPU */
	VERDICT_YIELD,	 /* after the instruction, others first */
	VERDICT_RESCHEDULE, /* as RETRY, others first */
	VERDICT_WAIT,	 /* as RETRY, but not before something wakes the vCPU: a device is not ready */
	VERDICT_END,	 /* this VM is over; the handler has called vm_end() */
};

typedef enum verdict (*exit_handler_t)(struct vcpu *vcpu, const struct vm_exit *exit);

/* One row a kind: the dispatcher's table, in vmm/exit.c. */
struct exit_row {
	const char *name; /* for logs, counters and traces */
	exit_handler_t handle;
	bool our_time; /* counted apart: the guest did not cause it (interrupt, NMI, slice) */
};
extern const struct exit_row exit_table[EXIT_KINDS];

#endif
