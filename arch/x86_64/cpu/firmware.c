/* Silence for the interrupt hardware that firmware left on: our own interrupts come from local APICs only. */
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/hpet.h"
#include "arch/x86_64/cpu/insn.h"
#include "arch/x86_64/mmu/root.h"
#include "core/log.h"

#define PIC_MASTER_DATA 0x21
#define PIC_SLAVE_DATA	0xa1
#define PIC_ALL_MASKED	0xff

#define IOAPIC_SELECT	   0x00
#define IOAPIC_WINDOW	   0x10
#define IOAPIC_VERSION	   0x01
#define IOAPIC_REDIRECT(n) (0x10 + 2 * (n)) /* low half */
#define REDIRECT_MASKED	   BIT(16)

static u32 ioapic_read(volatile u8 *ioapic, u32 reg)
{
	*(volatile u32 *)(ioapic + IOAPIC_SELECT) = reg;
	return *(volatile u32 *)(ioapic + IOAPIC_WINDOW);
}

static void ioapic_write(volatile u8 *ioapic, u32 reg, u32 value)
{
	*(volatile u32 *)(ioapic + IOAPIC_SELECT) = reg;
	*(volatile u32 *)(ioapic + IOAPIC_WINDOW) = value;
}

static void mask_ioapic(paddr_t pa)
{
	paddr_t page = ALIGN_DOWN(pa, PAGE_SIZE);
	volatile u8 *mapped = map_device(page, PAGE_SIZE, CACHE_UC);
	u32 version;

	if (!mapped) {
		log_line("IOAPIC at 0x%llx could not be mapped: its pins stay as firmware left them",
			 (unsigned long long)pa);
		return;
	}
	mapped += pa - page;
	version = ioapic_read(mapped, IOAPIC_VERSION);
	if (version == ~0u)
		return; /* nothing answers there */
	for (u32 pin = 0; pin <= (version >> 16 & 0xff); pin++)
		ioapic_write(mapped, IOAPIC_REDIRECT(pin),
			     ioapic_read(mapped, IOAPIC_REDIRECT(pin)) | (u32)REDIRECT_MASKED);
}

void cpu_quiet_firmware(const paddr_t *ioapics, u32 count, paddr_t hpet)
{
	out8(PIC_MASTER_DATA, PIC_ALL_MASKED);
	out8(PIC_SLAVE_DATA, PIC_ALL_MASKED);
	for (u32 i = 0; i < count; i++)
		mask_ioapic(ioapics[i]);
	if (hpet_open(hpet))
		hpet_quiet();
}
