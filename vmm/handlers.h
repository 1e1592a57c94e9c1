/* The handlers that vmm/exit.c's table names, one concept a file. */
#ifndef VMM_HANDLERS_H
#define VMM_HANDLERS_H

#include "vmm/exit.h"

/* interrupt.c */
enum verdict handle_physical(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_slice(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_window(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_apic(struct vcpu *vcpu, const struct vm_exit *exit);
/* cpuid.c msr.c cr.c dr.c xsetbv.c hlt.c io.c memory.c hypercall.c task_switch.c cache.c */
enum verdict handle_cpuid(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_msr_read(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_msr_write(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_cr(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_dr(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_xsetbv(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_hlt(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_pause(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_io(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_memory(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_hypercall(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_task_switch(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_cache(struct vcpu *vcpu, const struct vm_exit *exit);
/* exception.c */
enum verdict handle_exception(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_undefined(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_denied(struct vcpu *vcpu, const struct vm_exit *exit);
/* fatal.c */
enum verdict handle_triple_fault(struct vcpu *vcpu, const struct vm_exit *exit);
enum verdict handle_unexpected(struct vcpu *vcpu, const struct vm_exit *exit);

#endif
