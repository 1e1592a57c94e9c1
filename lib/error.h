/* Error values in words. */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include "lib/types.h"

/* What `error` (enum error) means, for a message; never NULL. */
const char *error_name(int error);

#endif
