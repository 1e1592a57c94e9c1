#define _GNU_SOURCE
#include "tests/unit/fake_core.h"

#include <asm/prctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/x86_64/cpu/mitigation.h"
#include "arch/x86_64/cpu/lapic.h"
#include "core/percpu.h"
#include "vmm/core.h"

struct percpu percpu_table[MAX_CORES];
__attribute__((weak)) struct core_vmm core_vmm_table[MAX_CORES]; /* unless the test brings vmm/core.c */
u32 core_count = FAKE_CORES;
u64 tsc_hz = 1000000000;
u32 fake_ipis[FAKE_CORES];
u64 fake_deadline = ~0ull;
u32 fake_programmings;

void lapic_ipi(u32 apic_id, u8 vector)
{
	if (vector == HOST_VECTOR_KICK)
		fake_ipis[apic_id - 100]++;
}

void lapic_timer(u64 deadline)
{
	fake_deadline = deadline;
	fake_programmings++;
}

void fake_core_become(u32 index)
{
	syscall(SYS_arch_prctl, ARCH_SET_GS, &percpu_table[index]);
}

void fake_cores_init(void)
{
	memset(percpu_table, 0, sizeof(percpu_table));
	memset(core_vmm_table, 0, sizeof(core_vmm_table));
	memset(fake_ipis, 0, sizeof(fake_ipis));
	fake_deadline = ~0ull;
	fake_programmings = 0;
	for (u32 i = 0; i < FAKE_CORES; i++) {
		percpu_table[i].self = &percpu_table[i];
		percpu_table[i].index = i;
		percpu_table[i].apic_id = 100 + i;
		percpu_table[i].vmm = &core_vmm_table[i];
		list_init(&core_vmm_table[i].timers);
		core_vmm_table[i].programmed = ~0ull;
	}
	fake_core_become(0);
}

/* LeakSanitizer stops the process by a thread that does not come up while GS is ours. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}

u32 fake_vm_switches;

void mitigation_vm_switch(void)
{
	fake_vm_switches++;
}
