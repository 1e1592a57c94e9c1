/*
 * The device services of a VM.
 *
 * A host timer belongs to the core that armed it, and a device may be driven from any core of the VM. So a device timer
 * has one host timer for each core: arming it on one core leaves a stale one on another, which finds that it is not its
 * time and does nothing.
 */
#include "vmm/services.h"
#include "arch/x86_64/cpu/cpu.h"
#include "arch/x86_64/cpu/insn.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/pool.h"
#include "core/time.h"
#include "lib/fmt.h"
#include "vmm/console.h"
#include "vmm/devices/bus.h"
#include "vmm/timer.h"
#include "vmm/vm.h"

/* What serving an interrupt costs a guest: some five exits, and as much again to get on with. */
#define SHORTEST_PERIOD_NS    100000u
#define SHORTEST_PERIOD_TICKS 20000u

struct core_timer {
	struct timer timer; /* (c) */
	struct device_backing *backing;
};

/* Made when a device timer is first armed. Guarded by the device's lock, apart from the core timers. */
struct device_backing {
	struct device_timer *timer;
	struct vm_services *services;
	struct device_backing *next;
	u64 deadline; /* TSC; ~0: not armed */
	u32 cores;
	bool started[MAX_CORES]; /* (c) timer_init() has been done on that core */
	struct core_timer core[];
};

static size_t backing_size(u32 cores)
{
	return sizeof(struct device_backing) + cores * sizeof(struct core_timer);
}

static int service_read(void *context, gpa_t gpa, void *to, u64 size)
{
	return guest_read(((struct vm_services *)context)->vm, gpa, to, size);
}

static int service_write(void *context, gpa_t gpa, const void *from, u64 size)
{
	return guest_write(((struct vm_services *)context)->vm, gpa, from, size);
}

/* Levels are kept in any case, so that a controller can ask for them; without one the first rise is said aloud. */
static void service_set_line(void *context, u32 line, bool level)
{
	struct vm_services *services = context;

	ASSERT(line < SERVICE_LINES);
	if (level)
		__atomic_fetch_or(&services->line_levels, BIT(line), __ATOMIC_ACQ_REL);
	else
		__atomic_fetch_and(&services->line_levels, ~BIT(line), __ATOMIC_ACQ_REL);
	if (services->line_sink)
		services->line_sink(services->line_context, line, level);
	else if (level && !__atomic_exchange_n(&services->line_reported, true, __ATOMIC_ACQ_REL))
		log_line("%s: a device raises interrupt line %u, but this machine has no interrupt controller: devices "
			 "must be polled",
			 services->vm->config->name, line);
}

/* On a processor that is slow by itself, an emulated one above all, the time is short and the ticks count. */
static u64 shortest_period_ns(void)
{
	return MAX((u64)SHORTEST_PERIOD_NS, ticks_to_ns(SHORTEST_PERIOD_TICKS));
}

static u64 service_now(void *context)
{
	return ticks_to_ns(rdtsc() - ((struct vm_services *)context)->vm->started_ticks);
}

/*
 * The first tick at which the VM's time in ns has come: a device that is called and finds that it is not yet its time
 * would have to ask again, or tick twice.
 */
static u64 deadline_ticks(const struct vm *vm, u64 deadline_ns)
{
	/* 2^62 ns are 146 years: later than that is never, and the sum below cannot wrap. */
	return deadline_ns > BIT(62) ? TIMER_NEVER : vm->started_ticks + ns_to_ticks(deadline_ns) + 1;
}

static void core_timer_fired(struct timer *timer)
{
	struct core_timer *core_timer = LIST_ITEM(timer, struct core_timer, timer);
	struct device_backing *backing = core_timer->backing;
	struct device_timer *device_timer = backing->timer;
	struct device *device = device_timer->device;

	lock_acquire(&device->lock);
	if (rdtsc() >= backing->deadline) {
		backing->deadline = TIMER_NEVER;
		device_timer->deadline_ns = TIMER_NEVER;
		device_timer->fire(device, device_timer->which);
	}
	lock_release(&device->lock);
}

static struct device_backing *new_backing(struct vm_services *services, struct device_timer *timer)
{
	size_t size = backing_size(core_count);
	struct device_backing *backing;

	backing = size <= 2048 ? pool_new(size) : pool_alloc((u32)(ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE));
	if (!backing)
		return NULL;
	backing->timer = timer;
	backing->services = services;
	backing->deadline = TIMER_NEVER;
	backing->cores = core_count;
	for (u32 i = 0; i < core_count; i++)
		backing->core[i].backing = backing;
	backing->next = __atomic_load_n(&services->backings, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&services->backings, &backing->next, backing, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
	timer->backing = backing;
	return backing;
}

/* The core's own part of a timer. */
static struct timer *timer_here(struct device_backing *backing)
{
	u32 core = this_core()->index;

	if (UNLIKELY(!backing->started[core])) {
		timer_init(&backing->core[core].timer, core_timer_fired);
		backing->started[core] = true;
	}
	return &backing->core[core].timer;
}

static void arm_at(struct vm_services *services, struct device_timer *timer, u64 deadline)
{
	struct device_backing *backing = LIKELY(timer->backing) ? timer->backing : new_backing(services, timer);

	if (UNLIKELY(!backing)) {
		vm_end(services->vm, VM_END_ERROR, 0, "no memory for the timer of device %s", timer->device->ops->name);
		return;
	}
	backing->deadline = deadline;
	timer_arm(timer_here(backing), deadline);
}

static void service_arm(void *context, struct device_timer *timer, u64 deadline_ns)
{
	struct vm_services *services = context;

	timer->deadline_ns = deadline_ns;
	if (deadline_ns != TIMER_NEVER || timer->backing)
		arm_at(services, timer, deadline_ticks(services->vm, deadline_ns));
}

static void service_arm_tsc(void *context, struct device_timer *timer, u64 deadline)
{
	timer->deadline_ns = 0;
	arm_at(context, timer, deadline);
}

static size_t service_push(void *context, u32 port, const void *bytes, size_t n)
{
	struct vm_services *services = context;

	ASSERT(port == BACKEND_CONSOLE);
	vm_console_write(services->vm->console, bytes, n);
	return n;
}

static void service_end(void *context, u64 code, const char *why)
{
	vm_end(((struct vm_services *)context)->vm, VM_END_EXIT, code, "%s", why);
}

static void service_reset(void *context, const char *why)
{
	vm_end(((struct vm_services *)context)->vm, VM_END_RESET, 0, "reset by %s", why);
}

static void service_crash(void *context, const char *why)
{
	vm_end(((struct vm_services *)context)->vm, VM_END_CRASH, 0, "%s", why);
}

static void service_log(void *context, const char *format, ...)
{
	char text[200];
	va_list args;

	va_start(args, format);
	fmt_vprint(text, sizeof(text), format, args);
	va_end(args);
	log_line("%s: %s", ((struct vm_services *)context)->vm->config->name, text);
}

void vm_services_init(struct vm_services *services, struct vm *vm)
{
	*services = (struct vm_services){
		.vm = vm,
		.services = {
			.context = services,
			.shortest_period_ns = shortest_period_ns(),
			.read_guest = service_read,
			.write_guest = service_write,
			.set_line = service_set_line,
			.now_ns = service_now,
			.arm = service_arm,
			.arm_tsc = service_arm_tsc,
			.push = service_push,
			.end = service_end,
			.reset = service_reset,
			.crash = service_crash,
			.log = service_log,
		},
	};
}

/* On each core: its own timers. */
static void cancel_here(void *context)
{
	const struct vm_services *services = context;
	u32 core = this_core()->index;

	for (struct device_backing *backing = services->backings; backing; backing = backing->next)
		if (backing->started[core])
			timer_cancel(&backing->core[core].timer);
}

void vm_services_destroy(struct vm_services *services)
{
	struct device_backing *backing = services->backings;

	if (backing)
		smp_call_all(cancel_here, services);
	while (backing) {
		struct device_backing *next = backing->next;
		size_t size = backing_size(backing->cores);

		if (size <= 2048)
			pool_delete(backing, size);
		else
			pool_free(backing, (u32)(ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE));
		backing = next;
	}
	services->backings = NULL;
}
