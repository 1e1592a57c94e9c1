#include "arch/x86_64/insn/name.h"

struct range {
	u8 first, last;
	const char *name;
};

/* SDM vol. 2 "Opcode Map": what second-level translation can refuse, that is, all with a memory operand or the stack.
 */
static const struct range one[] = {
	{0x00, 0x03, "ADD"},
	{0x08, 0x0b, "OR"},
	{0x10, 0x13, "ADC"},
	{0x18, 0x1b, "SBB"},
	{0x20, 0x23, "AND"},
	{0x28, 0x2b, "SUB"},
	{0x30, 0x33, "XOR"},
	{0x38, 0x3b, "CMP"},
	{0x06, 0x1f, "PUSH or POP of a segment register"},
	{0x50, 0x57, "PUSH"},
	{0x58, 0x5f, "POP"},
	{0x60, 0x60, "PUSHA"},
	{0x61, 0x61, "POPA"},
	{0x62, 0x62, "BOUND or EVEX"},
	{0x63, 0x63, "ARPL or MOVSXD"},
	{0x68, 0x68, "PUSH"},
	{0x69, 0x69, "IMUL"},
	{0x6a, 0x6a, "PUSH"},
	{0x6b, 0x6b, "IMUL"},
	{0x6c, 0x6d, "INS"},
	{0x6e, 0x6f, "OUTS"},
	{0x84, 0x85, "TEST"},
	{0x86, 0x87, "XCHG"},
	{0x88, 0x8b, "MOV"},
	{0x8c, 0x8c, "MOV from a segment register"},
	{0x8d, 0x8d, "LEA"},
	{0x8e, 0x8e, "MOV to a segment register"},
	{0x8f, 0x8f, "POP or XOP"},
	{0x9a, 0x9a, "CALL far"},
	{0x9b, 0x9b, "FWAIT"},
	{0x9c, 0x9c, "PUSHF"},
	{0x9d, 0x9d, "POPF"},
	{0xa0, 0xa3, "MOV"},
	{0xa4, 0xa5, "MOVS"},
	{0xa6, 0xa7, "CMPS"},
	{0xaa, 0xab, "STOS"},
	{0xac, 0xad, "LODS"},
	{0xae, 0xaf, "SCAS"},
	{0xc2, 0xc3, "RET"},
	{0xc4, 0xc4, "LES or VEX"},
	{0xc5, 0xc5, "LDS or VEX"},
	{0xc6, 0xc7, "MOV"},
	{0xc8, 0xc8, "ENTER"},
	{0xc9, 0xc9, "LEAVE"},
	{0xca, 0xcb, "RET far"},
	{0xcc, 0xcc, "INT3"},
	{0xcd, 0xcd, "INT"},
	{0xce, 0xce, "INTO"},
	{0xcf, 0xcf, "IRET"},
	{0xd7, 0xd7, "XLAT"},
	{0xd8, 0xdf, "x87"},
	{0xe8, 0xe8, "CALL"},
	{0xf1, 0xf1, "INT1"},
};

static const struct range two[] = {
	{0x00, 0x00, "SLDT, STR, LLDT, LTR, VERR or VERW"},
	{0x01, 0x01, "SGDT, SIDT, LGDT, LIDT, SMSW or LMSW"},
	{0x02, 0x02, "LAR"},
	{0x03, 0x03, "LSL"},
	{0x05, 0x05, "SYSCALL"},
	{0x0d, 0x0d, "PREFETCH"},
	{0x0f, 0x0f, "3DNow!"},
	{0x10, 0x11, "MOVUPS"},
	{0x12, 0x13, "MOVLPS"},
	{0x14, 0x15, "UNPCKPS"},
	{0x16, 0x17, "MOVHPS"},
	{0x18, 0x1f, "a hint"},
	{0x28, 0x29, "MOVAPS"},
	{0x2a, 0x2a, "CVTPI2PS"},
	{0x2b, 0x2b, "MOVNTPS"},
	{0x2c, 0x2f, "SSE"},
	{0x38, 0x38, "0F 38"},
	{0x3a, 0x3a, "0F 3A"},
	{0x40, 0x4f, "CMOVcc"},
	{0x50, 0x6d, "SSE or MMX"},
	{0x6e, 0x6e, "MOVD"},
	{0x6f, 0x6f, "MOVQ or MOVDQA"},
	{0x70, 0x7d, "SSE or MMX"},
	{0x7e, 0x7e, "MOVD"},
	{0x7f, 0x7f, "MOVQ or MOVDQA"},
	{0x90, 0x9f, "SETcc"},
	{0xa0, 0xa0, "PUSH FS"},
	{0xa1, 0xa1, "POP FS"},
	{0xa3, 0xa3, "BT"},
	{0xa4, 0xa5, "SHLD"},
	{0xa8, 0xa8, "PUSH GS"},
	{0xa9, 0xa9, "POP GS"},
	{0xab, 0xab, "BTS"},
	{0xac, 0xad, "SHRD"},
	{0xaf, 0xaf, "IMUL"},
	{0xb0, 0xb1, "CMPXCHG"},
	{0xb2, 0xb2, "LSS"},
	{0xb3, 0xb3, "BTR"},
	{0xb4, 0xb4, "LFS"},
	{0xb5, 0xb5, "LGS"},
	{0xb6, 0xb7, "MOVZX"},
	{0xb8, 0xb8, "POPCNT"},
	{0xbb, 0xbb, "BTC"},
	{0xbc, 0xbc, "BSF or TZCNT"},
	{0xbd, 0xbd, "BSR or LZCNT"},
	{0xbe, 0xbf, "MOVSX"},
	{0xc0, 0xc1, "XADD"},
	{0xc2, 0xc2, "CMPPS"},
	{0xc3, 0xc3, "MOVNTI"},
	{0xc4, 0xc6, "SSE or MMX"},
	{0xd0, 0xe6, "SSE or MMX"},
	{0xe7, 0xe7, "MOVNTQ or MOVNTDQ"},
	{0xe8, 0xfe, "SSE or MMX"},
};

/* Opcodes whose instruction ModRM.reg chooses. */
static const struct group {
	u8 escape, first, last;
	const char *names[8];
} groups[] = {
	{0x00, 0x80, 0x83, {"ADD", "OR", "ADC", "SBB", "AND", "SUB", "XOR", "CMP"}},
	{0x00, 0xc0, 0xc1, {"ROL", "ROR", "RCL", "RCR", "SHL", "SHR", "SHL", "SAR"}},
	{0x00, 0xd0, 0xd3, {"ROL", "ROR", "RCL", "RCR", "SHL", "SHR", "SHL", "SAR"}},
	{0x00, 0xf6, 0xf7, {"TEST", "TEST", "NOT", "NEG", "MUL", "IMUL", "DIV", "IDIV"}},
	{0x00, 0xfe, 0xff, {"INC", "DEC", "CALL", "CALL far", "JMP", "JMP far", "PUSH", "?"}},
	{0x0f,
	 0xae,
	 0xae,
	 {"FXSAVE", "FXRSTOR", "LDMXCSR", "STMXCSR", "XSAVE", "XRSTOR", "XSAVEOPT or CLWB", "CLFLUSH"}},
	{0x0f, 0xba, 0xba, {"?", "?", "?", "?", "BT", "BTS", "BTR", "BTC"}},
	{0x0f, 0xc7, 0xc7, {"?", "CMPXCHG8B or CMPXCHG16B", "?", "XRSTORS", "XSAVEC", "XSAVES", "VMPTRLD", "VMPTRST"}},
};

static bool is_prefix(u8 byte, enum insn_mode mode)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64 ... 0x67:
	case 0xf0:
	case 0xf2:
	case 0xf3:
		return true;
	default:
		return mode == INSN_MODE_64 && (byte & 0xf0) == 0x40;
	}
}

static const char *in_group(u8 escape, u8 opcode, u8 modrm)
{
	for (u32 i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i].escape == escape && opcode >= groups[i].first && opcode <= groups[i].last)
			return groups[i].names[modrm >> 3 & 7];
	return NULL;
}

static const char *in_ranges(const struct range *range, size_t n, u8 opcode)
{
	for (size_t i = 0; i < n; i++)
		if (opcode >= range[i].first && opcode <= range[i].last)
			return range[i].name;
	return "?";
}

const char *insn_name(const u8 *bytes, u32 count, enum insn_mode mode)
{
	const char *name;
	u8 escape = 0;
	u32 at = 0;

	while (at < count && is_prefix(bytes[at], mode))
		at++;
	if (at < count && bytes[at] == 0x0f)
		escape = bytes[at++];
	if (at >= count)
		return "?";
	name = at + 1 < count ? in_group(escape, bytes[at], bytes[at + 1]) : NULL;
	if (name)
		return name;
	return escape ? in_ranges(two, ARRAY_SIZE(two), bytes[at]) : in_ranges(one, ARRAY_SIZE(one), bytes[at]);
}
