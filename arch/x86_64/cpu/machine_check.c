#include "arch/x86_64/cpu/machine_check.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/cpu/irq.h"
#include "arch/x86_64/cpu/regs.h"
#include "arch/x86_64/cpu/safe.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"

#define CPUID1_EDX_MCE BIT(7)
#define CPUID1_EDX_MCA BIT(14)

#define MCG_CAP_COUNT BITS(7, 0)
#define MCG_CAP_CTL_P BIT(8)
#define MCG_CAP_SER_P BIT(24) /* software error recovery: S and AR of a status mean something */
#define MSR_MCG_CTL   0x17bu

#define MCG_STATUS_RIPV BIT(0)

#define MSR_MC0_CTL 0x400u
enum bank_register { BANK_CTL = 0, BANK_STATUS = 1, BANK_ADDR = 2, BANK_MISC = 3 };

#define STATUS_VALID BIT(63)
#define STATUS_OVER  BIT(62)
#define STATUS_UC    BIT(61)
#define STATUS_MISCV BIT(59)
#define STATUS_ADDRV BIT(58)
#define STATUS_PCC   BIT(57)
#define STATUS_AR    BIT(55) /* with SER_P: action required */

static bool has_banks(void)
{
	u32 edx = cpuid(1, 0).edx;

	return (edx & CPUID1_EDX_MCE) && (edx & CPUID1_EDX_MCA);
}

static u32 bank_msr(u32 bank, enum bank_register which)
{
	return MSR_MC0_CTL + 4 * bank + which;
}

static void log_bank(u32 bank, u64 status)
{
	u64 address = 0, misc = 0;

	if (status & STATUS_ADDRV)
		rdmsr_safe(bank_msr(bank, BANK_ADDR), &address);
	if (status & STATUS_MISCV)
		rdmsr_safe(bank_msr(bank, BANK_MISC), &misc);
	log_urgent("  machine-check bank %u: status %016llx (%s%s) address %llx misc %llx", bank,
		   (unsigned long long)status, status & STATUS_UC ? "uncorrected" : "corrected",
		   status & STATUS_PCC ? ", processor context corrupt" : "", (unsigned long long)address,
		   (unsigned long long)misc);
}

/*
 * May the machine go on after this error? An uncorrected one that calls for no action has harmed nobody yet (SRAO,
 * UCNA).
 */
static bool survivable(u64 status, u64 cap)
{
	if (status & STATUS_PCC)
		return false;
	if (!(status & STATUS_UC))
		return true;
	return (cap & MCG_CAP_SER_P) && !(status & STATUS_AR) && !(status & STATUS_OVER);
}

/* Log and clear all banks. Returns whether every error in them was survivable; *found counts them. */
static bool take_banks(u32 *found)
{
	u64 cap = rdmsr(MSR_MCG_CAP), status;
	bool survives = true;

	*found = 0;
	for (u32 bank = 0; bank < (cap & MCG_CAP_COUNT); bank++) {
		if (!rdmsr_safe(bank_msr(bank, BANK_STATUS), &status) || !(status & STATUS_VALID))
			continue;
		++*found;
		log_bank(bank, status);
		if (!survivable(status, cap))
			survives = false;
		wrmsr_safe(bank_msr(bank, BANK_STATUS), 0);
	}
	return survives;
}

/* Bank 0 of early family 6 parts is the chipset's and left alone (SDM "Machine-Check Initialization Pseudocode"). */
static u32 first_bank(void)
{
	u32 signature = cpuid(1, 0).eax, family = signature >> 8 & 0xf,
	    model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);

	return family == 6 && model < 0x1a ? 1 : 0;
}

void machine_check_init_core(void)
{
	u64 cap;
	u32 found;

	if (!has_banks())
		return;
	cap = rdmsr(MSR_MCG_CAP);
	take_banks(&found);
	if (found)
		log_line("core %u: the %u machine-check records above are from before the start", this_core()->index,
			 found);
	if (cap & MCG_CAP_CTL_P)
		wrmsr_safe(MSR_MCG_CTL, ~0ull);
	for (u32 bank = first_bank(); bank < (cap & MCG_CAP_COUNT); bank++)
		wrmsr_safe(bank_msr(bank, BANK_CTL), ~0ull);
}

void machine_check_handle(u64 rip)
{
	u64 global;
	u32 found;
	bool survives;

	if (!has_banks())
		panic("machine check on core %u, and the CPU has no banks that say why", this_core()->index);
	global = rdmsr(MSR_MCG_STATUS);
	log_urgent("core %u: machine check, status %llx, at %016llx", this_core()->index, (unsigned long long)global,
		   (unsigned long long)rip);
	survives = take_banks(&found);
	/*
	 * Without RIPV the interrupted code cannot go on. Intel's go to all cores, so that one whose banks are empty
	 * has met another's error, and that one decides.
	 */
	if (!survives || !(global & MCG_STATUS_RIPV))
		panic("machine check: hardware error that cannot be recovered from; the banks above say which unit "
		      "reported it");
	/* Left set, the next machine check would shut the processor down. */
	wrmsr(MSR_MCG_STATUS, 0);
}

void mce_handle_exit(void)
{
	machine_check_handle(0);
}
