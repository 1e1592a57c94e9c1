// sources: vmm/fetch.c vmm/linear.c vmm/segment.c vmm/guest_memory_map.c arch/x86_64/mmu/gwalk.c vmm/vcpu_regs.c vmm/event.c arch/x86_64/insn/decode.c arch/x86_64/insn/opcode.c tests/unit/fake_engine.c tests/unit/fake_policy.c vmm/cpuid.c vmm/cpuid_table.c vmm/cpuid_account.c vmm/account.c vmm/msr.c vmm/mtrr.c vmm/efer.c tests/unit/fake_end.c
/*
 * The instruction at RIP, remembered and looked up anew. That nothing is remembered too long is seen by the outcome,
 * which must be that of a fetch for the first time; that something is remembered at all, by what is read.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/mmu/window.h"
#include "tests/unit/fake_engine.h"
#include "vmm/fetch.h"

#define RAM_SIZE 0x20000u
#define TABLES	 0x4000u /* and 5000, 6000, 7000: RAM one to one, by 4 KiB pages */
#define PTE(gva) (0x7000 + (gva) / PAGE_SIZE * 8)
#define CODE	 0x1000u
#define OTHER	 0x2000u

#define P  1ull
#define W  2ull
#define U  4ull
#define A  0x20ull
#define NX BIT(63)

#define MOV_LOAD "\x8b\x03"		/* mov eax, [rbx] */
#define MOV_LONG "\xc7\x05\1\2\3\4\5\6\7\x08" /* mov dword [...], imm: ten bytes */

static struct fake fake;
static u8 ram[RAM_SIZE];
static u32 reads;

int guest_compare_exchange(struct vm *vm, gpa_t gpa, u32 size, u64 *expected, u64 desired)
{
	u64 was = 0;

	(void)vm;
	memcpy(&was, ram + gpa, size);
	if (was == *expected)
		memcpy(ram + gpa, &desired, size);
	*expected = was;
	return OK;
}

int guest_read(struct vm *vm, gpa_t gpa, void *to, u64 size)
{
	reads++;
	if (!guest_memory_contains(&vm->memory, gpa, size, false))
		return ERR_RANGE;
	memcpy(to, ram + gpa, size);
	return OK;
}

int guest_write(struct vm *vm, gpa_t gpa, const void *from, u64 size)
{
	(void)vm;
	memcpy(ram + gpa, from, size);
	return OK;
}

bool guest_unchanged(struct vm *vm, const struct window_word *word, u32 count)
{
	assert_in_range(count, 1, GWALK_LEVELS + CODE_WORDS);
	for (u32 i = 0; i < count; i++) {
		assert_true(word[i].gpa % 8 == 0 && guest_memory_contains(&vm->memory, word[i].gpa, 8, false));
		if (memcmp(ram + word[i].gpa, &word[i].value, 8) != 0)
			return false;
	}
	return true;
}

static void put64(gpa_t gpa, u64 value)
{
	memcpy(ram + gpa, &value, 8);
}

static u64 get64(gpa_t gpa)
{
	u64 value;

	memcpy(&value, ram + gpa, 8);
	return value;
}

static u64 *reg(enum reg number)
{
	return &fake.vcpu.reg[number];
}

static void put_code(gpa_t gpa, const char *code, size_t size)
{
	memcpy(ram + gpa, code, size);
}
#define PUT_CODE(gpa, code) put_code(gpa, code, sizeof(code) - 1)

static int setup(void **state)
{
	(void)state;
	fake_init(&fake);
	memset(ram, 0, sizeof(ram));
	guest_memory_insert(&fake.vm.memory, 0, RAM_SIZE, true);
	put64(TABLES, 0x5000 | P | W | U);
	put64(0x5000, 0x6000 | P | W | U);
	put64(0x6000, 0x7000 | P | W | U);
	for (u64 page = 0; page < RAM_SIZE; page += PAGE_SIZE)
		put64(PTE(page), page | P | W | U);
	*reg(REG_CR3) = TABLES;
	*reg(REG_RIP) = CODE;
	PUT_CODE(CODE, MOV_LOAD);
	PUT_CODE(OTHER, MOV_LONG);
	reads = 0;
	return 0;
}

/* The length of what is fetched, or the error. */
static int fetch(void)
{
	const struct insn *insn;
	int error = fetch_instruction(&fake.vcpu, &insn);

	return error ? error : insn->length;
}

static void expect(int length, bool remembered)
{
	reads = 0;
	assert_int_equal(fetch(), length);
	if (remembered)
		assert_int_equal(reads, 0);
	else
		assert_true(reads > 0);
}

#define ANEW	   false
#define REMEMBERED true

static void test_remembers(void **state)
{
	(void)state;
	expect(2, ANEW);
	expect(2, REMEMBERED);
	*reg(REG_RIP) = OTHER;
	expect(10, ANEW);
	expect(10, REMEMBERED);
	/* Across word boundaries, up to the last one of the page. */
	for (u64 at = 0x3000; at < 0x3010; at++) {
		PUT_CODE(at, MOV_LONG);
		*reg(REG_RIP) = at;
		expect(10, ANEW);
		expect(10, REMEMBERED);
	}
	PUT_CODE(0x3ff6, MOV_LONG);
	*reg(REG_RIP) = 0x3ff6;
	put64(PTE(0x4000), 0);
	expect(10, ANEW);
	expect(10, REMEMBERED);
}

static void test_code_changes(void **state)
{
	(void)state;
	fetch();
	ram[CODE] = 0x48; /* mov rax, [rbx] is longer */
	PUT_CODE(CODE + 1, MOV_LOAD);
	expect(3, ANEW);
	expect(3, REMEMBERED);
	/* Each byte of a long one. */
	*reg(REG_RIP) = OTHER + 3;
	for (u32 i = 0; i < 10; i++) {
		PUT_CODE(OTHER + 3, MOV_LONG);
		fetch();
		ram[OTHER + 3 + i] ^= 0x10;
		reads = 0;
		fetch();
		assert_true(reads > 0);
	}
}

/* Another page takes the place of the code's by a change at any level. */
static void test_tables_change(void **state)
{
	static const gpa_t entries[] = {TABLES, 0x5000, 0x6000, PTE(CODE)};

	(void)state;
	/* A second set of tables at 10000 to 12000, whose last one shows OTHER at CODE. */
	put64(0x10000, 0x11000 | P | U);
	put64(0x11000, 0x12000 | P | U);
	put64(0x12000 + CODE / PAGE_SIZE * 8, OTHER | P | U);
	for (u32 i = 0; i < ARRAY_SIZE(entries); i++) {
		static const u64 others[] = {0x10000, 0x11000, 0x12000, OTHER};
		u64 before;

		fetch();
		before = get64(entries[i]);
		put64(entries[i], others[i] | P | U);
		expect(10, ANEW);
		expect(10, REMEMBERED);
		put64(entries[i], 0);
		assert_int_equal(fetch(), ERR_RANGE);
		put64(entries[i], before);
		assert_int_equal(fetch(), 2);
	}
	*reg(REG_CR3) = 0x13000;
	put64(0x13000, 0x10000 | P | U);
	expect(10, ANEW);
	*reg(REG_CR3) = TABLES;
	expect(2, ANEW);
}

/* A cleared accessed flag is set again, as a processor would that has not the translation any more. */
static void test_accessed_flag(void **state)
{
	(void)state;
	fetch();
	assert_true(get64(PTE(CODE)) & A);
	put64(PTE(CODE), CODE | P | W | U);
	expect(2, ANEW);
	assert_true(get64(PTE(CODE)) & A);
	expect(2, REMEMBERED);
}

static void test_privilege(void **state)
{
	(void)state;
	put64(PTE(CODE), CODE | P);
	expect(2, ANEW);
	fake_set_mode(&fake, *reg(REG_CR0), *reg(REG_EFER), 0xa09b, 3);
	assert_int_equal(fetch(), ERR_RANGE);
	fake_set_mode(&fake, *reg(REG_CR0), *reg(REG_EFER), 0xa09b, 0);
	assert_int_equal(fetch(), 2);
	/* And a user page is no supervisor code with SMEP. */
	put64(PTE(CODE), CODE | P | U);
	assert_int_equal(fetch(), 2);
	*reg(REG_CR4) |= CR4_SMEP;
	assert_int_equal(fetch(), ERR_RANGE);
	fake_set_mode(&fake, *reg(REG_CR0), *reg(REG_EFER), 0xa09b, 3);
	expect(2, ANEW);
	*reg(REG_CR4) &= ~CR4_SMEP;
	expect(2, ANEW);
}

static void test_no_execute(void **state)
{
	(void)state;
	*reg(REG_EFER) |= EFER_NXE;
	assert_int_equal(fetch(), 2);
	put64(PTE(CODE), CODE | P | NX);
	assert_int_equal(fetch(), ERR_RANGE);
	put64(PTE(CODE), CODE | P);
	assert_int_equal(fetch(), 2);
	expect(2, REMEMBERED);
	*reg(REG_EFER) &= ~EFER_NXE;
	expect(2, ANEW);
}

static void test_modes(void **state)
{
	u64 *cr0 = reg(REG_CR0), *efer = reg(REG_EFER);

	(void)state;
	PUT_CODE(CODE, "\x41\x8b\x03");
	expect(3, ANEW); /* with REX */
	fake_set_mode(&fake, *cr0, *efer, 0xc09b, 0);
	expect(1, ANEW); /* INC ECX */
	expect(1, REMEMBERED);
	PUT_CODE(CODE, "\xb8\1\2\3\4");
	expect(5, ANEW);
	fake_set_mode(&fake, *cr0, *efer, 0x009b, 0);
	expect(3, ANEW);
	/* CS has a base, and RIP is not the linear address. */
	fake.state.segment[SEG_CS].base = 0x1000;
	expect(4, ANEW); /* OTHER, as 16-bit code */
	*reg(REG_RIP) = CODE - 0x1000;
	expect(3, ANEW);
	/* The same place with paging off. */
	fake_set_mode(&fake, *cr0 & ~CR0_PG, 0, 0x009b, 0);
	put64(PTE(CODE), 0);
	expect(3, ANEW);
	expect(3, REMEMBERED);
	ram[CODE] = 0x40;
	expect(1, ANEW);
}

static void test_other_paging(void **state)
{
	(void)state;
	/* PAE: its PDPTEs are read at each walk. */
	fake_set_mode(&fake, *reg(REG_CR0), 0, 0xc09b, 0);
	*reg(REG_CR3) = 0x8000;
	put64(0x8000, 0x6000 | P);
	expect(2, ANEW);
	expect(2, REMEMBERED);
	put64(0x8000, 0);
	assert_int_equal(fetch(), ERR_RANGE);
	/* 32-bit paging is looked up each time. */
	*reg(REG_CR4) &= ~CR4_PAE;
	put64(0x8000, 0x9000 | P);
	put64(0x9000, (u64)(CODE | P) << 32);
	expect(2, ANEW);
	expect(2, ANEW);
	put64(0x9000, (u64)(OTHER | P) << 32);
	expect(10, ANEW);
}

/* Both of its pages count, and it is looked up each time. */
static void test_crossing(void **state)
{
	(void)state;
	*reg(REG_RIP) = 0x2ffb;
	PUT_CODE(0x2ffb, MOV_LONG);
	expect(10, ANEW);
	expect(10, ANEW);
	put64(PTE(0x3000), 0);
	assert_int_equal(fetch(), ERR_RANGE);
	put64(PTE(0x3000), 0x8000 | P);
	PUT_CODE(0x2ffb, "\xf3\xf3\xf3\xf3\xf3");
	PUT_CODE(0x8000, MOV_LOAD);
	assert_int_equal(fetch(), 7);
}

/* What takes another's place is not mistaken for it. */
static void test_many(void **state)
{
	(void)state;
	for (u32 round = 0; round < 3; round++)
		for (u32 i = 0; i < 5 * FETCHED; i++) {
			if (i % 3)
				PUT_CODE(0x8000 + 64 * i, MOV_LONG);
			else
				PUT_CODE(0x8000 + 64 * i, MOV_LOAD);
			*reg(REG_RIP) = 0x8000 + 64 * i;
			assert_int_equal(fetch(), i % 3 ? 10 : 2);
		}
	assert_true(FETCHED >= 4);
}

/* An instruction that is refused, and one that is none, are not remembered either. */
static void test_refused(void **state)
{
	(void)state;
	PUT_CODE(CODE, "\x0f\x28\x03");
	expect(ERR_UNSUPPORTED, ANEW);
	expect(ERR_UNSUPPORTED, ANEW);
	PUT_CODE(CODE, "\xf0\x8b\x03");
	expect(ERR_INVALID, ANEW);
	PUT_CODE(CODE, MOV_LOAD);
	expect(2, ANEW);
	/* They take the place of what was remembered there: OTHER shares CODE's. */
	*reg(REG_RIP) = OTHER;
	PUT_CODE(OTHER, "\x0f\x28\x04\x25\0\0\0\0");
	expect(ERR_UNSUPPORTED, ANEW);
	*reg(REG_RIP) = CODE;
	assert_int_equal(fetch(), 2);
}

static void test_outside_ram(void **state)
{
	(void)state;
	fetch();
	put64(PTE(CODE), 0x50000000 | P);
	assert_int_equal(fetch(), ERR_RANGE);
	*reg(REG_CR3) = 0x50000000;
	assert_int_equal(fetch(), ERR_RANGE);
}

/* A processor that keeps CR0 and CR4 to itself is not asked for them when what matters of them is known. */
static void test_registers_asked_for(void **state)
{
	(void)state;
	fetch();
	fake.vcpu.cached = REGS_CACHED_ALWAYS | BIT(REG_EFER) | CACHED_PAGING;
	fake.fetches = 0;
	expect(2, REMEMBERED);
	assert_int_equal(fake.fetches, 1);
	assert_false(fake.vcpu.cached & (BIT(REG_CR0) | BIT(REG_CR4)));
	fake.vcpu.cached = REGS_CACHED_ALWAYS;
	expect(2, REMEMBERED);
	assert_true(fake.vcpu.cached & BIT(REG_CR0) && fake.vcpu.cached & BIT(REG_CR4));
}

static void test_bytes(void **state)
{
	u8 bytes[INSN_MAX_LENGTH];
	enum insn_mode mode;

	(void)state;
	assert_int_equal(fetch_bytes(&fake.vcpu, bytes, &mode), INSN_MAX_LENGTH);
	assert_int_equal(mode, INSN_MODE_64);
	assert_memory_equal(bytes, ram + CODE, INSN_MAX_LENGTH);
	*reg(REG_RIP) = 0x1ffd;
	assert_int_equal(fetch_bytes(&fake.vcpu, bytes, &mode), INSN_MAX_LENGTH);
	assert_memory_equal(bytes, ram + 0x1ffd, INSN_MAX_LENGTH);
	put64(PTE(0x2000), 0);
	assert_int_equal(fetch_bytes(&fake.vcpu, bytes, &mode), 3);
	put64(PTE(0x1000), 0);
	assert_int_equal(fetch_bytes(&fake.vcpu, bytes, &mode), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(test_remembers), TEST(test_code_changes), TEST(test_tables_change), TEST(test_accessed_flag),
		TEST(test_privilege), TEST(test_no_execute), TEST(test_modes), TEST(test_other_paging),
		TEST(test_crossing), TEST(test_many), TEST(test_refused), TEST(test_outside_ram),
		TEST(test_registers_asked_for), TEST(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
