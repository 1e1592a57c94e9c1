/* A VM of one vCPU on an engine that is a table of functions over plain memory: what the seam makes possible. */
#ifndef TESTS_FAKE_ENGINE_H
#define TESTS_FAKE_ENGINE_H

#include "vmm/cpuid.h"
#include "vmm/fetch.h"
#include "vmm/msr.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

struct fake {
	struct vm vm;
	struct vcpu vcpu;
	struct vm_config config;
	struct cpuid_policy cpuid;
	struct msr_state msrs;
	struct fetched fetched[FETCHED];
	/* What export_state() gives and import_state() takes; its segments serve get_segment(). */
	struct vcpu_state state;

	u64 dr[8], pat, debugctl;
	u64 owned_msr; /* any other MSR the engine holds */
	u32 length;    /* instruction_length() */
	u32 blocked;   /* interruptibility() */
	struct event injected;
	bool want_irq, want_nmi;
	u32 window_requests;
	u32 shadows_ended, steps_set, flushes, pdptes_set, imports, loads, puts, fetches, dumps, slices, intercepts;
	u64 pdpte[4];
	bool refuse_import;

	/*
	 * run(): the exits of the script, one after the other while exited() says so; ends the test when there is none.
	 */
	const struct vm_exit *script;
	u32 script_length, script_at;
	void (*on_run)(struct fake *fake); /* before each exit */
	bool (*exited)(struct vcpu *vcpu); /* vcpu_exited() of vmm/loop.h */

	/* vm_end(), unless the test brings vmm/vm_end.c */
	enum vm_end_cause end_cause;
	u64 end_code;
	char end_text[160];
	u32 ends;
};

extern const struct engine_ops fake_engine;

/*
 * Long mode, CPL 0, paging on, interrupts on, at RIP 0x1000, an instruction of two bytes; every CPUID bit that the
 * table lists.
 */
void fake_init(struct fake *fake);
struct fake *fake_of(struct vcpu *vcpu);
void fake_set_mode(struct fake *fake, u64 cr0, u64 efer, u32 cs_attributes, u32 cpl);
/* A host with all CPUID bits set, highest leaves and sizes that make sense. */
struct cpuid_leaf fake_host_cpuid(u32 leaf, u32 subleaf);

#endif
