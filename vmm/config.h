/* trivisor.conf, parsed. Pure; fuzzed. Errors name the line and what was expected; a VM with an error is left out. */
#ifndef VMM_CONFIG_H
#define VMM_CONFIG_H

#include "lib/types.h"

#define CONFIG_NAME_SIZE  32
#define CONFIG_TEXT_SIZE  512
#define CONFIG_FILE_SIZE  128
#define CONFIG_MAX_VMS	  128
#define CONFIG_MAX_MODULES 8
#define CONFIG_MAX_VCPUS   32
#define CONFIG_MIN_MEMORY  MIB
#define CONFIG_MAX_MEMORY  (256 * GIB)
#define CONFIG_MAX_WEIGHT  65535u /* as in xl.cfg */

enum config_idle { IDLE_POWEROFF, IDLE_STAY };
/* After a VM's end. */
enum config_end { END_DESTROY, END_RESTART };
enum config_toggle { TOGGLE_AUTO, TOGGLE_ON, TOGGLE_OFF };

/* The order of the leaves of vmm/cpuid_account.h. */
enum config_accounting { ACCOUNTING_OFF, ACCOUNTING_ON, ACCOUNTING_REVERSED };

/* When RAM gets its frames: at creation, or each page when it is first touched. */
enum config_backing { BACKING_FULL, BACKING_DEMAND };

struct config_module {
	char file[CONFIG_FILE_SIZE];
	char arguments[CONFIG_TEXT_SIZE];
};

struct vm_config {
	char name[CONFIG_NAME_SIZE];
	u32 line; /* of its section */
	char kernel[CONFIG_FILE_SIZE];
	u32 module_count;
	struct config_module module[CONFIG_MAX_MODULES]; /* ramdisk = */
	char extra[CONFIG_TEXT_SIZE];
	u64 memory; /* bytes */
	enum config_backing memory_backing;
	u32 vcpus;
	u64 cpus;   /* BIT(core); 0: any */
	bool stats;
	enum config_accounting cpuid_accounting;
	char engine[16]; /* "": as [trivisor] says */
	enum config_end on_poweroff, on_reboot, on_crash;
	u32 weight; /* cpu_weight =; 256: normal */
	enum config_toggle apic_virtualization; /* auto or off */
};

struct config {
	enum config_idle on_idle;
	enum config_toggle mitigations; /* auto or off */
	char engine[16]; /* "auto" */
	u32 slice_ms; /* slice =; 1 to 1000 */
	bool stats; /* default for VMs */
	char console[CONFIG_NAME_SIZE]; /* the VM that typed input goes to; "": none */
	u32 vm_count;
	struct vm_config vm[CONFIG_MAX_VMS];
};

struct config_limits {
	u64 memory; /* bytes free for guests; 0: do not check */
	u32 cores;
};

/* Called for each error: line number (0: the whole file) and a sentence. */
typedef void (*config_error_t)(void *context, u32 line, const char *message);

/* Parse; returns the number of errors. `config` is valid in any case: what was wrong is left out. */
u32 config_parse(struct config *config, const char *text, size_t size, const struct config_limits *limits,
		 config_error_t error, void *context);

#endif
