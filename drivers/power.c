#include "drivers/power.h"
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/insn.h"
#include "core/log.h"
#include "drivers/acpi_power.h"
#include "drivers/emulator.h"
#include "drivers/runtime.h"
#include "drivers/serial.h"

/* The keyboard controller's way to the processor's reset line (IBM PC AT "8042"). */
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET	 0xfe

void power_init(const struct boot_info *info, const struct acpi_info *acpi)
{
	runtime_init(info);
	acpi_power_init(acpi);
}

static void flush(void)
{
	log_flush();
	serial_drain();
}

/* From here on this core is alone; others may have been stopped while they held a lock of the log. */
static void go_alone(void)
{
	log_flush();
	interrupts_off();
	smp_stop_others();
	log_emergency();
	flush();
}

static void say_why_not(const char *what, const char *reason)
{
	log_line("%s: %s", what, reason);
	flush();
}

static NORETURN void halt(void)
{
	flush();
	for (;;)
		__asm__ volatile("cli; hlt" : : : "memory");
}

void power_off(void)
{
	go_alone();
	say_why_not("power off", runtime_reset(RUNTIME_RESET_SHUTDOWN));
	say_why_not("power off", acpi_power_off());
	emulator_power_off();
	log_line("The machine does not switch itself off. It is safe to switch it off now.");
	halt();
}

void power_reset(void)
{
	static const struct PACKED {
		u16 limit;
		u64 base;
	} no_idt = {0, 0};

	go_alone();
	say_why_not("reset", runtime_reset(RUNTIME_RESET_COLD));
	say_why_not("reset", acpi_power_reset());
	out8(KEYBOARD_COMMAND, KEYBOARD_RESET);
	/* No handler for the fault of the missing handler: the processor shuts down, and the chipset resets it. */
	__asm__ volatile("lidt %0; int3" : : "m"(no_idt));
	halt();
}
