/*
 * Firmware's ACPI tables: which cores and IOAPICs there are, timers, and how to power off. Pure: memory is read through
 * a callback, and every length and checksum is verified first, since tables come from whoever wrote the firmware.
 * Fuzzed. Structures and names: ACPI specification, "ACPI Software Programming Model".
 */
#ifndef DRIVERS_ACPI_H
#define DRIVERS_ACPI_H

#include "lib/types.h"

#define ACPI_MAX_CPUS	  256
#define ACPI_MAX_IOAPICS  16
#define ACPI_MAX_PROBLEMS 8

struct acpi_reader {
	/* Copy `size` bytes of physical memory, which may cross pages. False: they cannot be read. */
	bool (*read)(void *context, paddr_t pa, void *to, u64 size);
	void *context;
};

enum acpi_space {
	ACPI_SPACE_MEMORY = 0,
	ACPI_SPACE_IO = 1,
	ACPI_SPACE_PCI = 2, /* bus 0: device, function and offset in the address */
};

/* A register (ACPI "Generic Address Structure"). address 0: there is none. */
struct acpi_register {
	u8 space; /* enum acpi_space; others are of no use here */
	u8 width; /* bits */
	u8 offset;
	u8 access;
	u64 address;
};

#define ACPI_CPU_ENABLED	BIT(0)
#define ACPI_CPU_ONLINE_CAPABLE BIT(1) /* not there now, but may be brought up while the system runs */

struct acpi_cpu {
	u32 apic_id;
	u32 flags;
};

struct acpi_ioapic {
	u32 id, gsi_base;
	paddr_t pa;
};

/* What is wrong with which table. */
struct acpi_problem {
	char table[5];
	const char *what;
};

struct acpi_info {
	u32 cpu_count, ioapic_count;
	struct acpi_cpu cpu[ACPI_MAX_CPUS]; /* each APIC ID once */
	struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS];
	paddr_t lapic_pa;
	bool has_8259;

	u16 pm_timer_port; /* 0: none in I/O space */
	bool pm_timer_32;  /* 32 bits wide; else 24 */
	paddr_t hpet;	   /* 0: none */

	struct acpi_register pm1a_control, pm1b_control;
	struct acpi_register sleep_control; /* of machines with ACPI_HARDWARE_REDUCED */
	struct acpi_register reset;
	u8 reset_value;
	u16 smi_command_port; /* 0: ACPI mode is always on */
	u8 acpi_enable_value;
	bool hardware_reduced;

	bool has_s5;	 /* the sleep types to write for soft off */
	u8 s5_a, s5_b; /* 0..7 */

	u32 problem_count; /* may exceed ACPI_MAX_PROBLEMS */
	struct acpi_problem problem[ACPI_MAX_PROBLEMS];
};

/*
 * Read what the RSDP at `rsdp` leads to into `info`. ERR_FORMAT: there is no valid RSDP, or no valid table list (why:
 * in `problem`); then all else in info is empty. OK otherwise; a table that is missing leaves its part of info 0, one
 * that is bad does too and is in `problem`.
 */
int acpi_read(struct acpi_info *info, const struct acpi_reader *reader, paddr_t rsdp);

#endif
