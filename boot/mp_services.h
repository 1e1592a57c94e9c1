/*
 * EFI_MP_SERVICES_PROTOCOL, as far as the loader calls it (PI specification vol. 2 "MP Services Protocol"); gnu-efi
 * lacks it.
 */
#ifndef BOOT_MP_SERVICES_H
#define BOOT_MP_SERVICES_H

#include <efi.h>
#include "lib/types.h"

#define MP_SERVICES_GUID {0x3fdda605, 0xa76e, 0x4f46, {0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08}}

struct mp_processor_information {
	u64 processor_id; /* local APIC ID in the low 32 bits */
	u32 status;	  /* bits as BOOT_CPU_* */
	u32 package, core, thread;
	u32 extended[6]; /* written only when asked for; room for it all the same */
};

struct mp_services {
	EFI_STATUS(EFIAPI *get_number_of_processors)(struct mp_services *self, UINTN *all, UINTN *enabled);
	EFI_STATUS(EFIAPI *get_processor_info)(struct mp_services *self, UINTN number,
					       struct mp_processor_information *info);
	/* StartupAllAPs, StartupThisAP, SwitchBSP, EnableDisableAP and WhoAmI follow; not called. */
};

#endif
