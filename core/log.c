/*
 * One ring of text for everything. Writers append under ring_lock; each console reads at its own position under
 * console_lock. A writer waits only when the ring is full, and not for ever: a console that takes nothing loses text,
 * not the machine. Lock order: ring_lock, then console_lock.
 */
#include "core/log.h"
#include "core/lock.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define LOG_SIZE (128u * 1024) /* power of two */
#define LINE_MAX 512u	       /* bytes of a hypervisor's line with its newline; what is longer is cut */
#define GUEST_LINE_MAX 1024u

/*
 * Looks at a console in vain before it counts as stuck. A look is a port read at least, about a microsecond on real
 * machines.
 */
#define STUCK_LOOKS 500000u
/* Tries for a lock that whoever holds it may never release. */
#define LOCK_TRIES 1000000u

static char bytes[LOG_SIZE]; /* ring_lock; read without it up to `head` */
static u32 head;	     /* ring_lock for writing; free-running */
static const char *open_line; /* ring_lock: whose line has been begun and not ended; NULL: none */
static u32 held;	     /* ring_lock: bytes ever written, up to LOG_SIZE */
static struct spinlock ring_lock = SPINLOCK_INIT;

static struct list consoles = {&consoles, &consoles}; /* console_lock */
bool log_behind;
static u32 progress;				      /* atomic: changes whenever any console takes something */
static struct spinlock console_lock = SPINLOCK_INIT;

static bool direct = true;
static bool emergency;
static bool lock_broken; /* in an emergency a lock was waited for in vain: its holder stands still */

static bool take_bounded(struct spinlock *lock)
{
	for (u32 i = 0; i < LOCK_TRIES; i++) {
		if (lock_try(lock))
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

/* In an emergency the lock's holder may be stopped: go on without it. Returns whether the lock is to be released. */
static bool take(struct spinlock *lock)
{
	bool taken = true;

	if (lock_broken)
		return false;
	if (!emergency)
		lock_acquire(lock);
	else
		taken = take_bounded(lock);
	lock_broken = !taken;
	return taken;
}

static void give(struct spinlock *lock, bool taken)
{
	if (taken)
		lock_release(lock);
}

/* Write to one console what it takes. True when it has all. Under console_lock. */
static bool drain_one(struct console *console)
{
	u32 end = __atomic_load_n(&head, __ATOMIC_ACQUIRE);

	if (!console->write)
		return true;
	/* It lagged by more than the ring holds: what was overwritten is lost to it. */
	if (end - console->position > LOG_SIZE)
		console->position = end - LOG_SIZE;
	while (console->position != end) {
		u32 offset = console->position & (LOG_SIZE - 1);
		u32 n = MIN(end - console->position, LOG_SIZE - offset);
		u32 taken = (u32)console->write(console, bytes + offset, n);

		if (taken == 0)
			return console->stuck;
		console->position += taken;
		console->stuck = false;
		__atomic_fetch_add(&progress, 1, __ATOMIC_RELAXED);
	}
	return true;
}

static bool drain_all(void)
{
	bool all = true;

	LIST_FOR_EACH(p, &consoles) {
		if (!drain_one(LIST_ITEM(p, struct console, link)))
			all = false;
	}
	return all;
}

bool log_drain(void)
{
	bool all, taken;

	if (!log_waits())
		return false;
	taken = emergency ? take(&console_lock) : lock_try(&console_lock);
	if (!taken && !emergency)
		return true; /* another core is at it */
	/* First: what is published meanwhile sets it again. */
	__atomic_store_n(&log_behind, false, __ATOMIC_SEQ_CST);
	all = drain_all();
	if (!all)
		__atomic_store_n(&log_behind, true, __ATOMIC_RELEASE);
	give(&console_lock, taken);
	return !all;
}

/* Whoever did not take all by now is not waited for any more. */
static void give_up_on_slow(void)
{
	bool taken = take(&console_lock);

	LIST_FOR_EACH(p, &consoles) {
		struct console *console = LIST_ITEM(p, struct console, link);

		if (console->write && console->position != __atomic_load_n(&head, __ATOMIC_ACQUIRE))
			console->stuck = true;
	}
	give(&console_lock, taken);
}

void log_flush(void)
{
	u32 seen = __atomic_load_n(&progress, __ATOMIC_RELAXED);

	for (u32 looks = 0; log_drain(); looks++) {
		u32 now = __atomic_load_n(&progress, __ATOMIC_RELAXED);

		if (now != seen) {
			seen = now;
			looks = 0;
		} else if (looks == STUCK_LOOKS) {
			give_up_on_slow();
			return;
		}
		__builtin_ia32_pause();
	}
}

/* Under ring_lock. */
static bool has_room(u32 n)
{
	bool room = true, taken = take(&console_lock);

	LIST_FOR_EACH(p, &consoles) {
		struct console *console = LIST_ITEM(p, struct console, link);

		if (console->write && !console->stuck && head - console->position > LOG_SIZE - n)
			room = false;
	}
	give(&console_lock, taken);
	return room;
}

/* A line being written: from begin to publish, under ring_lock. */
static u32 begin_line(u32 n)
{
	if (!has_room(n + 1))
		log_flush();
	if (open_line) {
		bytes[head & (LOG_SIZE - 1)] = '\n';
		open_line = NULL;
		return head + 1;
	}
	return head;
}

static u32 append(u32 at, const char *text, u32 n)
{
	for (u32 i = 0; i < n; i++)
		bytes[(at + i) & (LOG_SIZE - 1)] = text[i];
	return at + n;
}

static void publish(u32 at)
{
	held = MIN(held + (at - head), LOG_SIZE);
	__atomic_store_n(&head, at, __ATOMIC_RELEASE);
	__atomic_store_n(&log_behind, true, __ATOMIC_RELEASE);
}

static void put_line(const char *text, u32 n)
{
	u32 at = begin_line(n);

	publish(append(at, text, n));
}

/* Into line[LINE_MAX], newline added. Returns the length. */
static u32 format_line(char *line, const char *format, va_list args)
{
	int length = fmt_vprint(line, LINE_MAX, format, args);
	u32 n = length < 0 ? 0 : MIN((u32)length, LINE_MAX - 1);

	line[n] = '\n';
	return n + 1;
}

static void write_line(const char *format, va_list args)
{
	char line[LINE_MAX];
	u32 n = format_line(line, format, args);
	bool taken = take(&ring_lock);

	put_line(line, n);
	give(&ring_lock, taken);
	if (direct || emergency)
		log_flush();
}

void log_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(format, args);
	va_end(args);
}

void log_stage(u32 number, const char *format, ...)
{
	char text[LINE_MAX];
	va_list args;

	va_start(args, format);
	fmt_vprint(text, sizeof(text), format, args);
	va_end(args);
	log_line("[%02u] %s", number, text);
}

bool log_urgent(const char *format, ...)
{
	char line[LINE_MAX];
	va_list args;
	u32 n;

	va_start(args, format);
	n = format_line(line, format, args);
	va_end(args);
	if (!take_bounded(&ring_lock))
		return false;
	/*
	 * Not put_line(): it would wait for consoles whose lock the interrupted code may hold. Lagging consoles lose
	 * instead.
	 */
	publish(append(head, line, n));
	lock_release(&ring_lock);
	return true;
}

/* Whoever owns the terminal may move the cursor on it: others could forge what the user sees. */
static char printable(char c, bool owner)
{
	u8 byte = (u8)c;
	bool moves = byte == 0x1b || byte == '\b' || byte == '\r' || byte == '\a';

	if (owner && moves)
		return c;
	return (byte < 0x20 && byte != '\t') || byte == 0x7f ? '?' : c;
}

static u32 append_guest(u32 at, const char *text, size_t from, size_t to, bool owner)
{
	for (size_t i = from; i < to; i++) {
		char c = printable(text[i], owner);

		at = append(at, &c, 1);
	}
	return at;
}

static void put_guest(const char *prefix, const char *text, size_t length, size_t shown, bool owner, bool ends)
{
	size_t n = MIN(length, (size_t)GUEST_LINE_MAX);
	u32 prefix_length = (u32)strnlen(prefix, LINE_MAX), at;
	bool taken = take(&ring_lock), goes_on = open_line == prefix;

	if (goes_on)
		open_line = NULL;
	at = begin_line(prefix_length + 2 + (u32)n + 1);
	if (!goes_on) {
		at = append(at, prefix, prefix_length);
		at = append(at, "| ", 2);
	}
	at = append_guest(at, text, goes_on ? MIN(shown, n) : 0, n, owner);
	if (ends)
		at = append(at, "\n", 1);
	else
		open_line = prefix;
	publish(at);
	give(&ring_lock, taken);
	if (direct || emergency)
		log_flush();
}

void log_guest_line(const char *prefix, const char *text, size_t length)
{
	put_guest(prefix, text, length, 0, false, true);
}

void log_guest_part(const char *prefix, const char *text, size_t length, size_t shown, bool ends)
{
	put_guest(prefix, text, length, shown, true, ends);
}

void console_register(struct console *console)
{
	bool taken_ring = take(&ring_lock), taken = take(&console_lock);

	console->position = head - held;
	console->stuck = false;
	list_append(&consoles, &console->link);
	__atomic_store_n(&log_behind, true, __ATOMIC_RELEASE);
	give(&console_lock, taken);
	give(&ring_lock, taken_ring);
	log_flush();
}

int console_read(void)
{
	int byte = -1;
	bool taken = take(&console_lock);

	LIST_FOR_EACH(p, &consoles) {
		struct console *console = LIST_ITEM(p, struct console, link);

		if (byte < 0 && console->read)
			byte = console->read(console);
	}
	give(&console_lock, taken);
	return byte;
}

void log_direct(bool on)
{
	direct = on;
	if (on)
		log_flush();
}

void log_emergency(void)
{
	emergency = true;
}
