/*
 * First process of the Linux that ./trivisor bench --linux measures: takes the time of its own start, then of what the
 * kernel command line asks for (bench_fork=1, bench_shell=1), prints ticks of the TSC and switches the machine off. No
 * libc: nothing but the workload is to run.
 */
#include <asm/ioctls.h>
#include <asm/unistd.h>
#include <linux/reboot.h>

#define FORKS	   100
#define LOOPS	   "10000"
#define BUSYBOX	   "/bin/busybox"
/* Bochs switches itself off when it is written "Shutdown"; nothing is there on other machines. */
#define BOCHS_PORT 0x8900

static long call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return result;
}

static unsigned long ticks(void)
{
	unsigned int low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return (unsigned long)high << 32 | low;
}

static unsigned long length(const char *text)
{
	unsigned long n = 0;

	while (text[n])
		n++;
	return n;
}

static void say(const char *text)
{
	call(__NR_write, 1, (long)text, (long)length(text), 0);
}

/* A line that tools/bench_linux.py reads. */
static void report(const char *name, unsigned long value)
{
	char digits[24], *at = digits + sizeof(digits);

	*--at = 0;
	*--at = '\n';
	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	say("bench,");
	say(name);
	say(",");
	say(at);
}

static void fail(const char *what)
{
	say("bench failed: ");
	say(what);
	say("\n");
}

/* Run a program to its end; whether it ended with 0. */
static int run(char *const *arguments)
{
	int status = -1;
	long child = call(__NR_fork, 0, 0, 0, 0);

	if (child == 0) {
		call(__NR_execve, (long)arguments[0], (long)arguments, 0, 0);
		call(__NR_exit, 127, 0, 0, 0);
	}
	return child > 0 && call(__NR_wait4, child, (long)&status, 0, 0) == child && status == 0;
}

static void measure_fork(void)
{
	char *const arguments[] = {BUSYBOX, "true", 0};
	unsigned long start = ticks(), done = 0;

	for (int i = 0; i < FORKS; i++)
		done += (unsigned long)run(arguments);
	if (done == FORKS)
		report("fork_exec_100", ticks() - start);
	else
		fail("busybox true");
}

static void measure_shell(void)
{
	char *const arguments[] = {BUSYBOX, "sh", "-c", "i=0; while [ $i -lt " LOOPS " ]; do i=$((i+1)); done", 0};
	unsigned long start = ticks();

	if (run(arguments))
		report("shell_loop_10000", ticks() - start);
	else
		fail("busybox sh");
}

/*
 * Whether a word of the kernel command line is this one: the kernel hands those it does not know on to its first
 * process, as environment.
 */
static int wanted(char *const *environment, const char *word)
{
	for (; *environment; environment++)
		for (unsigned long i = 0; word[i] == (*environment)[i]; i++)
			if (!word[i])
				return 1;
	return 0;
}

static void power_off(void)
{
	call(__NR_ioctl, 1, TCSBRK, 1, 0); /* what was said is on the wire */
	if (call(__NR_ioperm, BOCHS_PORT, 1, 1, 0) == 0)
		for (const char *c = "Shutdown"; *c; c++)
			__asm__ volatile("outb %0, %1" : : "a"(*c), "d"((unsigned short)BOCHS_PORT));
	call(__NR_reboot, (long)LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0);
}

/* The stack that the kernel makes: a count, the arguments, NULL, the environment, NULL. */
__attribute__((used)) static void bench(long *stack)
{
	unsigned long start = ticks();
	char *const *environment = (char *const *)(stack + stack[0] + 2);

	report("boot_to_init", start);
	if (wanted(environment, "bench_fork=1"))
		measure_fork();
	if (wanted(environment, "bench_shell=1"))
		measure_shell();
	say("bench done\n");
	power_off();
}

__asm__(".globl _start; _start: xor %ebp, %ebp; mov %rsp, %rdi; and $-16, %rsp; call bench; ud2");
