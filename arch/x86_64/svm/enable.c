/* SVM on each core (APM vol. 2 "Enabling SVM"): is it there, did firmware lock it, EFER.SVME, the host save area. */
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/svm/svm.h"
#include "core/pool.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define MSR_VM_CR	  0xc0010114u
#define MSR_VM_HSAVE_PA	  0xc0010117u
#define VM_CR_LOCK	  BIT(3)
#define VM_CR_SVMDIS	  BIT(4)
#define CPUID_SVM_FEATURE 0x8000000au

struct svm_features svm_features;

static struct svm_features read_features(void)
{
	struct cpuid_leaf leaf = cpuid(CPUID_SVM_FEATURE, 0);

	return svm_read_features(leaf.ebx, leaf.edx);
}

/* Why SVM cannot be used on this core, in words; NULL: it can. */
static const char *obstacle(void)
{
	if (cpuid(0x80000000, 0).eax < CPUID_SVM_FEATURE || !(cpuid(0x80000001, 0).ecx & BIT(2)))
		return "this processor has no AMD-V (CPUID 8000_0001h ECX bit 2 is clear)";
	if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS)
		return rdmsr(MSR_VM_CR) & VM_CR_LOCK ? "AMD-V is switched off and locked by firmware (VM_CR.SVMDIS): "
						       "enable \"SVM Mode\" in the firmware setup"
						     : "AMD-V is switched off (VM_CR.SVMDIS) until it is unlocked by "
						       "firmware: enable \"SVM Mode\" in the firmware setup";
	if (!read_features().nested_paging)
		return "this processor's AMD-V has no nested paging (CPUID 8000_000Ah EDX bit 0 is clear)";
	if (read_features().asids < 2)
		return "this processor's AMD-V has no address-space identifiers (CPUID 8000_000Ah EBX)";
	return NULL;
}

bool svm_probe(struct engine_probe *probe)
{
	const char *reason = obstacle();

	memset(probe, 0, sizeof(*probe));
	if (reason) {
		string_copy(probe->reason, sizeof(probe->reason), reason);
		return false;
	}
	svm_features = read_features();
	svm_name_features(&svm_features, probe->features, sizeof(probe->features));
	return true;
}

bool svm_core_enable(char *reason, size_t size)
{
	struct svm_features here = read_features();
	const char *why = obstacle();
	struct svm_core *core;

	if (why) {
		string_copy(reason, size, why);
		return false;
	}
	svm_features = svm_common_features(&svm_features, &here);
	core = pool_new(sizeof(*core));
	if (core) {
		core->host_save = pool_alloc(1);
		core->host = pool_alloc(1);
	}
	if (!core || !core->host_save || !core->host) {
		string_copy(reason, size, "no memory for the host save area");
		return false;
	}
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, pool_pa(core->host_save));
	__asm__ volatile("vmsave %0" : : "a"(pool_pa(core->host)) : "memory");
	core->tsc_aux = cpu_has(FEATURE_RDTSCP) ? rdmsr(MSR_TSC_AUX) : 0;
	asid_init(&core->asids, here.asids, here.flush_by_asid);
	this_core()->engine = core;
	return true;
}

void svm_core_disable(void)
{
	struct svm_core *core = this_core()->engine;

	svm_gif_set();
	wrmsr(MSR_VM_HSAVE_PA, 0);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SVME);
	pool_free(core->host_save, 1);
	pool_free(core->host, 1);
	pool_delete(core, sizeof(*core));
	this_core()->engine = NULL;
}
