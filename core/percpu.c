#include "core/percpu.h"

struct percpu percpu_table[MAX_CORES];
u32 core_count;
