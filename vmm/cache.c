/*
 * INVD and WBINVD. The host's caches hold other VMs' and our own modified lines, so a guest's INVD must never throw
 * them away: it is done as WBINVD, which an observer cannot tell from a cache that happened to be clean. Guest memory
 * is coherent to begin with and no device does DMA behind the caches' back, so nothing has to be written to memory for
 * the guest's sake, and a real WBINVD would let a guest stop the whole socket for milliseconds at will: the instruction
 * is done when all of the VM's writes are globally visible, which they are.
 */
#include "vmm/handlers.h"

enum verdict handle_cache(struct vcpu *vcpu, const struct vm_exit *exit)
{
	(void)vcpu;
	(void)exit;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return VERDICT_ADVANCE;
}
