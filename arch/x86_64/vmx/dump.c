/* The VMCS in words, when an entry was refused or an exit is of a kind nobody knows; and the entry checks on it. */
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/vmx/check.h"
#include "arch/x86_64/vmx/vmcs.h"
#include "arch/x86_64/vmx/exit.h"
#include "arch/x86_64/vmx/vmx.h"
#include "core/log.h"
#include "lib/fmt.h"
#include "lib/string.h"

/*
 * Which fields this processor has is found out once: some emulators complain of each question. All cores answer alike.
 */
enum presence { UNKNOWN, THERE, ABSENT };
static u8 presence[VMCS_FIELDS]; /* atomic; written with the same value by whoever comes first */

void vmx_take_snapshot(struct vmcs_snapshot *snapshot)
{
	for (u32 i = 0; i < VMCS_FIELDS; i++) {
		u8 known = __atomic_load_n(&presence[i], __ATOMIC_RELAXED);

		snapshot->value[i] = 0;
		snapshot->there[i] = known != ABSENT && vmcs_try_read(vmcs_fields[i].encoding, &snapshot->value[i]);
		if (!snapshot->there[i])
			snapshot->value[i] = 0;
		if (known == UNKNOWN)
			__atomic_store_n(&presence[i], snapshot->there[i] ? THERE : ABSENT, __ATOMIC_RELAXED);
	}
}

/* Guests never get 5-level paging, so linear addresses are of 48 bits wherever an entry checks one of ours. */
void vmx_check_machine(struct check_machine *machine)
{
	machine->physical_bits = cpu_physical_address_bits();
	machine->linear_bits = 48;
	machine->capability = vmx_setup.capability;
}

/* "pin-based controls 0000003f: external-interrupt exiting, NMI exiting, ..." */
static void dump_controls(enum control_group group, u64 value, const char *words)
{
	char line[400];
	int used = fmt_print(line, sizeof(line), "  %s %08llx", words, (unsigned long long)value);
	const char *separator = ": ";

	for (u32 i = 0; i < control_table_rows && used < (int)sizeof(line); i++) {
		const struct control_row *row = &control_table[i];

		if (row->group != group || !(value & row->bit))
			continue;
		used += fmt_print(line + used, sizeof(line) - (size_t)used, "%s%s", separator, row->name);
		separator = ", ";
	}
	log_line("%s", line);
}

/* Fields that are there and not 0, one a line; a field left out is 0 or not there. */
static void dump_area(const struct vmcs_snapshot *snapshot, enum vmcs_area area, const char *title)
{
	log_line(" %s (what is not listed is 0)", title);
	for (u32 i = 0; i < VMCS_FIELDS; i++) {
		if (vmcs_area(vmcs_fields[i].encoding) == area && snapshot->value[i])
			log_line("  %-42s %llx", vmcs_fields[i].words, (unsigned long long)snapshot->value[i]);
	}
}

static void dump_checks(const struct vmcs_snapshot *snapshot)
{
	static bool (*const checks[])(const struct vmcs_snapshot *, const struct check_machine *,
				      struct check_result *) = {check_controls, check_host_state, check_guest_state};
	struct check_machine machine;
	bool fine = true;

	vmx_check_machine(&machine);
	for (u32 i = 0; i < ARRAY_SIZE(checks); i++) {
		struct check_result result;

		if (!checks[i](snapshot, &machine, &result)) {
			log_line(" entry check that fails: %s", result.text);
			fine = false;
		}
	}
	if (fine)
		log_line(" entry checks: none of those known to this hypervisor fails");
}

static void dump_reason(const struct vm_exit *exit)
{
	struct engine_reason reason;

	if (!vmx_reason(exit->raw, &reason))
		log_line(" exit reason, see below: not known to this hypervisor");
	else if (exit->raw >= RAW_ENTRY_REFUSED)
		log_line(" VM entry refused: %s (VM-instruction error %llu)", reason.name,
			 (unsigned long long)exit->qualification);
	else
		log_line(" exit reason %u: %s", reason.code, reason.name);
}

static void dump_registers(const struct vcpu *vcpu)
{
	const u64 *r = vcpu->reg;

	log_line(" rax %016llx rbx %016llx rcx %016llx rdx %016llx", (unsigned long long)r[REG_RAX],
		 (unsigned long long)r[REG_RBX], (unsigned long long)r[REG_RCX], (unsigned long long)r[REG_RDX]);
	log_line(" rsi %016llx rdi %016llx rbp %016llx r8  %016llx", (unsigned long long)r[REG_RSI],
		 (unsigned long long)r[REG_RDI], (unsigned long long)r[REG_RBP], (unsigned long long)r[REG_R8]);
	log_line(" r9  %016llx r10 %016llx r11 %016llx r12 %016llx", (unsigned long long)r[REG_R9],
		 (unsigned long long)r[REG_R10], (unsigned long long)r[REG_R11], (unsigned long long)r[REG_R12]);
	log_line(" r13 %016llx r14 %016llx r15 %016llx cr2 %016llx", (unsigned long long)r[REG_R13],
		 (unsigned long long)r[REG_R14], (unsigned long long)r[REG_R15], (unsigned long long)r[REG_CR2]);
}

void vmx_dump(struct vcpu *vcpu, const struct vm_exit *exit)
{
	struct vmx_vcpu *v = vmx_of(vcpu), *before = vmx_hold(v);
	struct vmcs_snapshot snapshot;

	vmx_take_snapshot(&snapshot);
	vmx_release(v, before);
	log_line("vCPU %u of VM %u, its VMCS:", vcpu->id, vcpu->vm->id);
	dump_reason(exit);
	dump_checks(&snapshot);
	dump_registers(vcpu);
	dump_controls(CONTROL_PIN, snapshot.value[INDEX_PIN_CONTROLS], "pin-based controls");
	dump_controls(CONTROL_PRIMARY, snapshot.value[INDEX_PRIMARY_CONTROLS], "primary controls");
	dump_controls(CONTROL_SECONDARY, snapshot.value[INDEX_SECONDARY_CONTROLS], "secondary controls");
	dump_controls(CONTROL_EXIT, snapshot.value[INDEX_EXIT_CONTROLS], "VM-exit controls");
	dump_controls(CONTROL_ENTRY, snapshot.value[INDEX_ENTRY_CONTROLS], "VM-entry controls");
	dump_area(&snapshot, AREA_READ_ONLY, "exit information");
	dump_area(&snapshot, AREA_GUEST, "guest state");
	dump_area(&snapshot, AREA_CONTROL, "control fields");
	dump_area(&snapshot, AREA_HOST, "host state");
}
