/*
 * Guests' output. A write goes into the VM's ring under the console's own lock and never waits: what a guest prints
 * faster than the log takes it is lost and counted, since making it wait would make its neighbours on the core wait
 * too.
 */
#include "vmm/console.h"
#include "core/lock.h"
#include "core/log.h"
#include "core/pool.h"
#include "lib/fmt.h"
#include "lib/list.h"
#include "lib/ring.h"
#include "lib/string.h"
#include "vmm/core.h"
#include "vmm/vm.h"

#define RING_PAGES 4
#define LINE_SIZE  200 /* longer lines are cut into pieces of this many bytes */

struct vm_console {
	struct vm *vm; /* constant */
	struct spinlock lock;
	struct ring ring; /* lock */
	u64 lost;	  /* lock: bytes since the last line went out */
	u32 length;	  /* drain_lock */
	u32 shown;	  /* drain_lock: bytes of the line that its user has seen already */
	bool owner;	  /* constant: of the terminal; its lines are shown as they grow */
	char line[LINE_SIZE]; /* drain_lock: begun, not yet ended */
	struct list link;     /* drain_lock */
};

/* Guards the list, and makes the lines of one VM go out in order. Taken before a console's lock. */
static struct spinlock drain_lock = SPINLOCK_INIT;
static struct list consoles = {&consoles, &consoles};
bool vm_console_filled;

struct vm_console *vm_console_create(struct vm *vm)
{
	struct vm_console *console = pool_new(sizeof(*console));
	void *memory = pool_alloc(RING_PAGES);

	if (!console || !memory) {
		if (console)
			pool_delete(console, sizeof(*console));
		if (memory)
			pool_free(memory, RING_PAGES);
		return NULL;
	}
	console->vm = vm;
	console->owner = !strcmp(vm->config->name, house->config->console);
	ring_init(&console->ring, memory, (u32)(RING_PAGES * PAGE_SIZE));
	lock_acquire(&drain_lock);
	list_append(&consoles, &console->link);
	lock_release(&drain_lock);
	return console;
}

void vm_console_destroy(struct vm_console *console)
{
	if (!console)
		return;
	lock_acquire(&drain_lock);
	list_remove(&console->link);
	lock_release(&drain_lock);
	pool_free(console->ring.bytes, RING_PAGES);
	pool_delete(console, sizeof(*console));
}

void vm_console_write(struct vm_console *console, const char *bytes, size_t n)
{
	bool line = false;
	u32 taken;

	for (size_t i = 0; i < n && !line; i++)
		line = bytes[i] == '\n';
	lock_acquire(&console->lock);
	taken = ring_put(&console->ring, bytes, (u32)MIN(n, RING_PAGES * PAGE_SIZE));
	console->lost += n - taken;
	line |= ring_used(&console->ring) > console->ring.size / 2;
	lock_release(&console->lock);
	__atomic_store_n(&vm_console_filled, true, __ATOMIC_SEQ_CST);
	if (line)
		core_output();
	else if (console->owner)
		core_output_soon();
}

/* A terminal's line ends in CR LF; the log makes its own. */
static void put_line(struct vm_console *console)
{
	while (console->length && console->line[console->length - 1] == '\r')
		console->length--;
	if (console->owner)
		log_guest_part(console->vm->config->name, console->line, console->length, console->shown, true);
	else
		log_guest_line(console->vm->config->name, console->line, console->length);
	console->length = console->shown = 0;
}

/* A carriage return may be the first half of a line's end: it waits for what follows. */
static void put_part(struct vm_console *console)
{
	u32 length = console->length;

	while (length && console->line[length - 1] == '\r')
		length--;
	if (!console->owner || length <= console->shown)
		return;
	log_guest_part(console->vm->config->name, console->line, length, console->shown, false);
	console->shown = length;
}

static void take_bytes(struct vm_console *console, const char *bytes, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		if (bytes[i] == '\n') {
			put_line(console);
			continue;
		}
		if (console->length == LINE_SIZE)
			put_line(console);
		console->line[console->length++] = bytes[i];
	}
}

static void report_lost(struct vm_console *console, u64 lost)
{
	char text[64];

	fmt_print(text, sizeof(text), "(%llu bytes of output lost: printed too fast)", (unsigned long long)lost);
	if (console->length)
		put_line(console);
	log_guest_line(console->vm->config->name, text, strlen(text));
}

/* drain_lock is held. The console's own lock only around the copy: a line may wait for the log, a writer must not. */
static void drain(struct vm_console *console)
{
	char bytes[256];
	u64 lost;
	u32 n;

	do {
		lock_acquire(&console->lock);
		n = ring_get(&console->ring, bytes, sizeof(bytes));
		/* Bytes are only lost while the ring is full: what it holds was printed before them. */
		lost = n ? 0 : console->lost;
		console->lost -= lost;
		lock_release(&console->lock);
		take_bytes(console, bytes, n);
	} while (n);
	put_part(console);
	if (lost)
		report_lost(console, lost);
}

void vm_console_drain_all(void)
{
	/* Who finds another core at it leaves: the other looks again after it has let go. */
	while (vm_console_waits() && lock_try(&drain_lock)) {
		__atomic_store_n(&vm_console_filled, false, __ATOMIC_SEQ_CST);
		LIST_FOR_EACH(link, &consoles)
			drain(LIST_ITEM(link, struct vm_console, link));
		lock_release(&drain_lock);
	}
}

void vm_console_finish(struct vm_console *console)
{
	lock_acquire(&drain_lock);
	drain(console);
	if (console->length)
		put_line(console);
	lock_release(&drain_lock);
}
