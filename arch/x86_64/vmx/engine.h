/* The one thing outside arch/x86_64/vmx/ that names this engine is vmm/main.c, by this header. */
#ifndef ARCH_VMX_ENGINE_H
#define ARCH_VMX_ENGINE_H

#include "vmm/engine.h"

extern const struct engine_ops vmx_engine;

#endif
