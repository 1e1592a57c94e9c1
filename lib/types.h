/* The plain types and small macros every file uses. Freestanding; no dependencies. */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef u64 paddr_t; /* host-physical address */
typedef u64 gpa_t;   /* guest-physical address */
typedef u64 gva_t;   /* guest-linear address */

#define BIT(n)		     (1ull << (n))
#define BITS(hi, lo)	     ((~0ull >> (63 - (hi))) & (~0ull << (lo)))
#define ARRAY_SIZE(a)	     (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(p, t, m) ((t *)((char *)(p) - offsetof(t, m)))
#define MIN(a, b)	     ((a) < (b) ? (a) : (b))
#define MAX(a, b)	     ((a) > (b) ? (a) : (b))
#define UNUSED		     __attribute__((unused))
#define PACKED		     __attribute__((packed))
#define ALIGNED(n)	     __attribute__((aligned(n)))
#define NORETURN	     __attribute__((noreturn))
#define PRINTF(fmt, args)    __attribute__((format(printf, fmt, args)))
#define LIKELY(x)	     __builtin_expect(!!(x), 1)
#define UNLIKELY(x)	     __builtin_expect(!!(x), 0)

#define PAGE_SHIFT 12u
#define PAGE_SIZE  4096ull
#define KIB	   1024ull
#define MIB	   (1024ull * KIB)
#define GIB	   (1024ull * MIB)

/* Round to a power of two. */
#define ALIGN_DOWN(x, a) ((x) & ~((a) - 1))
#define ALIGN_UP(x, a)	 (((x) + ((a) - 1)) & ~((a) - 1))

/* Errors are values: 0 or one of these, negative. error_name() in lib/error.c puts them in words. */
enum error {
	OK = 0,
	ERR_INVALID = -1,    /* an argument or input outside its range */
	ERR_MEMORY = -2,     /* no memory left for it */
	ERR_RANGE = -3,	     /* an address outside what exists */
	ERR_UNSUPPORTED = -4, /* the hardware, or we, cannot do this */
	ERR_EXISTS = -5,     /* already there */
	ERR_MISSING = -6,    /* not there */
	ERR_DENIED = -7,     /* not allowed */
	ERR_FORMAT = -8,     /* an image or table is not what it claims to be */
	ERR_TIMEOUT = -9,    /* the other side did not answer in time */
};

#endif
