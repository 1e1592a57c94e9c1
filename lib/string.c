/*
 * The functions of lib/string.h that libc has under the same names; gcc itself emits calls to the first four. Host
 * builds leave this file out and use libc's (which ASan watches); its own unit test includes it under other names.
 */
#include "lib/string.h"

/* REP STOSB and MOVSB: with ERMSB as fast as anything without vector registers, which the hypervisor does not use. */
void *memset(void *dst, int byte, size_t n)
{
	void *at = dst;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(byte) : "memory");
	return dst;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	void *at = dst;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(src), "+c"(n) : : "memory");
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	u8 *to = dst;
	const u8 *from = src;

	/* Unsigned difference: true when dst lies below src or beyond its end, where copying upward is safe. */
	if ((uintptr_t)to - (uintptr_t)from >= n) {
		void *at = dst;

		__asm__ volatile("rep movsb" : "+D"(at), "+S"(src), "+c"(n) : : "memory");
		return dst;
	}
	while (n--)
		to[n] = from[n];
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		u8 x = (u8)a[i], y = (u8)b[i];

		if (x != y || !x)
			return x - y;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, ~(size_t)0);
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}
