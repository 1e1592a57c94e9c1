#include "vmm/fetch.h"

#include "lib/string.h"
#include "vmm/linear.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

/* code_place.mode: the bits of CR0, CR4 and EFER in their places, and where those have none, two more things. */
#define PLACE_MODE BITS(1, 0) /* enum insn_mode */
#define PLACE_USER BIT(2)     /* CPL 3 */
#define PLACE_EFER (EFER_LMA | EFER_NXE)
_Static_assert(((PLACE_MODE | PLACE_USER) & (PLACE_EFER | CR0_PAGING | CR4_PAGING)) == 0 &&
		       (PLACE_EFER & (CR0_PAGING | CR4_PAGING)) == 0 && (CR0_PAGING & CR4_PAGING) == 0,
	       "each has bits of its own");

/* Of a segment's type. */
#define TYPE_CODE	BIT(3)
#define TYPE_CONFORMING BIT(2)

/* Those that the place depends on, and those that every emulated instruction needs at its end. */
#define REGS_NEEDED (BIT(REG_RIP) | BIT(REG_RFLAGS) | BIT(REG_CR3) | BIT(REG_EFER))

static inline enum insn_mode mode_of(struct vcpu *vcpu, u32 cs_attributes)
{
	if (vcpu->reg[REG_EFER] & EFER_LMA && cs_attributes & SEGMENT_L)
		return INSN_MODE_64;
	return cs_attributes & SEGMENT_DB ? INSN_MODE_32 : INSN_MODE_16;
}

/* Code that is not conforming has the privilege level as its DPL (SDM "Checks on Guest Segment Registers"). */
static inline bool is_user(struct vcpu *vcpu, u32 cs_attributes)
{
	bool plain = (cs_attributes & (TYPE_CODE | TYPE_CONFORMING)) == TYPE_CODE;

	return (LIKELY(plain) ? SEGMENT_DPL(cs_attributes) : vcpu_cpl(vcpu)) == 3;
}

static gva_t linear_rip(struct vcpu *vcpu, enum insn_mode mode)
{
	struct segment cs;

	if (LIKELY(mode == INSN_MODE_64))
		return vcpu->reg[REG_RIP];
	vcpu->engine->get_segment(vcpu, SEG_CS, &cs);
	return (u32)(cs.base + vcpu->reg[REG_RIP]);
}

static inline __attribute__((always_inline)) void find_code(struct vcpu *vcpu, struct code_place *place)
{
	u32 attributes = vcpu->engine->segment_attributes(vcpu, SEG_CS);
	enum insn_mode mode;

	vcpu_need(vcpu, REGS_NEEDED);
	if (UNLIKELY(!(vcpu->cached & CACHED_PAGING)))
		vcpu_need(vcpu, BIT(REG_CR0) | BIT(REG_CR4));
	mode = mode_of(vcpu, attributes);
	place->linear = linear_rip(vcpu, mode);
	place->cr3 = vcpu->reg[REG_CR3];
	place->mode = (u32)((vcpu->reg[REG_CR0] & CR0_PAGING) | (vcpu->reg[REG_CR4] & CR4_PAGING) |
			    (vcpu->reg[REG_EFER] & PLACE_EFER) | mode | (is_user(vcpu, attributes) ? PLACE_USER : 0));
}

static enum insn_mode insn_mode(const struct code_place *place)
{
	return (enum insn_mode)(place->mode & PLACE_MODE);
}

/* How many bytes an instruction at `linear` can have before the page ends. */
static u32 bytes_in_page(gva_t linear)
{
	return (u32)MIN(PAGE_SIZE - (linear & (PAGE_SIZE - 1)), (u64)INSN_MAX_LENGTH);
}

/* What an instruction can reach of one page, in whole words, which never leave a page. */
struct code {
	struct gwalk walk;
	u64 word[CODE_WORDS];
	u32 skip;  /* bytes before the instruction */
	u32 count; /* bytes from there to the instruction's or the page's end */
};

static const u8 *code_bytes(const struct code *code)
{
	return (const u8 *)code->word + code->skip;
}

static bool read_code(struct vcpu *vcpu, gva_t linear, struct code *code)
{
	struct linear_view view = linear_view(vcpu);

	view.fetch = true;
	if (linear_walk(vcpu->vm, &view, linear, false, &code->walk) != LINEAR_OK)
		return false;
	code->skip = code->walk.gpa % sizeof(u64);
	code->count = bytes_in_page(linear);
	return guest_read(vcpu->vm, code->walk.gpa - code->skip, code->word,
			  ALIGN_UP(code->skip + code->count, sizeof(u64))) == OK;
}

/* The next page is read only when the instruction reaches into it: it need not be there. Returns how many bytes are. */
static u32 read_next(struct vcpu *vcpu, gva_t linear, const struct code *code, u8 bytes[INSN_MAX_LENGTH])
{
	struct code next;

	memcpy(bytes, code_bytes(code), code->count);
	if (code->count == INSN_MAX_LENGTH || !read_code(vcpu, linear + code->count, &next))
		return code->count;
	memcpy(bytes + code->count, code_bytes(&next), INSN_MAX_LENGTH - code->count);
	return INSN_MAX_LENGTH;
}

/* Of what was read no word is read a second time: what is remembered is what was decoded. */
static void remember(struct fetched *fetched, const struct code_place *place, const struct code *code)
{
	u64 end = code->skip + fetched->insn.length;
	struct window_word *word = fetched->word;

	/* Entries of 32-bit paging are half words: such a guest is looked up each time. */
	if (code->walk.entry_size == sizeof(u32))
		return;
	for (u32 i = 0; i < code->walk.steps; i++)
		*word++ = (struct window_word){code->walk.step[i].gpa, code->walk.step[i].entry};
	for (u64 at = 0; at < end; at += sizeof(u64))
		*word++ = (struct window_word){code->walk.gpa - code->skip + at, code->word[at / sizeof(u64)]};
	fetched->place = *place;
	fetched->words = (u32)(word - fetched->word);
}

static int __attribute__((noinline)) fetch_anew(struct vcpu *vcpu, const struct code_place *place,
						struct fetched *fetched)
{
	u8 bytes[INSN_MAX_LENGTH];
	struct code code;
	int error;

	fetched->words = 0;
	if (!read_code(vcpu, place->linear, &code))
		return ERR_RANGE;
	error = insn_decode(&fetched->insn, code_bytes(&code), code.count, insn_mode(place));
	if (error == OK)
		remember(fetched, place, &code);
	if (error != ERR_RANGE || code.count == INSN_MAX_LENGTH)
		return error;
	return insn_decode(&fetched->insn, bytes, read_next(vcpu, place->linear, &code, bytes), insn_mode(place));
}

static inline bool still_so(struct vcpu *vcpu, const struct fetched *fetched, const struct code_place *place)
{
	return fetched->place.linear == place->linear && fetched->place.cr3 == place->cr3 &&
	       fetched->place.mode == place->mode && fetched->words &&
	       guest_unchanged(vcpu->vm, fetched->word, fetched->words);
}

int fetch_instruction(struct vcpu *vcpu, const struct insn **insn)
{
	struct code_place place;
	struct fetched *fetched;

	find_code(vcpu, &place);
	/* By bits in which instructions that follow one another differ. */
	fetched = &vcpu->fetched[(place.linear ^ place.linear >> 3) % FETCHED];
	*insn = &fetched->insn;
	return LIKELY(still_so(vcpu, fetched, &place)) ? OK : fetch_anew(vcpu, &place, fetched);
}

u32 fetch_bytes(struct vcpu *vcpu, u8 bytes[INSN_MAX_LENGTH], enum insn_mode *mode)
{
	struct code_place place;
	struct code code;

	find_code(vcpu, &place);
	*mode = insn_mode(&place);
	return read_code(vcpu, place.linear, &code) ? read_next(vcpu, place.linear, &code, bytes) : 0;
}
