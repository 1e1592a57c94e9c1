#include "vmm/fetch.h"
#include "tests/unit/fake_engine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLAT_CODE64 0xa09b
#define FLAT_DATA   0xc093
#define BUSY_TSS32  0x8b

struct fake *fake_of(struct vcpu *vcpu)
{
	return CONTAINER_OF(vcpu, struct fake, vcpu);
}

struct cpuid_leaf fake_host_cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_leaf all = {~0u, ~0u, ~0u, ~0u};

	if (leaf == 0)
		return (struct cpuid_leaf){0x20, 0x756e6547, 0x6c65746e, 0x49656e69};
	if (leaf == 0x80000000)
		return (struct cpuid_leaf){0x80000020, 0, 0, 0};
	if (leaf == 0x80000008)
		return (struct cpuid_leaf){0xffffff00 | 46, ~0u, ~0u, ~0u};
	if (leaf == 0xd && subleaf >= 2)
		return (struct cpuid_leaf){64, 576 + (subleaf - 2) * 128, ~0u, ~0u};
	return all;
}

static void load(struct vcpu *vcpu)
{
	fake_of(vcpu)->loads++;
}

static void put(struct vcpu *vcpu)
{
	fake_of(vcpu)->puts++;
}

static void run_once(struct vcpu *vcpu)
{
	struct fake *fake = fake_of(vcpu);

	if (fake->on_run)
		fake->on_run(fake);
	if (fake->script_at == fake->script_length) {
		fprintf(stderr, "the script of exits is at its end\n");
		abort();
	}
	vcpu->exit = fake->script[fake->script_at++];
}

static void run(struct vcpu *vcpu)
{
	do
		run_once(vcpu);
	while (fake_of(vcpu)->exited(vcpu));
}

static void fetch(struct vcpu *vcpu, u64 mask)
{
	fake_of(vcpu)->fetches++;
	vcpu->cached |= mask;
}

static struct instruction_end instruction_end(struct vcpu *vcpu)
{
	if ((vcpu->cached & (BIT(REG_RIP) | BIT(REG_RFLAGS))) != (BIT(REG_RIP) | BIT(REG_RFLAGS)))
		fetch(vcpu, BIT(REG_RIP) | BIT(REG_RFLAGS));
	return (struct instruction_end){fake_of(vcpu)->length, fake_of(vcpu)->blocked};
}

static u32 instruction_length(struct vcpu *vcpu)
{
	return fake_of(vcpu)->length;
}

static u32 interruptibility(struct vcpu *vcpu)
{
	return fake_of(vcpu)->blocked;
}

static void end_shadow(struct vcpu *vcpu)
{
	fake_of(vcpu)->blocked &= ~(u32)(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS);
	fake_of(vcpu)->shadows_ended++;
}

static void set_single_step(struct vcpu *vcpu)
{
	fake_of(vcpu)->steps_set++;
}

static void inject(struct vcpu *vcpu, const struct event *event)
{
	fake_of(vcpu)->injected = *event;
}

static void request_window(struct vcpu *vcpu, bool irq, bool nmi)
{
	fake_of(vcpu)->want_irq = irq;
	fake_of(vcpu)->want_nmi = nmi;
	fake_of(vcpu)->window_requests++;
}

static void get_segment(struct vcpu *vcpu, enum segment_name name, struct segment *segment)
{
	*segment = fake_of(vcpu)->state.segment[name];
}

static u32 segment_attributes(struct vcpu *vcpu, enum segment_name name)
{
	return fake_of(vcpu)->state.segment[name].attributes;
}

static u32 cpl(struct vcpu *vcpu)
{
	return SEGMENT_DPL(fake_of(vcpu)->state.segment[SEG_SS].attributes);
}

static u64 *held_msr(struct fake *fake, u32 msr)
{
	return msr == MSR_PAT ? &fake->pat : msr == MSR_DEBUGCTL ? &fake->debugctl : &fake->owned_msr;
}

static int get_msr(struct vcpu *vcpu, u32 msr, u64 *value)
{
	*value = *held_msr(fake_of(vcpu), msr);
	return OK;
}

static int set_msr(struct vcpu *vcpu, u32 msr, u64 value)
{
	*held_msr(fake_of(vcpu), msr) = value;
	return OK;
}

static u64 get_dr(struct vcpu *vcpu, u32 dr)
{
	return fake_of(vcpu)->dr[dr];
}

static void set_dr(struct vcpu *vcpu, u32 dr, u64 value)
{
	fake_of(vcpu)->dr[dr] = value;
}

static void set_xcr0(struct vcpu *vcpu, u64 value)
{
	vcpu->xcr0 = value;
}

static void set_pdptes(struct vcpu *vcpu, const u64 pdpte[4])
{
	memcpy(fake_of(vcpu)->pdpte, pdpte, sizeof(fake_of(vcpu)->pdpte));
	fake_of(vcpu)->pdptes_set++;
}

static void export_state(struct vcpu *vcpu, struct vcpu_state *state)
{
	*state = fake_of(vcpu)->state;
	memcpy(state->reg, vcpu->reg, sizeof(state->reg));
}

static int import_state(struct vcpu *vcpu, const struct vcpu_state *state)
{
	struct fake *fake = fake_of(vcpu);

	if (fake->refuse_import)
		return ERR_INVALID;
	fake->imports++;
	fake->state = *state;
	memcpy(vcpu->reg, state->reg, sizeof(state->reg));
	return OK;
}

static void set_tsc_offset(struct vcpu *vcpu, u64 offset)
{
	(void)vcpu;
	(void)offset;
}

static bool set_slice(struct vcpu *vcpu, u64 ticks)
{
	(void)ticks;
	fake_of(vcpu)->slices++;
	return true;
}

static void intercept_msr(struct vcpu *vcpu, u32 msr, bool read, bool write)
{
	(void)msr;
	if (!read && !write)
		fake_of(vcpu)->intercepts++;
}

static void flush_guest(struct vcpu *vcpu)
{
	fake_of(vcpu)->flushes++;
}

static void dump(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)exit;
	fake_of(vcpu)->dumps++;
}

/* Two numbers for one code, as engines have them where one tells what the other does not. */
static bool reason_of(u32 raw, struct engine_reason *reason)
{
	static const struct engine_reason reasons[] = {
		{"exception", 0, EXIT_EXCEPTION}, {"CPUID", 10, EXIT_CPUID}, {"NMI", 0, EXIT_NMI}, {"I/O", 30, EXIT_IO},
	};
	static const u8 raws[] = {0, 10, 80, 30};

	for (u32 i = 0; i < ARRAY_SIZE(raws); i++)
		if (raws[i] == raw)
			*reason = reasons[i];
	return memchr(raws, (int)raw, sizeof(raws));
}

static enum reason_state reason_state(u32 code)
{
	return code >= 80 ? REASON_UNDEFINED : code == 0 || code == 10 || code == 30 ? REASON_ON : REASON_OFF;
}

const struct engine_ops fake_engine = {
	.name = "fake",
	.title = "a table of functions",
	.load = load,
	.put = put,
	.run = run,
	.fetch = fetch,
	.instruction_end = instruction_end,
	.instruction_length = instruction_length,
	.interruptibility = interruptibility,
	.end_shadow = end_shadow,
	.set_single_step = set_single_step,
	.inject = inject,
	.request_window = request_window,
	.get_segment = get_segment,
	.segment_attributes = segment_attributes,
	.cpl = cpl,
	.get_msr = get_msr,
	.set_msr = set_msr,
	.get_dr = get_dr,
	.set_dr = set_dr,
	.set_xcr0 = set_xcr0,
	.set_pdptes = set_pdptes,
	.export_state = export_state,
	.import_state = import_state,
	.set_tsc_offset = set_tsc_offset,
	.set_slice = set_slice,
	.intercept_msr = intercept_msr,
	.flush_guest = flush_guest,
	.dump = dump,
	.reason = reason_of,
	.reason_state = reason_state,
};

void fake_set_mode(struct fake *fake, u64 cr0, u64 efer, u32 cs_attributes, u32 cpl)
{
	fake->vcpu.reg[REG_CR0] = cr0;
	fake->vcpu.reg[REG_EFER] = efer;
	fake->state.segment[SEG_CS].attributes = cs_attributes | cpl << 5;
	fake->state.segment[SEG_SS].attributes = FLAT_DATA | cpl << 5;
}

void fake_init(struct fake *fake)
{
	memset(fake, 0, sizeof(*fake));
	snprintf(fake->config.name, sizeof(fake->config.name), "fake");
	fake->config.vcpus = 1;
	fake->config.weight = 256;
	fake->vm.config = &fake->config;
	fake->vm.engine = &fake_engine;
	fake->vm.cpuid = &fake->cpuid;
	fake->vm.vcpu_count = 1;
	fake->vm.vcpu[0] = &fake->vcpu;
	fake->vm.vcpus_started = 1;
	fake->vm.vcpus_live = 1;
	fake->vcpu.vm = &fake->vm;
	fake->vcpu.engine = &fake_engine;
	fake->vcpu.msrs = &fake->msrs;
	fake->vcpu.fetched = fake->fetched;
	fake->vcpu.cached = BITS(REGS - 1, 0);
	fake->vcpu.xcr0 = XCR0_X87;
	list_init(&fake->vcpu.queue_link);
	for (int i = SEG_ES; i <= SEG_GS; i++)
		fake->state.segment[i] = (struct segment){.attributes = FLAT_DATA, .limit = ~0u};
	fake->state.segment[SEG_TR] = (struct segment){.attributes = BUSY_TSS32, .limit = 103};
	fake->state.segment[SEG_LDTR] = (struct segment){.attributes = SEGMENT_UNUSABLE};
	fake_set_mode(fake, CR0_PE | CR0_PG | CR0_ET | CR0_NE, EFER_LME | EFER_LMA, FLAT_CODE64, 0);
	fake->vcpu.reg[REG_CR4] = CR4_PAE;
	fake->vcpu.reg[REG_RIP] = 0x1000;
	fake->vcpu.reg[REG_RFLAGS] = RFLAGS_ONE | RFLAGS_IF;
	fake->dr[6] = DR6_RESERVED_ONES;
	fake->dr[7] = DR7_RESERVED_ONES;
	fake->length = 2;
	cpuid_build(&fake->cpuid, fake_host_cpuid, ~0ull, 1, NULL);
	msr_state_reset(&fake->msrs, 0, &(const struct msr_host){~0ull, ~0ull});
}

/*
 * The fake processor tells every length; a test that clears fake->length finds an instruction of three bytes, unless it
 * brings vmm/fetch.c.
 */
__attribute__((weak)) int fetch_instruction(struct vcpu *vcpu UNUSED, const struct insn **insn)
{
	static const struct insn three_bytes = {.length = 3};

	*insn = &three_bytes;
	return OK;
}
