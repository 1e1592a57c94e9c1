; The console font, unpacked by the Makefile from Debian's console-setup-linux.
section .rodata
global font_psf
global font_psf_end
align 16
font_psf:
	incbin "font.psf"
font_psf_end:
