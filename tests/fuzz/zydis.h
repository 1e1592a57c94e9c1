/* The decoder against Zydis, for the fuzzer and for the program that goes through all encodings. */
#ifndef TESTS_FUZZ_ZYDIS_H
#define TESTS_FUZZ_ZYDIS_H

#include "arch/x86_64/insn/decode.h"

/*
 * False: ours does not know it, or there are bytes missing, and nothing was compared. A mismatch is printed and ends
 * the program.
 */
bool compare_with_zydis(const u8 *bytes, size_t size, enum insn_mode mode);

#endif
