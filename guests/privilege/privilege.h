/* The privilege laboratory's rows: an instruction, how to run it, and what the manuals say of its exits. */
#ifndef GUESTS_PRIVILEGE_PRIVILEGE_H
#define GUESTS_PRIVILEGE_PRIVILEGE_H

#include "guests/lib/guest.h"

/* A CPUID bit that must be set for the row to make sense; leaf 0: none. */
struct feature {
	u32 leaf;
	u8 reg, bit; /* reg: 0 EAX to 3 EDX */
};

struct row {
	const char *name;
	word (*run)(word ring); /* returns what the instruction showed */
	const char *vtx, *svm;	/* whether it exits there in ring 0, and the reason (VT-x) or intercept (AMD-V) */
	struct feature feature;
	word cr4;    /* bits set while it runs */
	bool hidden; /* the value is the machine's own affair: not shown, nothing compares it */
	bool sleeps; /* waits for an interrupt: run with an alarm set */
};

/* Each ended by a name of NULL. width_rows: those of i386/ or amd64/. */
extern const struct row privileged_rows[], sensitive_rows[], modern_rows[], width_rows[];

/* Used with CR4.UMIP and without. (sensitive.c) */
word run_sgdt(word ring);
word run_sidt(word ring);
word run_sldt(word ring);
word run_str(word ring);
word run_smsw(word ring);
void open_probe_gate(void); /* for INT n from ring 3 */

/* A far return as wide as our stack. */
#ifdef __x86_64__
#define LRET "lretq"
#else
#define LRET "lret"
#endif

/*
 * Exits from start to stop, of each reason, by the hypervisor's own count where it shows it to guests (accounting.c).
 */
#define ACCOUNT_REASONS 168
bool account_there(void);
void account_start(void);
void account_stop(u32 *exits);
/* What `exits` has more than `idle`: "28:1", reason and number, and so on, or "0"; "-" where nobody counts. */
void account_text(const u32 *exits, const u32 *idle, char *text, size_t size);

#define ROW(row_name, row_run, row_vtx, row_svm, ...) \
	{.name = row_name, .run = row_run, .vtx = row_vtx, .svm = row_svm, __VA_ARGS__}
#define FEATURE(feature_leaf, feature_reg, feature_bit) {feature_leaf, feature_reg, feature_bit}
#define EBX 1
#define ECX 2
#define EDX 3

#define CR4_PVI	   BIT(1)
#define CR4_TSD	   BIT(2)
#define CR4_DE	   BIT(3)
#define CR4_PCE	   BIT(8)
#define CR4_UMIP   BIT(11)
#define CR4_FSGSBASE BIT(16)
#define CR4_OSXSAVE BIT(18)
#define CR4_SMAP   BIT(21)
#define CR4_PKE	   BIT(22)

#endif
