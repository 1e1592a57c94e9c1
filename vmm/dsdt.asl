/*
 * The guest's DSDT: what an operating system cannot find out by probing. One for all VMs; what differs between them (processors, memory)
 * is in tables that vmm/acpi_tables.c makes. Compiled by iasl at build time.
 */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "TRIVSR", "TRIVISOR", 1)
{
	/* Power-off: ACPI_SLEEP_S5 of vmm/devices/acpi_pm.h. */
	Name (\_S5, Package () { 5, 5, 0, 0 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0xff, 0, 0x100)
				IO (Decode16, 0x0cf8, 0x0cf8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0, 0x0cf7, 0, 0x0cf8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0d00, 0xffff, 0, 0xf300)
				/* The hole below 4 GiB, up to the IOAPIC. */
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
					0, 0xc0000000, 0xfebfffff, 0, 0x3ec00000)
			})

			Device (PIC)
			{
				Name (_HID, EisaId ("PNP0000"))
				Name (_CRS, ResourceTemplate ()
				{
					IO (Decode16, 0x20, 0x20, 1, 2)
					IO (Decode16, 0xa0, 0xa0, 1, 2)
					IO (Decode16, 0x4d0, 0x4d0, 1, 2)
					IRQNoFlags () { 2 }
				})
			}

			Device (TIMR)
			{
				Name (_HID, EisaId ("PNP0100"))
				Name (_CRS, ResourceTemplate ()
				{
					IO (Decode16, 0x40, 0x40, 1, 4)
					IO (Decode16, 0x61, 0x61, 1, 1)
					IRQNoFlags () { 0 }
				})
			}

			Device (RTC)
			{
				Name (_HID, EisaId ("PNP0B00"))
				Name (_CRS, ResourceTemplate ()
				{
					IO (Decode16, 0x70, 0x70, 1, 2)
					IRQNoFlags () { 8 }
				})
			}

			Device (COM1)
			{
				Name (_HID, EisaId ("PNP0501"))
				Name (_UID, 1)
				Name (_CRS, ResourceTemplate ()
				{
					IO (Decode16, 0x3f8, 0x3f8, 8, 8)
					IRQNoFlags () { 4 }
				})
			}

			/* Where a kernel says that it has panicked: vmm/devices/pvpanic.h. */
			Device (PEVT)
			{
				Name (_HID, "QEMU0001")
				Name (_CRS, ResourceTemplate ()
				{
					IO (Decode16, 0x505, 0x505, 1, 1)
				})
			}

			/* Ports that belong to no driver: PM registers, reset, debug console and exit. */
			Device (SYSR)
			{
				Name (_HID, EisaId ("PNP0C02"))
				Name (_CRS, ResourceTemplate ()
				{
					IO (Decode16, 0x92, 0x92, 1, 1)
					IO (Decode16, 0xe9, 0xe9, 1, 1)
					IO (Decode16, 0xf4, 0xf4, 1, 4)
					IO (Decode16, 0x600, 0x600, 1, 0x10)
				})
			}
		}
	}
}
