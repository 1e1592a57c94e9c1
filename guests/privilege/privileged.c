/* The privileged instructions (SDM "Privileged Instructions") and those that IOPL guards ("I/O Privilege Level"). */
#include "guests/privilege/privilege.h"

#define PORT_POST      0x80
#define MSR_SYSENTER_CS 0x174u
#define MSR_EFER       0xc0000080u

#define INSTRUCTION(name, text)                      \
	static word name(word ring UNUSED)           \
	{                                            \
		__asm__ volatile(text : : : "memory"); \
		return 0;                            \
	}

INSTRUCTION(run_clts, "clts")
INSTRUCTION(run_cli, "cli")
INSTRUCTION(run_wbinvd, "wbinvd")
INSTRUCTION(run_invd, "wbinvd; invd") /* written back first: on real hardware what is in the cache only is lost */
INSTRUCTION(run_rsm, "rsm")

static word run_sti(word ring UNUSED)
{
	__asm__ volatile("sti; cli" : : : "memory");
	return 0;
}

static word run_hlt(word ring UNUSED)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
	return 0;
}

/* The same in ring 3, where STI would fault first. */
static word run_hlt_alone(word ring)
{
	if (ring == 0)
		return run_hlt(ring);
	hlt();
	return 0;
}

static word run_in(word ring UNUSED)
{
	return in8(PORT_POST);
}

static word run_out(word ring UNUSED)
{
	out8(PORT_POST, 0);
	return 0;
}

static word run_lgdt(word ring UNUSED)
{
	lgdt(&gdt_pointer);
	return 0;
}

static word run_lidt(word ring UNUSED)
{
	lidt(&idt_pointer);
	return 0;
}

static word run_lldt(word ring UNUSED)
{
	__asm__ volatile("lldt %0" : : "r"((u16)0));
	return 0;
}

static word run_ltr(word ring UNUSED)
{
	gdt[SLOT_TSS] &= ~BIT(41); /* not busy, or LTR would refuse it */
	ltr(SELECTOR(SLOT_TSS));
	return 0;
}

static word run_lmsw(word ring UNUSED)
{
	u16 value;

	__asm__ volatile("smsw %0" : "=r"(value));
	__asm__ volatile("lmsw %0" : : "r"(value));
	return 0;
}

static word run_invlpg(word ring UNUSED)
{
	invlpg(gdt);
	return 0;
}

static word run_rdmsr(word ring UNUSED)
{
	return (word)rdmsr(MSR_EFER);
}

static word run_wrmsr(word ring UNUSED)
{
	wrmsr(MSR_SYSENTER_CS, 0);
	return 0;
}

#define READ_REGISTER(name)                     \
	static word run_read_##name(word ring UNUSED) \
	{                                       \
		return read_##name();           \
	}
#define WRITE_REGISTER(name)                     \
	static word run_write_##name(word ring)  \
	{                                        \
		write_##name(ring ? 0 : read_##name()); \
		return 0;                        \
	}
READ_REGISTER(cr0)
READ_REGISTER(cr2)
READ_REGISTER(cr3)
READ_REGISTER(cr4)
READ_REGISTER(dr7)
WRITE_REGISTER(cr0)
WRITE_REGISTER(cr2)
WRITE_REGISTER(cr3)
WRITE_REGISTER(cr4)
WRITE_REGISTER(dr7)

const struct row privileged_rows[] = {
	ROW("CLTS", run_clts, "CR access (28), if set", "CR0 write (0x10)"),
	ROW("HLT", run_hlt_alone, "HLT (12), if set", "HLT (0x78)", .sleeps = true),
	ROW("IN", run_in, "I/O (30), by bitmap", "IOIO (0x7b), by bitmap", .hidden = true),
	ROW("OUT", run_out, "I/O (30), by bitmap", "IOIO (0x7b), by bitmap"),
	ROW("CLI", run_cli, "never", "never"),
	ROW("STI", run_sti, "never", "never"),
	ROW("LGDT", run_lgdt, "GDTR/IDTR (46), if set", "GDTR write (0x6b)"),
	ROW("LIDT", run_lidt, "GDTR/IDTR (46), if set", "IDTR write (0x6a)"),
	ROW("LLDT", run_lldt, "LDTR/TR (47), if set", "LDTR write (0x6c)"),
	ROW("LTR", run_ltr, "LDTR/TR (47), if set", "TR write (0x6d)"),
	ROW("LMSW", run_lmsw, "CR access (28), by mask", "CR0 write (0x10)"),
	ROW("MOV from CR0", run_read_cr0, "never", "CR0 read (0x00)"),
	ROW("MOV to CR0", run_write_cr0, "CR access (28), by mask", "CR0 write (0x10)"),
	ROW("MOV from CR2", run_read_cr2, "never", "CR2 read (0x02)", .hidden = true),
	ROW("MOV to CR2", run_write_cr2, "never", "CR2 write (0x12)"),
	ROW("MOV from CR3", run_read_cr3, "CR access (28), if set", "CR3 read (0x03)"),
	ROW("MOV to CR3", run_write_cr3, "CR access (28), if set", "CR3 write (0x13)"),
	ROW("MOV from CR4", run_read_cr4, "never", "CR4 read (0x04)"),
	ROW("MOV to CR4", run_write_cr4, "CR access (28), by mask", "CR4 write (0x14)"),
	ROW("MOV from DR7", run_read_dr7, "MOV DR (29), if set", "DR7 read (0x27)"),
	ROW("MOV to DR7", run_write_dr7, "MOV DR (29), if set", "DR7 write (0x37)"),
	ROW("RDMSR", run_rdmsr, "RDMSR (31), by bitmap", "MSR (0x7c), by bitmap"),
	ROW("WRMSR", run_wrmsr, "WRMSR (32), by bitmap", "MSR (0x7c), by bitmap"),
	ROW("INVLPG", run_invlpg, "INVLPG (14), if set", "INVLPG (0x79)"),
	ROW("WBINVD", run_wbinvd, "WBINVD (54), if set", "WBINVD (0x89)"),
	ROW("INVD", run_invd, "INVD (13), always", "INVD (0x76)"),
	ROW("RSM outside SMM", run_rsm, "never (#UD)", "RSM (0x73)"),
	{.name = NULL},
};
