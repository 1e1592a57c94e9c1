/* How large an XSAVE area is, from CPUID leaf 0DH (SDM vol. 1 "XSAVE Area"). Pure. */
#ifndef ARCH_CPU_XSTATE_LAYOUT_H
#define ARCH_CPU_XSTATE_LAYOUT_H

#include "arch/x86_64/cpu/insn.h"
#include "lib/types.h"

#define XSTATE_LEGACY_SIZE 512u
#define XSTATE_HEADER_SIZE 64u

/* The features of `offered` that the host turns on: known ones, and only sets that XSETBV takes. */
u64 xstate_choose(u64 offered);
/* Bytes for the features, in the standard format. `read` gives CPUID leaf 0DH's subleaves. */
u32 xstate_standard_size(u64 features, struct cpuid_leaf (*read)(u32 leaf, u32 subleaf));

#endif
