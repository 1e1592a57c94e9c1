#include "drivers/acpi_power.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/mmu/root.h"
#include "core/time.h"

#define PM1_SCI_EN     BIT(0) /* ACPI mode is on */
#define PM1_SLP_TYP_AT 10u
#define PM1_SLP_TYP    BITS(12, 10)
#define PM1_SLP_EN     BIT(13)

/* Of SLEEP_CONTROL_REG, on machines with reduced hardware. */
#define SLEEP_TYP_AT 2u
#define SLEEP_EN     BIT(5)

#define OFF_WAIT_MS    2000u
#define ENABLE_WAIT_MS 3000u

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  BIT(31)

/* A register ready for use. */
struct fixed_register {
	struct acpi_register r; /* r.address 0: none */
	volatile void *mapped;	/* in memory */
};

/* Written by acpi_power_init() on the boot core, constant after. */
static struct fixed_register pm1a, pm1b, sleep_control, reset;
static u8 reset_value, sleep_type_a, sleep_type_b, enable_value;
static u16 smi_command;
static bool has_sleep_type;

static struct fixed_register open_register(const struct acpi_register *r)
{
	struct fixed_register fixed = {.r = *r};

	if (r->address == 0 || r->space != ACPI_SPACE_MEMORY)
		return fixed;
	fixed.mapped = map_device(r->address, sizeof(u32), CACHE_UC);
	if (!fixed.mapped)
		fixed.r.address = 0;
	return fixed;
}

void acpi_power_init(const struct acpi_info *acpi)
{
	pm1a = open_register(&acpi->pm1a_control);
	pm1b = open_register(&acpi->pm1b_control);
	sleep_control = open_register(&acpi->sleep_control);
	reset = open_register(&acpi->reset);
	reset_value = acpi->reset_value;
	has_sleep_type = acpi->has_s5;
	sleep_type_a = acpi->s5_a;
	sleep_type_b = acpi->s5_b;
	smi_command = acpi->smi_command_port;
	enable_value = acpi->acpi_enable_value;
}

static u16 read_16(const struct fixed_register *f)
{
	return f->mapped ? *(volatile u16 *)f->mapped : in16((u16)f->r.address);
}

static void write_16(const struct fixed_register *f, u16 value)
{
	if (f->mapped)
		*(volatile u16 *)f->mapped = value;
	else
		out16((u16)f->r.address, value);
}

/* ACPI "Generic Address Structure": an address in PCI space is device, function and offset on bus 0. */
static void write_pci_8(u64 address, u8 value)
{
	u32 device = (u32)(address >> 32) & 0x1f, function = (u32)(address >> 16) & 7, offset = (u32)address & 0xff;

	out32(PCI_ADDRESS, (u32)PCI_ENABLE | device << 11 | function << 8 | (offset & ~3u));
	out8((u16)(PCI_DATA + (offset & 3)), value);
}

static void write_8(const struct fixed_register *f, u8 value)
{
	if (f->mapped)
		*(volatile u8 *)f->mapped = value;
	else if (f->r.space == ACPI_SPACE_PCI)
		write_pci_8(f->r.address, value);
	else
		out8((u16)f->r.address, value);
}

static void wait_for_the_end(void)
{
	u64 start = rdtsc();

	while (rdtsc() - start < ms_to_ticks(OFF_WAIT_MS))
		cpu_pause();
}

/*
 * Sleep types work in ACPI mode; firmware turns it on when told so by an SMI (ACPI "Legacy/ACPI Select and the SCI
 * Interrupt").
 */
static bool enable_acpi_mode(void)
{
	u64 start = rdtsc();

	if (smi_command == 0 || (read_16(&pm1a) & PM1_SCI_EN))
		return true;
	out8(smi_command, enable_value);
	while (!(read_16(&pm1a) & PM1_SCI_EN)) {
		if (rdtsc() - start > ms_to_ticks(ENABLE_WAIT_MS))
			return false;
		cpu_pause();
	}
	return true;
}

static void write_sleep_type(const struct fixed_register *pm1, u8 type, bool enable)
{
	u16 value;

	if (pm1->r.address == 0)
		return;
	value = (u16)((read_16(pm1) & ~(PM1_SLP_TYP | PM1_SLP_EN)) | (u16)(type << PM1_SLP_TYP_AT));
	write_16(pm1, (u16)(value | (enable ? PM1_SLP_EN : 0)));
}

const char *acpi_power_off(void)
{
	if (!has_sleep_type)
		return "ACPI names no \\_S5 sleep type";
	if (sleep_control.r.address != 0) {
		write_8(&sleep_control, (u8)(sleep_type_a << SLEEP_TYP_AT | SLEEP_EN));
		wait_for_the_end();
		return "ACPI's sleep control register did nothing";
	}
	if (pm1a.r.address == 0)
		return "ACPI names no PM1a control register";
	if (!enable_acpi_mode())
		return "firmware does not turn ACPI mode on";
	/* The type first, then type and enable: both registers must hold theirs when the second write arrives. */
	write_sleep_type(&pm1a, sleep_type_a, false);
	write_sleep_type(&pm1b, sleep_type_b, false);
	write_sleep_type(&pm1a, sleep_type_a, true);
	write_sleep_type(&pm1b, sleep_type_b, true);
	wait_for_the_end();
	return "ACPI's PM1 control registers did nothing";
}

const char *acpi_power_reset(void)
{
	if (reset.r.address == 0)
		return "ACPI names no reset register";
	write_8(&reset, reset_value);
	wait_for_the_end();
	return "ACPI's reset register did nothing";
}
