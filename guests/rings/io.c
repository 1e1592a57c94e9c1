/* IOPL and the I/O permission bitmap. (SDM volume 1, "Protected-Mode I/O") */
#include "guests/rings/rings.h"

#define PORT_OPEN 0x80 /* the POST code port: harmless */

static word flags_after;

static word do_cli(word unused UNUSED)
{
	cli();
	return 0;
}

static word do_sti(word unused UNUSED)
{
	sti();
	return 0;
}

static word do_in(word unused UNUSED)
{
	return in8(PORT_OPEN);
}

static word do_in_word(word unused UNUSED)
{
	return in16(PORT_OPEN);
}

/* POPF that asks for IOPL 3 and IF: what of it comes true, without any fault. */
static word do_popf(word unused UNUSED)
{
	write_flags(read_flags() | FLAG_IOPL(3) | FLAG_IF);
	flags_after = read_flags();
	write_flags(read_flags() & ~(word)FLAG_IF);
	return 0;
}

static void table(const char *title, word (*instruction)(word))
{
	print("  %-10s IOPL 0  1    2    3\n", title);
	for (int ring = 0; ring < 4; ring++) {
		print("  in ring %d      ", ring);
		for (u32 iopl = 0; iopl < 4; iopl++) {
			faults_in_ring(ring, instruction, 0, FLAG_FIXED | FLAG_IOPL(iopl), NULL);
			print(" %-4s", outcome());
		}
		print("\n");
	}
}

static void popf_table(void)
{
	print("  POPF of IF=1, IOPL=3: what came of it (IF/IOPL), never a fault\n");
	print("  %-10s IOPL 0  1    2    3\n", "POPF");
	for (int ring = 0; ring < 4; ring++) {
		print("  in ring %d      ", ring);
		for (u32 iopl = 0; iopl < 4; iopl++) {
			faults_in_ring(ring, do_popf, 0, FLAG_FIXED | FLAG_IOPL(iopl), NULL);
			print(" %u/%u ", !!(flags_after & FLAG_IF), (u32)(flags_after >> 12 & 3));
		}
		print("\n");
	}
}

void lesson_io(void)
{
	u8 *bitmap;

	print("  IOPL is the outermost ring that may use CLI, STI, IN and OUT (CPL <= IOPL):\n");
	table("CLI", do_cli);
	table("STI", do_sti);
	table("IN", do_in);
	popf_table();
	bitmap = tss_io_bitmap(true);
	attempt("IN from ring 3, all ports closed in the bitmap", 3, do_in, 0);
	bitmap[PORT_OPEN / 8] &= (u8)~(1u << PORT_OPEN % 8);
	attempt("IN from ring 3, this port opened in the bitmap", 3, do_in, 0);
	attempt("IN of a word, of which the second port is closed", 3, do_in_word, 0);
	tss_io_bitmap(false);
	attempt("IN from ring 3, bitmap beyond the limit of the TSS", 3, do_in, 0);
}
