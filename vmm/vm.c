/* A VM's life: made from its config, started, ended once, and all it had given back. */
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#include "arch/x86_64/cpu/insn.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/percpu.h"
#include "core/pool.h"
#include "lib/error.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "vmm/console.h"
#include "vmm/core.h"
#include "vmm/cpuid.h"
#include "vmm/machine.h"

/* A PC's memory map: the VGA window, and the hole below 4 GiB for devices. */
#define VGA_HOLE_START 0xa0000ull
#define VGA_HOLE_END   0xc0000ull
#define HIGH_HOLE      (3 * GIB)
#define HIGH_MEMORY    (4 * GIB)

struct vm *vm_table[MAX_VMS];
static struct spinlock table_lock; /* vm_table */
static u32 vms_live;		   /* (a) VMs in the table, and one for vmm_start_all() while it works */

static u32 vm_pages(void)
{
	return (u32)(ALIGN_UP(sizeof(struct vm), PAGE_SIZE) / PAGE_SIZE);
}

/* Says why a VM cannot be created; always fails. */
static int refuse(const struct vm *vm, int error, const char *what)
{
	log_line("vm %s: not started: %s: %s", vm->config->name, what, error_name(error));
	return error;
}

static u64 last_serial; /* table_lock */

static int take_slot(struct vm *vm)
{
	int error = ERR_MEMORY;

	lock_acquire(&table_lock);
	vm->serial = ++last_serial;
	for (u32 i = 0; i < MAX_VMS && error; i++) {
		if (vm_table[i])
			continue;
		vm_table[i] = vm;
		vm->id = i;
		error = OK;
	}
	lock_release(&table_lock);
	return error;
}

static void give_slot(struct vm *vm)
{
	lock_acquire(&table_lock);
	vm_table[vm->id] = NULL;
	lock_release(&table_lock);
}

/*
 * RAM of `size` bytes, the hole for devices left out of what is above the VGA window as on a PC: it goes on at 4 GiB.
 */
static int create_memory(struct vm *vm, u64 size)
{
	u64 low = MIN(size, HIGH_HOLE);
	int error = guest_memory_add(vm, 0, MIN(low, VGA_HOLE_START));

	if (!error && low > VGA_HOLE_END)
		error = guest_memory_add(vm, VGA_HOLE_END, low - VGA_HOLE_END);
	if (!error && size > low)
		error = guest_memory_add(vm, HIGH_MEMORY, size - low);
	return error ? refuse(vm, error, "its memory could not be had") : OK;
}

static int create_vcpus(struct vm *vm)
{
	u32 count = vm->config->vcpus ? vm->config->vcpus : 1;

	if (count > MAX_VCPUS)
		return refuse(vm, ERR_INVALID, "too many vcpus");
	if (!sched_cores_for(vm->config->cpus))
		return refuse(vm, ERR_MISSING, "none of the cores in `cpus` is there");
	vm->vcpu_count = count;
	for (u32 i = 0; i < count; i++) {
		int error = vcpu_create(vm, i, vm->config->cpus);

		if (error)
			return refuse(vm, error, "a vCPU could not be made");
	}
	return OK;
}

static int find_files(struct vm *vm, struct loader_input *input)
{
	const struct vm_config *config = vm->config;

	if (!house->find_file(config->kernel, &input->kernel)) {
		log_line("vm %s: not started: kernel file \"%s\" is not on the boot volume", config->name,
			 config->kernel);
		return ERR_MISSING;
	}
	for (u32 i = 0; i < config->module_count; i++) {
		if (!house->find_file(config->module[i].file, &input->module[i])) {
			log_line("vm %s: not started: ramdisk file \"%s\" is not on the boot volume", config->name,
				 config->module[i].file);
			return ERR_MISSING;
		}
		input->module[i].arguments = config->module[i].arguments;
	}
	input->module_count = config->module_count;
	return OK;
}

static int load_with(const struct loader_ops *loader, struct loader_input *input)
{
	struct vm *vm = input->vm;
	struct vcpu_state *state = this_core()->vmm->scratch;
	struct vcpu *boot = vm->vcpu[0];
	int error;

	vcpu_state_reset(state);
	error = loader->load(input, state);
	if (error) {
		log_line("vm %s: not started: %s image \"%s\": %s", vm->config->name, loader->name, vm->config->kernel,
			 input->message[0] ? input->message : error_name(error));
		return error;
	}
	error = boot->engine->import_state(boot, state);
	return error ? refuse(vm, error, "the loader's start state was not accepted") : OK;
}

static int load_image(struct vm *vm, struct loader_input *input)
{
	for (const struct loader_ops *const *loader = loaders; *loader; loader++)
		if ((*loader)->recognize(&input->kernel))
			return load_with(*loader, input);
	log_line("vm %s: not started: \"%s\" is no kernel that any of the loaders knows", vm->config->name,
		 vm->config->kernel);
	return ERR_FORMAT;
}

/* The copies into the guest's RAM need its root in CR3. */
static int load(struct vm *vm)
{
	char message[160] = "";
	struct loader_input input = {
		.vm = vm, .extra = vm->config->extra, .message = message, .message_size = sizeof(message)};
	int error = find_files(vm, &input);

	if (error)
		return error;
	root_load(&vm->root);
	input.rsdp = machine_put_tables(vm);
	error = load_image(vm, &input);
	root_load(&base_root);
	return error;
}

static int create_parts(struct vm *vm)
{
	int error = root_create(&vm->root);

	if (error)
		return refuse(vm, error, "its host address space could not be made");
	error = vm->engine->vm_create(vm);
	if (error) {
		root_destroy(&vm->root);
		return refuse(vm, error, "the engine could not make it");
	}
	return OK;
}

static int fill(struct vm *vm)
{
	int error = create_memory(vm, vm->config->memory);

	if (error)
		return error;
	vm->cpuid = cpuid_create(vm);
	vm->console = vm->cpuid ? vm_console_create(vm) : NULL;
	if (!vm->console)
		return refuse(vm, ERR_MEMORY, "its CPUID table and console could not be made");
	bus_init(&vm->bus);
	/*
	 * Systems write to the window of a VGA card before they know that there is none: as on a PC, the bus answers
	 * with all ones.
	 */
	error = bus_add_mmio(&vm->bus, &vm->bus.nobody, 0, VGA_HOLE_START, VGA_HOLE_END - VGA_HOLE_START);
	if (!error)
		error = create_vcpus(vm);
	if (!error)
		error = machine_create(vm);
	return error ? error : load(vm);
}

struct vm *vm_create(const struct vm_config *config, const struct engine_ops *engine)
{
	u64 used = pool_bytes_used();
	struct vm *vm = pool_alloc(vm_pages());

	ASSERT(!this_core()->current);
	if (!vm) {
		log_line("vm %s: not started: no memory in the hypervisor's pool", config->name);
		return NULL;
	}
	vm->config = config;
	vm->engine = engine;
	vm->demand.on = config->memory_backing == BACKING_DEMAND;
	vm->started_ticks = rdtsc();
	if (take_slot(vm)) {
		log_line("vm %s: not started: there are %u VMs already", config->name, MAX_VMS);
	} else if (create_parts(vm)) {
		give_slot(vm);
	} else {
		__atomic_fetch_add(&vms_live, 1, __ATOMIC_RELAXED);
		if (!fill(vm)) {
			vm->create_ticks = rdtsc() - vm->started_ticks;
			vm->own_bytes = pool_bytes_used() - used;
			guest_memory_tell_overcommit();
			return vm;
		}
		if (vm_ended(vm))
			log_line("vm %s: not started: %s", config->name, vm->end_text);
		vm_destroy(vm);
		return NULL;
	}
	pool_free(vm, vm_pages());
	return NULL;
}

void vm_start(struct vm *vm)
{
	vm->vcpus_started = 1;
	vm->vcpus_live = 1;
	sched_place(vm->vcpu[0]);
}

static void one_vm_less(void)
{
	if (__atomic_sub_fetch(&vms_live, 1, __ATOMIC_ACQ_REL) == 0 && house->config->on_idle == IDLE_POWEROFF)
		house->all_ended();
}

void vm_destroy(struct vm *vm)
{
	/* First what may still call: device timers wake vCPUs. */
	machine_destroy(vm);
	for (u32 i = 0; i < vm->vcpu_count; i++)
		if (vm->vcpu[i])
			vcpu_destroy(vm->vcpu[i]);
	if (vm->console)
		vm_console_destroy(vm->console);
	guest_memory_free(vm);
	vm->engine->vm_destroy(vm);
	root_destroy(&vm->root);
	cpuid_destroy(vm->cpuid);
	give_slot(vm);
	pool_free(vm, vm_pages());
	one_vm_less();
}

/* While it is away it counts, so that the machine does not find itself without VMs. */
void vm_restart(struct vm *vm)
{
	const struct vm_config *config = vm->config;
	const struct engine_ops *engine = vm->engine;

	__atomic_fetch_add(&vms_live, 1, __ATOMIC_RELAXED);
	vm_destroy(vm);
	vm = vm_create(config, engine);
	if (vm) {
		log_line("vm %s: restarted", config->name);
		vm_start(vm);
	}
	one_vm_less();
}

/* The lock keeps the VM from being freed meanwhile; whether it still has its machine, that knows. */
u32 vm_type(const char *name, const char *bytes, u32 n)
{
	u32 taken = 0;

	lock_acquire(&table_lock);
	for (u32 i = 0; i < MAX_VMS; i++)
		if (vm_table[i] && !strcmp(vm_table[i]->config->name, name))
			taken = machine_console_input(vm_table[i], bytes, n);
	lock_release(&table_lock);
	return taken;
}

/* It takes seconds when the memory is large: first say what is at work. */
static struct vm *create_first(const struct vm_config *config)
{
	const char *name = config->engine[0] ? config->engine : house->config->engine;
	const char *reason = "";
	const struct engine_ops *engine = house->find_engine(name, &reason);

	if (!engine) {
		log_line("vm %s: not started: engine \"%s\": %s", config->name, name, reason);
		return NULL;
	}
	log_line("vm %s: starting: %s, %llu MiB", config->name, config->kernel,
		 (unsigned long long)(config->memory / MIB));
	return vm_create(config, engine);
}

u32 vmm_start_all(void)
{
	const struct config *config = house->config;
	struct vm *created[CONFIG_MAX_VMS];
	u32 count = 0;

	__atomic_fetch_add(&vms_live, 1, __ATOMIC_RELAXED);
	for (u32 i = 0; i < config->vm_count; i++) {
		struct vm *vm = create_first(&config->vm[i]);

		if (vm)
			created[count++] = vm;
	}
	for (u32 i = 0; i < count; i++)
		vm_start(created[i]);
	one_vm_less();
	return count;
}
