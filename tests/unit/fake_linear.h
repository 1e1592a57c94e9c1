/*
 * Guest linear memory as a flat array of which one page may fault: for what accesses memory by segments and linear
 * addresses.
 */
#ifndef TESTS_UNIT_FAKE_LINEAR_H
#define TESTS_UNIT_FAKE_LINEAR_H

#include "lib/types.h"
#include "vmm/linear.h"

#define FAKE_LINEAR_SIZE 0x10000u
#define NO_BAD_PAGE	 0x100000u

extern u8 memory[FAKE_LINEAR_SIZE];
extern gva_t bad_page; /* accesses to the page of this address fault */

#endif
