/*
 * The VMX instructions as inline functions, one each (SDM vol. 3 "VMX Instruction Reference"). Not pure. A field that
 * this processor must have and has not is our own broken invariant: VMREAD and VMWRITE panic by name.
 */
#ifndef ARCH_VMX_VMCS_H
#define ARCH_VMX_VMCS_H

#include "arch/x86_64/vmx/fields.h"

/* "VMREAD of guest RIP failed", with the VM-instruction error. (vmcs.c) */
NORETURN void vmcs_access_failed(const char *instruction, u32 encoding);

/* By encoding, for tables; everything else uses the typed functions below. CF or ZF set: VMfail. */
static inline u64 vmcs_read_encoding(u32 encoding)
{
	u64 value;

	__asm__ goto("vmread %1, %0; jbe %l[failed]" : "=rm"(value) : "r"((u64)encoding) : "cc" : failed);
	return value;
failed:
	vmcs_access_failed("VMREAD", encoding);
}

/*
 * Into memory, all 64 bits of it: above a narrower field they are 0 (SDM "VMREAD—Read Field from Virtual-Machine
 * Control Structure").
 */
static inline void vmcs_read_to(u32 encoding, u64 *value)
{
	__asm__ goto("vmread %1, %0; jbe %l[failed]" : "=m"(*value) : "r"((u64)encoding) : "cc" : failed);
	return;
failed:
	vmcs_access_failed("VMREAD", encoding);
}

/*
 * One that every processor has, read together with others, the last of which is checked: without a current VMCS all
 * fail alike.
 */
static inline void vmcs_read_unchecked(u32 encoding, u64 *value)
{
	__asm__ volatile("vmread %1, %0" : "=m"(*value) : "r"((u64)encoding) : "cc");
}

static inline void vmcs_write_encoding(u32 encoding, u64 value)
{
	__asm__ goto("vmwrite %0, %1; jbe %l[failed]" : : "rm"(value), "r"((u64)encoding) : "cc", "memory" : failed);
	return;
failed:
	vmcs_access_failed("VMWRITE", encoding);
}

/* For the dump: false when this processor does not have the field. */
static inline bool vmcs_try_read(u32 encoding, u64 *value)
{
	bool failed;

	__asm__ volatile("vmread %2, %1" : "=@ccbe"(failed), "=r"(*value) : "r"((u64)encoding));
	return !failed;
}

static inline u16 vmread16(struct vmcs16 field)
{
	return (u16)vmcs_read_encoding(field.encoding);
}

static inline u32 vmread32(struct vmcs32 field)
{
	return (u32)vmcs_read_encoding(field.encoding);
}

static inline u64 vmread64(struct vmcs64 field)
{
	return vmcs_read_encoding(field.encoding);
}

static inline u64 vmread(struct vmcs_natural field)
{
	return vmcs_read_encoding(field.encoding);
}

static inline void vmwrite16(struct vmcs16 field, u16 value)
{
	vmcs_write_encoding(field.encoding, value);
}

static inline void vmwrite32(struct vmcs32 field, u32 value)
{
	vmcs_write_encoding(field.encoding, value);
}

static inline void vmwrite64(struct vmcs64 field, u64 value)
{
	vmcs_write_encoding(field.encoding, value);
}

static inline void vmwrite(struct vmcs_natural field, u64 value)
{
	vmcs_write_encoding(field.encoding, value);
}

/* The rest say whether they succeeded. */
static inline bool vmxon(paddr_t region)
{
	bool failed;

	__asm__ volatile("vmxon %1" : "=@ccbe"(failed) : "m"(region) : "memory");
	return !failed;
}

static inline void vmxoff(void)
{
	__asm__ volatile("vmxoff" : : : "cc", "memory");
}

static inline bool vmclear(paddr_t vmcs)
{
	bool failed;

	__asm__ volatile("vmclear %1" : "=@ccbe"(failed) : "m"(vmcs) : "memory");
	return !failed;
}

static inline bool vmptrld(paddr_t vmcs)
{
	bool failed;

	__asm__ volatile("vmptrld %1" : "=@ccbe"(failed) : "m"(vmcs) : "memory");
	return !failed;
}

enum invept_type { INVEPT_SINGLE = 1, INVEPT_ALL = 2 };
enum invvpid_type { INVVPID_ADDRESS = 0, INVVPID_SINGLE = 1, INVVPID_ALL = 2 };

static inline bool invept(enum invept_type type, u64 ept_pointer)
{
	struct {
		u64 ept_pointer, zero;
	} descriptor = {ept_pointer, 0};
	bool failed;

	__asm__ volatile("invept %1, %2" : "=@ccbe"(failed) : "m"(descriptor), "r"((u64)type) : "memory");
	return !failed;
}

static inline bool invvpid(enum invvpid_type type, u16 vpid, gva_t address)
{
	struct {
		u64 vpid;
		gva_t address;
	} descriptor = {vpid, address};
	bool failed;

	__asm__ volatile("invvpid %1, %2" : "=@ccbe"(failed) : "m"(descriptor), "r"((u64)type) : "memory");
	return !failed;
}

#endif
