#include "vmm/apic.h"
#include "arch/x86_64/cpu/insn.h"
#include "core/percpu.h"
#include "core/pool.h"
#include "core/time.h"
#include "vmm/machine.h"
#include "vmm/sched.h"
#include "vmm/vm.h"
#include "vmm/cpuid.h"
#include "vmm/vcpu.h"

/* Something may have changed what is to be delivered: decide again before the next entry. */
static void look_again(struct vcpu *vcpu)
{
	__atomic_fetch_or(&vcpu->attention, ATTENTION_EVENT, __ATOMIC_RELAXED);
}

/* The same for a vCPU that may be anywhere, in a HLT too. */
static void call_attention(struct vcpu *vcpu)
{
	sched_kick(vcpu, ATTENTION_EVENT);
	sched_wake(vcpu);
}

static void ipi(void *context, struct vlapic *from, enum apic_shorthand to, const struct apic_message *message)
{
	apic_send(&((struct vm_apic *)context)->bus, from, to, message);
}

static void eoi(void *context, u8 vector)
{
	ioapic_eoi(((struct vm_apic *)context)->ioapic, vector);
}

static void lapic_attention(void *context, struct vlapic *lapic)
{
	call_attention(((struct vm_apic *)context)->vm->vcpu[lapic->id]);
}

static u64 host_tsc(void *context, struct vlapic *lapic, u64 tsc)
{
	u64 now = rdtsc(), guest = now + ((struct vm_apic *)context)->vm->vcpu[lapic->id]->tsc_offset;

	return tsc > guest ? now + (tsc - guest) : now;
}

static void ioapic_message(void *context, const struct apic_message *message)
{
	apic_send(&((struct vm_apic *)context)->bus, NULL, APIC_TO_DESTINATION, message);
}

/* The PIC's output is wired to LINT0 of every processor; the boot processor is the one that has it unmasked. */
static void pic_intr(void *context, bool level)
{
	if (level)
		call_attention(((struct vm_apic *)context)->vm->vcpu[0]);
}

/*
 * INIT and STARTUP have nobody to start: a VM has one processor yet, and that one does not reset itself by its own IPI.
 */
static void take_posts(struct vcpu *vcpu, struct vcpu_apic *own)
{
	u8 startup_vector;
	u32 signals;

	vlapic_collect(&own->lapic);
	signals = vlapic_take_signals(&own->lapic, &startup_vector);
	if (signals & LAPIC_SIGNAL_NMI)
		vcpu->events.nmi_pending = true;
	if (signals & LAPIC_SIGNAL_EXTINT)
		__atomic_store_n(&own->all->extint, true, __ATOMIC_RELAXED);
}

/* Its output is active: whether that reaches this vCPU. */
static bool __attribute__((noinline)) pic_reaches(const struct vcpu *vcpu, const struct vcpu_apic *own)
{
	return (vcpu->id == 0 && vlapic_accepts_pic(&own->lapic)) ||
	       __atomic_load_n(&own->all->extint, __ATOMIC_RELAXED);
}

/*
 * What the local APIC has is delivered by event_decide(), or else by the processor: that one is shown what we changed,
 * and asked for only behind a HLT. One that has the priority alone is shown all each time, since the threshold depends
 * on a priority that the guest changes unseen.
 */
static u32 helped_vector(struct vcpu *vcpu, struct vcpu_apic *own)
{
	bool delivers = own->assist & APIC_ASSIST_DELIVERY, asks;
	struct apic_view view;

	if (delivers && !own->lapic.changed) {
		if (vcpu->halted)
			vcpu->events.irq_by_processor = vlapic_asks(&own->lapic);
		return 0;
	}
	vlapic_view(&own->lapic, &view);
	vcpu->engine->show_apic(vcpu, &view);
	asks = apic_view_asks(&view);
	vcpu->events.irq_by_processor = delivers && asks;
	return asks && !delivers ? view.requested : 0;
}

/* The PIC goes before the local APIC. */
static u32 __attribute__((noinline)) look_at_all(struct vcpu *vcpu, struct vcpu_apic *own)
{
	u32 vector;

	if (vlapic_has_posts(&own->lapic))
		take_posts(vcpu, own);
	vector = own->assist ? helped_vector(vcpu, own) : vlapic_pending(&own->lapic);
	return pic_output(own->all->pic) && pic_reaches(vcpu, own) ? (u32)EVENT_IRQ_PIC : vector;
}

/* What the guest did to its own local APIC, where nobody helps with that, is found there alone. */
static void look(struct vcpu *vcpu)
{
	struct vcpu_apic *own = vcpu->apic;

	if (UNLIKELY(vlapic_has_posts(&own->lapic) || own->assist || pic_output(own->all->pic)))
		vcpu->events.irq = (u16)look_at_all(vcpu, own);
	else
		vcpu->events.irq = (u16)vlapic_pending(&own->lapic);
}

/*
 * Gone since it was looked for, it tells the vector of its spurious interrupt. The local APIC may have one waiting
 * behind it.
 */
static u8 __attribute__((noinline)) take_from_pic(struct vcpu *vcpu, struct vm_apic *apic)
{
	look_again(vcpu);
	__atomic_store_n(&apic->extint, false, __ATOMIC_RELAXED);
	return pic_acknowledge(apic->pic);
}

/* What else the local APIC has is not above this one: its turn comes at an EOI, or when the priority falls. */
static u8 take(struct vcpu *vcpu)
{
	struct vcpu_apic *own = vcpu->apic;

	if (UNLIKELY(vcpu->events.irq == EVENT_IRQ_PIC))
		return take_from_pic(vcpu, own->all);
	return vlapic_take(&own->lapic, vcpu->events.irq);
}

static bool read_apic(struct vcpu *vcpu, u32 msr, u64 *value)
{
	return vlapic_read_msr(&vcpu->apic->lapic, msr, value);
}

static bool write_apic(struct vcpu *vcpu, u32 msr, u64 value)
{
	enum lapic_write written = vlapic_write_msr(&vcpu->apic->lapic, msr, value);

	if (written == LAPIC_LOOK)
		look_again(vcpu);
	return written != LAPIC_FAULT;
}

static bool read_clock(struct vcpu *vcpu, u32 msr, u64 *value)
{
	return kvmclock_read(&vcpu->apic->clock, msr, value);
}

static bool write_clock(struct vcpu *vcpu, u32 msr, u64 value)
{
	u64 tsc = rdtsc();

	return kvmclock_write(&vcpu->apic->clock, vcpu->vm, msr, value, tsc + vcpu->tsc_offset,
			      ticks_to_ns(tsc - vcpu->vm->started_ticks), vcpu->apic->all->boot_ns);
}

static u64 get_cr8(struct vcpu *vcpu)
{
	return vlapic_get_cr8(&vcpu->apic->lapic);
}

static void set_cr8(struct vcpu *vcpu, u64 value)
{
	vlapic_set_cr8(&vcpu->apic->lapic, value);
	look_again(vcpu);
}

static void tsc_moved(struct vcpu *vcpu)
{
	struct vcpu_apic *own = vcpu->apic;
	u64 tsc = rdtsc();

	kvmclock_refresh(&own->clock, vcpu->vm, tsc + vcpu->tsc_offset, ticks_to_ns(tsc - vcpu->vm->started_ticks));
}

static void apic_event(struct vcpu *vcpu, const struct exit_apic *event)
{
	struct vlapic *lapic = &vcpu->apic->lapic;

	if (event->event == APIC_ENDED)
		vlapic_ended(lapic, (u8)event->detail);
	else if (event->event == APIC_WRITTEN)
		vlapic_written(lapic, event->detail);
	look_again(vcpu);
}

static const struct vcpu_machine machine_ops = {
	.look = look,
	.read_apic = read_apic,
	.write_apic = write_apic,
	.read_clock = read_clock,
	.write_clock = write_clock,
	.get_cr8 = get_cr8,
	.set_cr8 = set_cr8,
	.tsc_moved = tsc_moved,
	.apic_event = apic_event,
};

/*
 * MMIO is done by the core on which the vCPU is current. Elsewhere than at the default address a guest finds no
 * registers.
 */
static enum device_answer window_read(struct device *device UNUSED, u32 range UNUSED, u64 offset, u8 size, u64 *value)
{
	struct vcpu *vcpu = this_core()->current;
	struct vlapic *lapic = &vcpu->apic->lapic;

	*value = vlapic_covers(lapic, LAPIC_ADDRESS + offset) ? vlapic_read(lapic, offset, size) : ~0ull;
	return DEVICE_DONE;
}

static enum device_answer window_write(struct device *device UNUSED, u32 range UNUSED, u64 offset, u8 size, u64 value)
{
	struct vcpu *vcpu = this_core()->current;
	struct vlapic *lapic = &vcpu->apic->lapic;

	if (vlapic_covers(lapic, LAPIC_ADDRESS + offset))
		vlapic_write(lapic, offset, size, value);
	look_again(vcpu);
	return DEVICE_DONE;
}

static const struct device_ops window_ops = {
	.name = "local APIC",
	.mmio_read = window_read,
	.mmio_write = window_write,
};

void apic_init(struct vm_apic *apic, struct vm *vm, const struct device_services *services, struct pic8259 *pic,
	       struct ioapic *ioapic)
{
	*apic = (struct vm_apic){
		.vm = vm,
		.services = services,
		.pic = pic,
		.ioapic = ioapic,
		.lapic_wires = {apic, .ipi = ipi, .eoi = eoi, .attention = lapic_attention, .host_tsc = host_tsc},
		.ioapic_wires = {.context = apic, .send = ioapic_message},
		.pic_wires = {.context = apic, .intr = pic_intr},
		.boot_ns = wall_ns_at(vm->started_ticks),
		.window = {.ops = &window_ops, .services = services},
	};
	apic->bus.lapic = apic->lapic;
}

/* The first look shows it to the processor, before the first entry. */
static void assist(struct vcpu *vcpu, struct vcpu_apic *own)
{
	if (vcpu->vm->config->apic_virtualization == TOGGLE_OFF || !vcpu->engine->assist_apic)
		return;
	own->assist = vcpu->engine->assist_apic(vcpu, own->page);
	if (own->assist)
		vlapic_help(&own->lapic);
	look_again(vcpu);
}

static int create_one(struct vm_apic *apic, u32 id)
{
	struct vcpu_apic *own = pool_new(sizeof(*own));

	if (!own)
		return ERR_MEMORY;
	own->page = pool_alloc(1);
	if (!own->page) {
		pool_delete(own, sizeof(*own));
		return ERR_MEMORY;
	}
	own->all = apic;
	vlapic_init(&own->lapic, apic->services, &apic->lapic_wires, own->page, id, id == 0,
		    apic->vm->cpuid->physical_bits, tsc_hz);
	if (id == 0)
		vlapic_virtual_wire(&own->lapic);
	apic->vcpu[id] = own;
	apic->lapic[id] = &own->lapic;
	apic->count = apic->bus.count = id + 1;
	apic->vm->vcpu[id]->irq_take = take;
	apic->vm->vcpu[id]->machine = &machine_ops;
	apic->vm->vcpu[id]->apic = own;
	assist(apic->vm->vcpu[id], own);
	return OK;
}

int apic_create(struct vm_apic *apic)
{
	int error = OK;

	for (u32 i = 0; i < apic->vm->vcpu_count && !error; i++)
		error = create_one(apic, i);
	return error ? error : bus_add_mmio(&apic->vm->bus, &apic->window, 0, LAPIC_ADDRESS, LAPIC_SIZE);
}

void apic_destroy(struct vm_apic *apic)
{
	for (u32 i = 0; i < apic->count; i++) {
		pool_free(apic->vcpu[i]->page, 1);
		pool_delete(apic->vcpu[i], sizeof(*apic->vcpu[i]));
	}
	apic->count = 0;
}
