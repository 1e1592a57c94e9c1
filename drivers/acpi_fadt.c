/* Timers, power and reset registers (ACPI "Fixed ACPI Description Table (FADT)"). */
#include "drivers/acpi_table.h"

/* Offsets of the fields, by the specification's names. */
enum fadt_field {
	DSDT = 40,
	SMI_CMD = 48,
	ACPI_ENABLE = 52,
	PM1A_CNT_BLK = 64,
	PM1B_CNT_BLK = 68,
	PM_TMR_BLK = 76,
	PM1_CNT_LEN = 89,
	PM_TMR_LEN = 91,
	FLAGS = 112,
	RESET_REG = 116,
	RESET_VALUE = 128,
	X_DSDT = 140,
	X_PM1A_CNT_BLK = 172,
	X_PM1B_CNT_BLK = 184,
	X_PM_TMR_BLK = 208,
	SLEEP_CONTROL_REG = 244,
};

#define TMR_VAL_EXT	      BIT(8)
#define RESET_REG_SUP	      BIT(10)
#define HARDWARE_REDUCED_ACPI BIT(20)

#define PM_TIMER_BYTES	 4u
#define PM1_CNT_BYTES	 2u
#define MAX_PORT	 0xffffu

/* Registers we can write: in a port or in memory. */
static bool is_usable(const struct acpi_register *r)
{
	return r->address != 0 &&
	       (r->space == ACPI_SPACE_MEMORY || (r->space == ACPI_SPACE_IO && r->address <= MAX_PORT));
}

/* The extended field when it holds something usable, else the old one, which is always a port. */
static struct acpi_register either(const struct acpi_table *fadt, u32 extended, u32 old, u8 width)
{
	struct acpi_register r = acpi_table_register(fadt, extended);

	if (is_usable(&r))
		return r;
	r = (struct acpi_register){.space = ACPI_SPACE_IO, .width = width, .address = acpi_table_u32(fadt, old)};
	return is_usable(&r) ? r : (struct acpi_register){0};
}

static void read_timer(struct acpi_info *info, const struct acpi_table *fadt, u32 flags)
{
	struct acpi_register timer = either(fadt, X_PM_TMR_BLK, PM_TMR_BLK, PM_TIMER_BYTES * 8);

	/* A length of 0 says that there is none; the timer in memory exists on paper only. */
	if (acpi_table_u8(fadt, PM_TMR_LEN) != PM_TIMER_BYTES || timer.space != ACPI_SPACE_IO)
		return;
	info->pm_timer_port = (u16)timer.address;
	info->pm_timer_32 = flags & TMR_VAL_EXT;
}

static void read_power(struct acpi_info *info, const struct acpi_table *fadt)
{
	u32 smi_command = acpi_table_u32(fadt, SMI_CMD);

	if (acpi_table_u8(fadt, PM1_CNT_LEN) >= PM1_CNT_BYTES) {
		info->pm1a_control = either(fadt, X_PM1A_CNT_BLK, PM1A_CNT_BLK, PM1_CNT_BYTES * 8);
		info->pm1b_control = either(fadt, X_PM1B_CNT_BLK, PM1B_CNT_BLK, PM1_CNT_BYTES * 8);
	}
	if (smi_command <= MAX_PORT) {
		info->smi_command_port = (u16)smi_command;
		info->acpi_enable_value = acpi_table_u8(fadt, ACPI_ENABLE);
	}
}

static void read_sleep_control(struct acpi_info *info, const struct acpi_table *fadt)
{
	struct acpi_register r = acpi_table_register(fadt, SLEEP_CONTROL_REG);

	if (is_usable(&r))
		info->sleep_control = r;
}

static void read_reset(struct acpi_info *info, const struct acpi_table *fadt)
{
	struct acpi_register r = acpi_table_register(fadt, RESET_REG);

	if (!is_usable(&r) && r.space != ACPI_SPACE_PCI)
		return;
	info->reset = r;
	info->reset_value = acpi_table_u8(fadt, RESET_VALUE);
}

paddr_t acpi_read_fadt(struct acpi_info *info, const struct acpi_table *fadt)
{
	u32 flags = acpi_table_u32(fadt, FLAGS);
	paddr_t dsdt = acpi_table_u64(fadt, X_DSDT);

	info->hardware_reduced = flags & HARDWARE_REDUCED_ACPI;
	if (info->hardware_reduced) {
		read_sleep_control(info, fadt);
	} else {
		read_timer(info, fadt, flags);
		read_power(info, fadt);
	}
	if (flags & RESET_REG_SUP)
		read_reset(info, fadt);
	return dsdt != 0 ? dsdt : acpi_table_u32(fadt, DSDT);
}
