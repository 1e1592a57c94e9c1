; The guests' DSDT, compiled from vmm/dsdt.asl.
section .rodata
global dsdt_aml, dsdt_aml_size
align 16
dsdt_aml:
	incbin "dsdt.aml"
dsdt_end:
align 4
dsdt_aml_size:
	dd dsdt_end - dsdt_aml
