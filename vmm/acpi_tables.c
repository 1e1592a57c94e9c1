/* ACPI tables of a guest. Field names as in the specification. */
#include "vmm/acpi_tables.h"
#include "lib/string.h"
#include "vmm/devices/acpi_pm.h"
#include "vmm/devices/ioapic.h"
#include "vmm/devices/vlapic.h"
#include "vmm/devices/reset_ports.h"
#include "vmm/devices/rtc146818.h"

#define OEM_ID	     "TRIVSR"
#define OEM_TABLE_ID "TRIVISOR"
#define CREATOR_ID   "TRIV"
#define TABLE_ALIGN  64u

struct acpi_rsdp {
	char signature[8];
	u8 checksum; /* of the first 20 bytes */
	char oem_id[6];
	u8 revision;
	u32 rsdt_address, length;
	u64 xsdt_address;
	u8 extended_checksum, reserved[3];
} PACKED;

#define RSDP_REVISION 2u
#define RSDP_V1_SIZE  20u

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision, checksum;
	char oem_id[6], oem_table_id[8];
	u32 oem_revision;
	char creator_id[4];
	u32 creator_revision;
} PACKED;

/* Generic Address Structure. */
struct acpi_address {
	u8 space, bit_width, bit_offset, access_size;
	u64 address;
} PACKED;

#define SPACE_IO    1
#define ACCESS_BYTE 1
#define ACCESS_WORD 2
#define ACCESS_LONG 3

struct acpi_fadt {
	struct acpi_header header;
	u32 firmware_ctrl, dsdt;
	u8 reserved0, preferred_pm_profile;
	u16 sci_int;
	u32 smi_cmd;
	u8 acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
	u32 pm1a_evt_blk, pm1b_evt_blk, pm1a_cnt_blk, pm1b_cnt_blk, pm2_cnt_blk, pm_tmr_blk, gpe0_blk, gpe1_blk;
	u8 pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_blk_len, gpe1_blk_len, gpe1_base, cst_cnt;
	u16 p_lvl2_lat, p_lvl3_lat, flush_size, flush_stride;
	u8 duty_offset, duty_width, day_alrm, mon_alrm, century;
	u16 iapc_boot_arch;
	u8 reserved1;
	u32 flags;
	struct acpi_address reset_reg;
	u8 reset_value;
	u16 arm_boot_arch;
	u8 minor_version;
	u64 x_firmware_ctrl, x_dsdt;
	struct acpi_address x_pm1a_evt_blk, x_pm1b_evt_blk, x_pm1a_cnt_blk, x_pm1b_cnt_blk, x_pm2_cnt_blk, x_pm_tmr_blk,
		x_gpe0_blk, x_gpe1_blk, sleep_control_reg, sleep_status_reg;
	char hypervisor_vendor_id[8];
} PACKED;

_Static_assert(sizeof(struct acpi_fadt) == 276, "FADT of ACPI 6.3");

#define FADT_REVISION	     6
#define FADT_MINOR	     3
#define FADT_WBINVD	     BIT(0)
#define FADT_PROC_C1	     BIT(2)
#define FADT_SLP_BUTTON	     BIT(5) /* no fixed one */
#define FADT_FIX_RTC	     BIT(6) /* RTC wake is not in the fixed registers */
#define FADT_TMR_VAL_EXT     BIT(8)
#define FADT_RESET_REG_SUP   BIT(10)
#define FADT_HEADLESS	     BIT(12)
#define BOOT_ARCH_LEGACY     BIT(0)
#define BOOT_ARCH_NO_VGA     BIT(2)
#define BOOT_ARCH_NO_ASPM    BIT(4)
#define NO_C2_LATENCY	     101u  /* above 100: there is no C2 */
#define NO_C3_LATENCY	     1001u /* above 1000: there is no C3 */

struct acpi_facs {
	char signature[4];
	u32 length, hardware_signature, waking_vector, global_lock, flags;
	u64 x_waking_vector;
	u8 version, reserved[31];
} PACKED;

_Static_assert(sizeof(struct acpi_facs) == 64, "FACS");

struct acpi_madt {
	struct acpi_header header;
	u32 local_address, flags; /* PCAT_COMPAT: there are 8259s too */
} PACKED;

struct madt_lapic {
	u8 type, length, processor_uid, apic_id;
	u32 flags;
} PACKED;

struct madt_ioapic {
	u8 type, length, id, reserved;
	u32 address, gsi_base;
} PACKED;

struct madt_override {
	u8 type, length, bus, source;
	u32 gsi;
	u16 flags;
} PACKED;

struct madt_lapic_nmi {
	u8 type, length, processor_uid;
	u16 flags;
	u8 lint;
} PACKED;

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_NMI = 4 };

#define MADT_PCAT_COMPAT 1u
#define MADT_ENABLED	 1u
#define MADT_ALL	 0xffu
#define MPS_HIGH_LEVEL	 0x000du /* active high, level triggered */
#define ISA_BUS		 0
#define TIMER_GSI	 2 /* the PIT's line comes to the IOAPIC's input 2, as on every PC */

/* Where the next table goes. */
struct writer {
	u8 *buffer;
	u32 size, used;
	gpa_t gpa;
	bool full;
};

/* Room for a table, zeroed; NULL: none left. */
static void *reserve(struct writer *writer, u32 size, gpa_t *gpa)
{
	u32 at = ALIGN_UP(writer->used, TABLE_ALIGN);

	if (at > writer->size || size > writer->size - at) {
		writer->full = true;
		return NULL;
	}
	writer->used = at + size;
	*gpa = writer->gpa + at;
	return memset(writer->buffer + at, 0, size);
}

/* What makes the bytes add up to 0. */
static u8 checksum(const void *bytes, u32 size)
{
	const u8 *at = bytes;
	u8 sum = 0;

	while (size--)
		sum = (u8)(sum + *at++);
	return (u8)(0 - sum);
}

static void seal(struct acpi_header *header, const char *signature, u32 length, u8 revision)
{
	memcpy(header->signature, signature, sizeof(header->signature));
	memcpy(header->oem_id, OEM_ID, sizeof(header->oem_id));
	memcpy(header->oem_table_id, OEM_TABLE_ID, sizeof(header->oem_table_id));
	memcpy(header->creator_id, CREATOR_ID, sizeof(header->creator_id));
	header->oem_revision = header->creator_revision = 1;
	header->length = length;
	header->revision = revision;
	header->checksum = checksum(header, length);
}

static struct acpi_address io(u16 port, u8 bits, u8 access)
{
	return (struct acpi_address){.space = SPACE_IO, .bit_width = bits, .access_size = access, .address = port};
}

static gpa_t put_facs(struct writer *writer)
{
	gpa_t gpa = 0;
	struct acpi_facs *facs = reserve(writer, sizeof(*facs), &gpa);

	if (!facs)
		return 0;
	memcpy(facs->signature, "FACS", sizeof(facs->signature));
	facs->length = sizeof(*facs);
	facs->version = 2;
	return gpa;
}

static gpa_t put_dsdt(struct writer *writer, const struct acpi_machine *machine)
{
	gpa_t gpa = 0;
	void *dsdt = reserve(writer, machine->dsdt_size, &gpa);

	if (!dsdt)
		return 0;
	memcpy(dsdt, machine->dsdt, machine->dsdt_size);
	return gpa;
}

/* The fixed registers, by the old fields and the new ones, which systems prefer one or the other of. */
static void fill_fadt_registers(struct acpi_fadt *fadt)
{
	fadt->pm1a_evt_blk = ACPI_PM_EVENT_PORT;
	fadt->pm1a_cnt_blk = ACPI_PM_CONTROL_PORT;
	fadt->pm_tmr_blk = ACPI_PM_TIMER_PORT;
	fadt->pm1_evt_len = 4;
	fadt->pm1_cnt_len = 2;
	fadt->pm_tmr_len = 4;
	fadt->x_pm1a_evt_blk = io(ACPI_PM_EVENT_PORT, 32, ACCESS_WORD);
	fadt->x_pm1a_cnt_blk = io(ACPI_PM_CONTROL_PORT, 16, ACCESS_WORD);
	fadt->x_pm_tmr_blk = io(ACPI_PM_TIMER_PORT, 32, ACCESS_LONG);
	fadt->reset_reg = io(RESET_CONTROL_PORT, 8, ACCESS_BYTE);
	fadt->reset_value = RESET_CONTROL_VALUE;
}

/* The 8042 is not announced: it has neither keyboard nor mouse, and looking for them takes a guest seconds. */
static gpa_t put_fadt(struct writer *writer, gpa_t facs, gpa_t dsdt)
{
	gpa_t gpa = 0;
	struct acpi_fadt *fadt = reserve(writer, sizeof(*fadt), &gpa);

	if (!fadt)
		return 0;
	fadt->firmware_ctrl = (u32)facs;
	fadt->dsdt = (u32)dsdt;
	fadt->x_dsdt = dsdt;
	fadt->sci_int = ACPI_PM_LINE;
	fill_fadt_registers(fadt);
	fadt->p_lvl2_lat = NO_C2_LATENCY;
	fadt->p_lvl3_lat = NO_C3_LATENCY;
	fadt->century = RTC_CENTURY;
	fadt->iapc_boot_arch = BOOT_ARCH_LEGACY | BOOT_ARCH_NO_VGA | BOOT_ARCH_NO_ASPM;
	fadt->flags = (u32)(FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_FIX_RTC | FADT_TMR_VAL_EXT |
			    FADT_RESET_REG_SUP | FADT_HEADLESS);
	fadt->minor_version = FADT_MINOR;
	memcpy(fadt->hypervisor_vendor_id, OEM_TABLE_ID, sizeof(fadt->hypervisor_vendor_id));
	seal(&fadt->header, "FACP", sizeof(*fadt), FADT_REVISION);
	return gpa;
}

static u32 madt_size(const struct acpi_machine *machine)
{
	return (u32)(sizeof(struct acpi_madt) + machine->vcpus * sizeof(struct madt_lapic) +
		     sizeof(struct madt_ioapic) + 2 * sizeof(struct madt_override) + sizeof(struct madt_lapic_nmi));
}

/* Append an entry to the MADT. */
static u8 *append(u8 *at, const void *entry, u32 size)
{
	memcpy(at, entry, size);
	return at + size;
}

static gpa_t put_madt(struct writer *writer, const struct acpi_machine *machine)
{
	struct madt_ioapic ioapic = {MADT_IOAPIC, sizeof(ioapic), machine->ioapic_id, 0, IOAPIC_ADDRESS, 0};
	struct madt_override timer = {MADT_OVERRIDE, sizeof(timer), ISA_BUS, 0, TIMER_GSI, 0};
	struct madt_override sci = {MADT_OVERRIDE, sizeof(sci), ISA_BUS, ACPI_PM_LINE, ACPI_PM_LINE, MPS_HIGH_LEVEL};
	struct madt_lapic_nmi nmi = {MADT_LAPIC_NMI, sizeof(nmi), MADT_ALL, 0, 1};
	gpa_t gpa = 0;
	struct acpi_madt *madt = reserve(writer, madt_size(machine), &gpa);
	u8 *at = (u8 *)(madt + 1);

	if (!madt)
		return 0;
	madt->local_address = LAPIC_ADDRESS;
	madt->flags = MADT_PCAT_COMPAT;
	for (u32 i = 0; i < machine->vcpus; i++) {
		struct madt_lapic lapic = {MADT_LAPIC, sizeof(lapic), (u8)i, (u8)i, MADT_ENABLED};

		at = append(at, &lapic, sizeof(lapic));
	}
	at = append(at, &ioapic, sizeof(ioapic));
	at = append(at, &timer, sizeof(timer));
	at = append(at, &sci, sizeof(sci));
	append(at, &nmi, sizeof(nmi));
	seal(&madt->header, "APIC", madt_size(machine), 5);
	return gpa;
}

static gpa_t put_xsdt(struct writer *writer, gpa_t fadt, gpa_t madt)
{
	gpa_t gpa = 0, entries[] = {fadt, madt};
	u32 size = sizeof(struct acpi_header) + sizeof(entries);
	struct acpi_header *xsdt = reserve(writer, size, &gpa);

	if (!xsdt)
		return 0;
	memcpy(xsdt + 1, entries, sizeof(entries));
	seal(xsdt, "XSDT", size, 1);
	return gpa;
}

static void fill_rsdp(struct acpi_rsdp *rsdp, gpa_t xsdt)
{
	memcpy(rsdp->signature, "RSD PTR ", sizeof(rsdp->signature));
	memcpy(rsdp->oem_id, OEM_ID, sizeof(rsdp->oem_id));
	rsdp->revision = RSDP_REVISION;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt_address = xsdt;
	rsdp->checksum = checksum(rsdp, RSDP_V1_SIZE);
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
}

static bool is_dsdt(const struct acpi_machine *machine)
{
	struct acpi_header header;

	if (machine->dsdt_size < sizeof(header))
		return false;
	memcpy(&header, machine->dsdt, sizeof(header));
	return !memcmp(header.signature, "DSDT", sizeof(header.signature)) && header.length == machine->dsdt_size &&
	       !checksum(machine->dsdt, machine->dsdt_size);
}

int acpi_tables_build(const struct acpi_machine *machine, u8 *buffer, u32 size, gpa_t gpa)
{
	struct writer writer = {.buffer = buffer, .size = size, .gpa = gpa};
	gpa_t at = 0, facs, dsdt, fadt, madt, xsdt;
	struct acpi_rsdp *rsdp = reserve(&writer, sizeof(*rsdp), &at);

	if (!is_dsdt(machine) || machine->vcpus > MADT_ALL)
		return ERR_FORMAT;
	facs = put_facs(&writer);
	dsdt = put_dsdt(&writer, machine);
	fadt = put_fadt(&writer, facs, dsdt);
	madt = put_madt(&writer, machine);
	xsdt = put_xsdt(&writer, fadt, madt);
	if (writer.full)
		return ERR_MEMORY;
	fill_rsdp(rsdp, xsdt);
	return (int)writer.used;
}
