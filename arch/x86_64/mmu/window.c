#include "arch/x86_64/mmu/window.h"

#include "core/layout.h"

/* window.asm: 0, or 1 after a fault. */
int window_copy(void *to, const void *from, u64 size);
int window_load8(const void *from, u64 *value);
int window_load16(const void *from, u64 *value);
int window_load32(const void *from, u64 *value);
int window_load64(const void *from, u64 *value);
int window_store8(void *to, u64 value);
int window_store16(void *to, u64 value);
int window_store32(void *to, u64 value);
int window_store64(void *to, u64 value);
int window_exchange32(void *at, u64 *expected, u64 desired);
int window_exchange64(void *at, u64 *expected, u64 desired);

/* Accesses of one piece, by the logarithm of the size. */
static int (*const load[])(const void *from, u64 *value) = {window_load8, window_load16, window_load32, window_load64};
static int (*const store[])(void *to, u64 value) = {window_store8, window_store16, window_store32, window_store64};

static bool in_window(gpa_t gpa, u64 size)
{
	return size <= WINDOW_SIZE && gpa <= WINDOW_SIZE - size;
}

/* 1, 2, 4 or 8 bytes, naturally aligned: its logarithm; else -1. */
static int one_access(gpa_t gpa, u64 size)
{
	if (size == 0 || size > 8 || (size & (size - 1)) != 0 || gpa % size != 0)
		return -1;
	return __builtin_ctzll(size);
}

static int result(int faulted)
{
	return faulted ? ERR_RANGE : OK;
}

int window_read(void *to, gpa_t gpa, u64 size)
{
	const void *from = (const void *)(WINDOW_BASE + gpa);
	int shift = one_access(gpa, size);
	u64 value;

	if (!in_window(gpa, size))
		return ERR_RANGE;
	if (shift < 0)
		return result(window_copy(to, from, size));
	if (load[shift](from, &value))
		return ERR_RANGE;
	__builtin_memcpy(to, &value, size);
	return OK;
}

int window_write(gpa_t gpa, const void *from, u64 size)
{
	void *to = (void *)(WINDOW_BASE + gpa);
	int shift = one_access(gpa, size);
	u64 value = 0;

	if (!in_window(gpa, size))
		return ERR_RANGE;
	if (shift < 0)
		return result(window_copy(to, from, size));
	__builtin_memcpy(&value, from, size);
	return result(store[shift](to, value));
}

int window_compare_exchange(gpa_t gpa, u32 size, u64 *expected, u64 desired)
{
	void *at = (void *)(WINDOW_BASE + gpa);

	if ((size != 4 && size != 8) || gpa % size != 0)
		return ERR_INVALID;
	if (!in_window(gpa, size))
		return ERR_RANGE;
	return result(size == 4 ? window_exchange32(at, expected, desired) : window_exchange64(at, expected, desired));
}
