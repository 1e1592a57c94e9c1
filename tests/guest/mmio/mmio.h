/*
 * Trying instructions on devices: the forms of docs/instructions.md, their bytes, and running them with all registers
 * chosen.
 */
#ifndef TESTS_GUEST_MMIO_H
#define TESTS_GUEST_MMIO_H

#include "guests/lib/guest.h"

/* A row of docs/instructions.md. */
struct form {
	const char *opcode, *name;
	u8 byte;
	bool escape;   /* 0F before it */
	int reg;       /* ModRM.reg, or one of the following */
	int immediate; /* its bytes; FORM_OPERAND_SIZE: as many as the operand has, at most 4 */
	u32 flags;
};

#define FORM_ANY_REG	  (-1)
#define FORM_NO_MODRM	  (-2) /* by the index registers */
#define FORM_MOFFS	  (-3)
#define FORM_OPERAND_SIZE (-1)
#define FORM_16		  BIT(0) /* the modes, by the bit of enum mode */
#define FORM_32		  BIT(1)
#define FORM_64		  BIT(2)
#define FORM_LOCK	  BIT(3)
#define FORM_REP	  BIT(4)
#define FORM_NO_66	  BIT(5)

extern const struct form forms[];
extern const u32 form_count;

enum mode { MODE_16, MODE_32, MODE_64 };

/* Numbers of registers as ModRM has them. */
enum { AX, CX, DX, BX, SP, BP, SI, DI, R9 = 9, R13 = 13, R14, REGISTERS = 16 };

/*
 * A way to say where memory is: ModRM and SIB, and the registers that take part. Some are relative to FS, whose base
 * lies FS_OFFSET below the operand.
 */
struct way {
	const char *name;
	u32 modes; /* FORM_16 and so on */
	bool address_prefix, fs;
	u8 rex;	   /* REX.X and REX.B */
	u8 modrm;  /* without reg */
	int sib;   /* -1: none */
	u32 displacement_size;
	int displacement;    /* relative: all of the address is in the displacement */
	bool relative;	     /* from the next instruction */
	int base, index;     /* -1: none */
	u8 scale;
};

#define FS_OFFSET 0x800u
#define INDEX	  0x11u

extern const struct way ways[];
extern const u32 way_count;

/* One try of a form. */
struct trial {
	const struct form *form;
	const struct way *way; /* NULL: by the index registers */
	enum mode mode;
	bool operand_prefix, rex_w, lock;
	u8 repeat; /* 0, F3 or F2 */
	u8 reg;
};

/* Registers and flags before and after; run_trial() fills the machine's from it and back. */
struct registers {
	word reg[REGISTERS];
	word flags;
};

/* Bytes of the operand, as the trial's prefixes make it. */
u32 operand_size(const struct trial *trial);
/* Whether the text stands in the form's name. */
bool form_is(const struct form *form, const char *text);
/* Set what the way needs so that the operand is at `target`, which is below 1 MiB or, in 16-bit code, anywhere. */
void aim(const struct trial *trial, word target, struct registers *registers);
/* The same for a string instruction. */
void aim_strings(const struct trial *trial, word source, word destination, struct registers *registers);
/* Build the instruction, aimed already, and run it. */
void run_trial(const struct trial *trial, word target, struct registers *registers);

/* run.asm: registers from mmio_registers, then to mmio_entry; the code there jumps to mmio_back. */
extern struct registers mmio_registers;
extern struct {
	word offset;
	u16 selector;
} __attribute__((packed)) mmio_entry;
extern u16 mmio_es;
extern const u8 mmio_back[];
void mmio_run(void);

#endif
