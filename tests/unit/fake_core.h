/* Physical cores for tests: percpu data found by GS as in the hypervisor, APICs that write down what they are told. */
#ifndef TESTS_FAKE_CORE_H
#define TESTS_FAKE_CORE_H

#include "lib/types.h"

#define FAKE_CORES 4

extern u32 fake_ipis[FAKE_CORES]; /* how many each got */
extern u64 fake_deadline;	  /* what lapic_timer() was last told */
extern u32 fake_programmings;
extern u32 fake_vm_switches; /* how often another VM became current */

/* All cores fresh; the test runs on core 0. */
void fake_cores_init(void);
/* The test goes on as this core. */
void fake_core_become(u32 index);

#endif
