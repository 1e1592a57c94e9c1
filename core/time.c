#include "core/time.h"

u64 wall_start_ns, wall_start_ticks;
