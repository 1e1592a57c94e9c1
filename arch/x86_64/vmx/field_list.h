/*
 * Every VMCS field once: X(width, name, encoding, words). The types, the encodings, the dump and the checker's snapshot
 * are all made from this list (SDM vol. 3 appendix "Field Encoding in VMCS").
 */
#ifndef ARCH_VMX_FIELD_LIST_H
#define ARCH_VMX_FIELD_LIST_H

// clang-format off
#define VMCS_FIELD_LIST(X) \
	/* 16-bit control fields */ \
	X(16, VPID, 0x0000, "virtual-processor identifier (VPID)") \
	X(16, POSTED_INTERRUPT_VECTOR, 0x0002, "posted-interrupt notification vector") \
	X(16, EPTP_INDEX, 0x0004, "EPTP index") \
	X(16, HLAT_PREFIX_SIZE, 0x0006, "HLAT prefix size") \
	X(16, LAST_PID_POINTER_INDEX, 0x0008, "last PID-pointer index") \
	/* 16-bit guest-state fields */ \
	X(16, GUEST_ES_SELECTOR, 0x0800, "guest ES selector") \
	X(16, GUEST_CS_SELECTOR, 0x0802, "guest CS selector") \
	X(16, GUEST_SS_SELECTOR, 0x0804, "guest SS selector") \
	X(16, GUEST_DS_SELECTOR, 0x0806, "guest DS selector") \
	X(16, GUEST_FS_SELECTOR, 0x0808, "guest FS selector") \
	X(16, GUEST_GS_SELECTOR, 0x080a, "guest GS selector") \
	X(16, GUEST_LDTR_SELECTOR, 0x080c, "guest LDTR selector") \
	X(16, GUEST_TR_SELECTOR, 0x080e, "guest TR selector") \
	X(16, GUEST_INTERRUPT_STATUS, 0x0810, "guest interrupt status") \
	X(16, PML_INDEX, 0x0812, "PML index") \
	X(16, GUEST_UINV, 0x0814, "guest UINV") \
	/* 16-bit host-state fields */ \
	X(16, HOST_ES_SELECTOR, 0x0c00, "host ES selector") \
	X(16, HOST_CS_SELECTOR, 0x0c02, "host CS selector") \
	X(16, HOST_SS_SELECTOR, 0x0c04, "host SS selector") \
	X(16, HOST_DS_SELECTOR, 0x0c06, "host DS selector") \
	X(16, HOST_FS_SELECTOR, 0x0c08, "host FS selector") \
	X(16, HOST_GS_SELECTOR, 0x0c0a, "host GS selector") \
	X(16, HOST_TR_SELECTOR, 0x0c0c, "host TR selector") \
	/* 64-bit control fields */ \
	X(64, IO_BITMAP_A, 0x2000, "I/O-bitmap A address") \
	X(64, IO_BITMAP_B, 0x2002, "I/O-bitmap B address") \
	X(64, MSR_BITMAP, 0x2004, "MSR-bitmap address") \
	X(64, EXIT_MSR_STORE_ADDRESS, 0x2006, "VM-exit MSR-store address") \
	X(64, EXIT_MSR_LOAD_ADDRESS, 0x2008, "VM-exit MSR-load address") \
	X(64, ENTRY_MSR_LOAD_ADDRESS, 0x200a, "VM-entry MSR-load address") \
	X(64, EXECUTIVE_VMCS, 0x200c, "executive-VMCS pointer") \
	X(64, PML_ADDRESS, 0x200e, "PML address") \
	X(64, TSC_OFFSET, 0x2010, "TSC offset") \
	X(64, VIRTUAL_APIC_ADDRESS, 0x2012, "virtual-APIC address") \
	X(64, APIC_ACCESS_ADDRESS, 0x2014, "APIC-access address") \
	X(64, POSTED_INTERRUPT_DESCRIPTOR, 0x2016, "posted-interrupt descriptor address") \
	X(64, VM_FUNCTION_CONTROLS, 0x2018, "VM-function controls") \
	X(64, EPT_POINTER, 0x201a, "EPT pointer (EPTP)") \
	X(64, EOI_EXIT_BITMAP_0, 0x201c, "EOI-exit bitmap 0") \
	X(64, EOI_EXIT_BITMAP_1, 0x201e, "EOI-exit bitmap 1") \
	X(64, EOI_EXIT_BITMAP_2, 0x2020, "EOI-exit bitmap 2") \
	X(64, EOI_EXIT_BITMAP_3, 0x2022, "EOI-exit bitmap 3") \
	X(64, EPTP_LIST_ADDRESS, 0x2024, "EPTP-list address") \
	X(64, VMREAD_BITMAP, 0x2026, "VMREAD-bitmap address") \
	X(64, VMWRITE_BITMAP, 0x2028, "VMWRITE-bitmap address") \
	X(64, VE_INFORMATION_ADDRESS, 0x202a, "virtualization-exception information address") \
	X(64, XSS_EXITING_BITMAP, 0x202c, "XSS-exiting bitmap") \
	X(64, ENCLS_EXITING_BITMAP, 0x202e, "ENCLS-exiting bitmap") \
	X(64, SPP_TABLE_POINTER, 0x2030, "sub-page-permission-table pointer") \
	X(64, TSC_MULTIPLIER, 0x2032, "TSC multiplier") \
	X(64, TERTIARY_CONTROLS, 0x2034, "tertiary processor-based controls") \
	X(64, ENCLV_EXITING_BITMAP, 0x2036, "ENCLV-exiting bitmap") \
	X(64, LOW_PASID_DIRECTORY, 0x2038, "low PASID directory address") \
	X(64, HIGH_PASID_DIRECTORY, 0x203a, "high PASID directory address") \
	X(64, SHARED_EPT_POINTER, 0x203c, "shared EPT pointer") \
	X(64, PCONFIG_EXITING_BITMAP, 0x203e, "PCONFIG-exiting bitmap") \
	X(64, HLAT_POINTER, 0x2040, "HLAT pointer") \
	X(64, PID_POINTER_TABLE, 0x2042, "PID-pointer table address") \
	X(64, SECONDARY_EXIT_CONTROLS, 0x2044, "secondary VM-exit controls") \
	X(64, SPEC_CTRL_MASK, 0x204a, "IA32_SPEC_CTRL mask") \
	X(64, SPEC_CTRL_SHADOW, 0x204c, "IA32_SPEC_CTRL shadow") \
	/* 64-bit read-only field */ \
	X(64, GUEST_PHYSICAL_ADDRESS, 0x2400, "guest-physical address") \
	/* 64-bit guest-state fields */ \
	X(64, VMCS_LINK_POINTER, 0x2800, "VMCS link pointer") \
	X(64, GUEST_DEBUGCTL, 0x2802, "guest IA32_DEBUGCTL") \
	X(64, GUEST_PAT, 0x2804, "guest IA32_PAT") \
	X(64, GUEST_EFER, 0x2806, "guest IA32_EFER") \
	X(64, GUEST_PERF_GLOBAL_CTRL, 0x2808, "guest IA32_PERF_GLOBAL_CTRL") \
	X(64, GUEST_PDPTE0, 0x280a, "guest PDPTE0") \
	X(64, GUEST_PDPTE1, 0x280c, "guest PDPTE1") \
	X(64, GUEST_PDPTE2, 0x280e, "guest PDPTE2") \
	X(64, GUEST_PDPTE3, 0x2810, "guest PDPTE3") \
	X(64, GUEST_BNDCFGS, 0x2812, "guest IA32_BNDCFGS") \
	X(64, GUEST_RTIT_CTL, 0x2814, "guest IA32_RTIT_CTL") \
	X(64, GUEST_LBR_CTL, 0x2816, "guest IA32_LBR_CTL") \
	X(64, GUEST_PKRS, 0x2818, "guest IA32_PKRS") \
	/* 64-bit host-state fields */ \
	X(64, HOST_PAT, 0x2c00, "host IA32_PAT") \
	X(64, HOST_EFER, 0x2c02, "host IA32_EFER") \
	X(64, HOST_PERF_GLOBAL_CTRL, 0x2c04, "host IA32_PERF_GLOBAL_CTRL") \
	X(64, HOST_PKRS, 0x2c06, "host IA32_PKRS") \
	/* 32-bit control fields */ \
	X(32, PIN_CONTROLS, 0x4000, "pin-based controls") \
	X(32, PRIMARY_CONTROLS, 0x4002, "primary processor-based controls") \
	X(32, EXCEPTION_BITMAP, 0x4004, "exception bitmap") \
	X(32, PAGE_FAULT_ERROR_MASK, 0x4006, "page-fault error-code mask") \
	X(32, PAGE_FAULT_ERROR_MATCH, 0x4008, "page-fault error-code match") \
	X(32, CR3_TARGET_COUNT, 0x400a, "CR3-target count") \
	X(32, EXIT_CONTROLS, 0x400c, "VM-exit controls") \
	X(32, EXIT_MSR_STORE_COUNT, 0x400e, "VM-exit MSR-store count") \
	X(32, EXIT_MSR_LOAD_COUNT, 0x4010, "VM-exit MSR-load count") \
	X(32, ENTRY_CONTROLS, 0x4012, "VM-entry controls") \
	X(32, ENTRY_MSR_LOAD_COUNT, 0x4014, "VM-entry MSR-load count") \
	X(32, ENTRY_INTERRUPTION_INFO, 0x4016, "VM-entry interruption information") \
	X(32, ENTRY_EXCEPTION_ERROR, 0x4018, "VM-entry exception error code") \
	X(32, ENTRY_INSTRUCTION_LENGTH, 0x401a, "VM-entry instruction length") \
	X(32, TPR_THRESHOLD, 0x401c, "TPR threshold") \
	X(32, SECONDARY_CONTROLS, 0x401e, "secondary processor-based controls") \
	X(32, PLE_GAP, 0x4020, "PAUSE-loop exiting gap") \
	X(32, PLE_WINDOW, 0x4022, "PAUSE-loop exiting window") \
	X(32, INSTRUCTION_TIMEOUT, 0x4024, "instruction-timeout control") \
	/* 32-bit read-only fields */ \
	X(32, INSTRUCTION_ERROR, 0x4400, "VM-instruction error") \
	X(32, EXIT_REASON, 0x4402, "exit reason") \
	X(32, EXIT_INTERRUPTION_INFO, 0x4404, "VM-exit interruption information") \
	X(32, EXIT_INTERRUPTION_ERROR, 0x4406, "VM-exit interruption error code") \
	X(32, IDT_VECTORING_INFO, 0x4408, "IDT-vectoring information") \
	X(32, IDT_VECTORING_ERROR, 0x440a, "IDT-vectoring error code") \
	X(32, EXIT_INSTRUCTION_LENGTH, 0x440c, "VM-exit instruction length") \
	X(32, EXIT_INSTRUCTION_INFO, 0x440e, "VM-exit instruction information") \
	/* 32-bit guest-state fields */ \
	X(32, GUEST_ES_LIMIT, 0x4800, "guest ES limit") \
	X(32, GUEST_CS_LIMIT, 0x4802, "guest CS limit") \
	X(32, GUEST_SS_LIMIT, 0x4804, "guest SS limit") \
	X(32, GUEST_DS_LIMIT, 0x4806, "guest DS limit") \
	X(32, GUEST_FS_LIMIT, 0x4808, "guest FS limit") \
	X(32, GUEST_GS_LIMIT, 0x480a, "guest GS limit") \
	X(32, GUEST_LDTR_LIMIT, 0x480c, "guest LDTR limit") \
	X(32, GUEST_TR_LIMIT, 0x480e, "guest TR limit") \
	X(32, GUEST_GDTR_LIMIT, 0x4810, "guest GDTR limit") \
	X(32, GUEST_IDTR_LIMIT, 0x4812, "guest IDTR limit") \
	X(32, GUEST_ES_RIGHTS, 0x4814, "guest ES access rights") \
	X(32, GUEST_CS_RIGHTS, 0x4816, "guest CS access rights") \
	X(32, GUEST_SS_RIGHTS, 0x4818, "guest SS access rights") \
	X(32, GUEST_DS_RIGHTS, 0x481a, "guest DS access rights") \
	X(32, GUEST_FS_RIGHTS, 0x481c, "guest FS access rights") \
	X(32, GUEST_GS_RIGHTS, 0x481e, "guest GS access rights") \
	X(32, GUEST_LDTR_RIGHTS, 0x4820, "guest LDTR access rights") \
	X(32, GUEST_TR_RIGHTS, 0x4822, "guest TR access rights") \
	X(32, GUEST_INTERRUPTIBILITY, 0x4824, "guest interruptibility state") \
	X(32, GUEST_ACTIVITY, 0x4826, "guest activity state") \
	X(32, GUEST_SMBASE, 0x4828, "guest SMBASE") \
	X(32, GUEST_SYSENTER_CS, 0x482a, "guest IA32_SYSENTER_CS") \
	X(32, PREEMPTION_TIMER, 0x482e, "VMX-preemption timer value") \
	/* 32-bit host-state field */ \
	X(32, HOST_SYSENTER_CS, 0x4c00, "host IA32_SYSENTER_CS") \
	/* Natural-width control fields */ \
	X(natural, CR0_MASK, 0x6000, "CR0 guest/host mask") \
	X(natural, CR4_MASK, 0x6002, "CR4 guest/host mask") \
	X(natural, CR0_SHADOW, 0x6004, "CR0 read shadow") \
	X(natural, CR4_SHADOW, 0x6006, "CR4 read shadow") \
	X(natural, CR3_TARGET_0, 0x6008, "CR3-target value 0") \
	X(natural, CR3_TARGET_1, 0x600a, "CR3-target value 1") \
	X(natural, CR3_TARGET_2, 0x600c, "CR3-target value 2") \
	X(natural, CR3_TARGET_3, 0x600e, "CR3-target value 3") \
	/* Natural-width read-only fields */ \
	X(natural, EXIT_QUALIFICATION, 0x6400, "exit qualification") \
	X(natural, IO_RCX, 0x6402, "I/O RCX") \
	X(natural, IO_RSI, 0x6404, "I/O RSI") \
	X(natural, IO_RDI, 0x6406, "I/O RDI") \
	X(natural, IO_RIP, 0x6408, "I/O RIP") \
	X(natural, GUEST_LINEAR_ADDRESS, 0x640a, "guest-linear address") \
	/* Natural-width guest-state fields */ \
	X(natural, GUEST_CR0, 0x6800, "guest CR0") \
	X(natural, GUEST_CR3, 0x6802, "guest CR3") \
	X(natural, GUEST_CR4, 0x6804, "guest CR4") \
	X(natural, GUEST_ES_BASE, 0x6806, "guest ES base") \
	X(natural, GUEST_CS_BASE, 0x6808, "guest CS base") \
	X(natural, GUEST_SS_BASE, 0x680a, "guest SS base") \
	X(natural, GUEST_DS_BASE, 0x680c, "guest DS base") \
	X(natural, GUEST_FS_BASE, 0x680e, "guest FS base") \
	X(natural, GUEST_GS_BASE, 0x6810, "guest GS base") \
	X(natural, GUEST_LDTR_BASE, 0x6812, "guest LDTR base") \
	X(natural, GUEST_TR_BASE, 0x6814, "guest TR base") \
	X(natural, GUEST_GDTR_BASE, 0x6816, "guest GDTR base") \
	X(natural, GUEST_IDTR_BASE, 0x6818, "guest IDTR base") \
	X(natural, GUEST_DR7, 0x681a, "guest DR7") \
	X(natural, GUEST_RSP, 0x681c, "guest RSP") \
	X(natural, GUEST_RIP, 0x681e, "guest RIP") \
	X(natural, GUEST_RFLAGS, 0x6820, "guest RFLAGS") \
	X(natural, GUEST_PENDING_DEBUG, 0x6822, "guest pending debug exceptions") \
	X(natural, GUEST_SYSENTER_ESP, 0x6824, "guest IA32_SYSENTER_ESP") \
	X(natural, GUEST_SYSENTER_EIP, 0x6826, "guest IA32_SYSENTER_EIP") \
	X(natural, GUEST_S_CET, 0x6828, "guest IA32_S_CET") \
	X(natural, GUEST_SSP, 0x682a, "guest SSP") \
	X(natural, GUEST_INTERRUPT_SSP_TABLE, 0x682c, "guest IA32_INTERRUPT_SSP_TABLE_ADDR") \
	/* Natural-width host-state fields */ \
	X(natural, HOST_CR0, 0x6c00, "host CR0") \
	X(natural, HOST_CR3, 0x6c02, "host CR3") \
	X(natural, HOST_CR4, 0x6c04, "host CR4") \
	X(natural, HOST_FS_BASE, 0x6c06, "host FS base") \
	X(natural, HOST_GS_BASE, 0x6c08, "host GS base") \
	X(natural, HOST_TR_BASE, 0x6c0a, "host TR base") \
	X(natural, HOST_GDTR_BASE, 0x6c0c, "host GDTR base") \
	X(natural, HOST_IDTR_BASE, 0x6c0e, "host IDTR base") \
	X(natural, HOST_SYSENTER_ESP, 0x6c10, "host IA32_SYSENTER_ESP") \
	X(natural, HOST_SYSENTER_EIP, 0x6c12, "host IA32_SYSENTER_EIP") \
	X(natural, HOST_RSP, 0x6c14, "host RSP") \
	X(natural, HOST_RIP, 0x6c16, "host RIP") \
	X(natural, HOST_S_CET, 0x6c18, "host IA32_S_CET") \
	X(natural, HOST_SSP, 0x6c1a, "host SSP") \
	X(natural, HOST_INTERRUPT_SSP_TABLE, 0x6c1c, "host IA32_INTERRUPT_SSP_TABLE_ADDR")
// clang-format on

#endif
