/* Interrupts in a local APIC: arrival, priorities, service (SDM "Handling Interrupts"). */
#include "vmm/devices/vlapic_page.h"

#define WORDS	  8u
#define SELF_IPI_VECTOR 0xffu

/* A word of IRR, ISR or TMR: 16 bytes apart. In bytes and 64 bits wide, the address is the processor's to add up. */
static inline u32 *word_at(const struct vlapic *lapic, u32 bank, u32 word)
{
	return (u32 *)((u8 *)lapic->page + bank + (size_t)word * 16);
}

static inline u32 word_of(const struct vlapic *lapic, u32 bank, u32 word)
{
	return __atomic_load_n(word_at(lapic, bank, word), __ATOMIC_RELAXED);
}

static inline void set_word(struct vlapic *lapic, u32 bank, u32 word, u32 bits)
{
	__atomic_store_n(word_at(lapic, bank, word), bits, __ATOMIC_RELAXED);
}

/* The number of the highest bit; not of 0. The compiler makes one instruction of it, and three of 31 - clz. */
static inline u32 highest_bit(u32 bits)
{
	return 31 ^ (u32)__builtin_clz(bits);
}

/* Write a word of IRR or ISR, of which `words` says the ones that are not empty. */
static inline void change_word(struct vlapic *lapic, u32 bank, u32 *words, u32 word, u32 bits)
{
	set_word(lapic, bank, word, bits);
	if (!bits)
		*words &= ~(1u << word) | lapic->helped_words;
}

/* The highest word of IRR or ISR with something in it, by those that are not empty, and what is; 0: there is none. */
static inline u32 highest_word(const struct vlapic *lapic, u32 bank, u32 words, u32 *word)
{
	while (words) {
		u32 bits;

		*word = highest_bit(words);
		bits = word_of(lapic, bank, *word);
		if (LIKELY(bits))
			return bits;
		words &= ~(1u << *word);
	}
	return 0;
}

/* The highest vector of IRR or ISR; 0: none. */
static inline u32 highest(const struct vlapic *lapic, u32 bank, u32 words)
{
	u32 word, bits = highest_word(lapic, bank, words, &word);

	return bits ? word * 32 + highest_bit(bits) : 0;
}

/* Everything that is not a fixed interrupt is a signal. */
static u32 signal_of(const struct apic_message *message)
{
	switch (message->delivery) {
	case APIC_FIXED:
	case APIC_LOWEST:
		return message->vector < 16 ? (u32)LAPIC_SIGNAL_BAD_VECTOR : 0;
	case APIC_NMI:
		return LAPIC_SIGNAL_NMI;
	case APIC_INIT:
		return LAPIC_SIGNAL_INIT;
	case APIC_STARTUP:
		return LAPIC_SIGNAL_STARTUP;
	case APIC_SMI:
		return LAPIC_SIGNAL_SMI;
	case APIC_EXTINT:
		return LAPIC_SIGNAL_EXTINT;
	default:
		return 0;
	}
}

/* The level bit before the vector, so that whoever finds the vector finds it too; `posted_words` last. */
static void post_vector(struct vlapic *lapic, u8 vector, bool level)
{
	u32 bit = 1u << (vector % 32), word = vector / 32;

	if (level)
		__atomic_fetch_or(&lapic->posted_level[word], bit, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&lapic->posted_level[word], ~bit, __ATOMIC_RELAXED);
	__atomic_fetch_or(&lapic->posted[word], bit, __ATOMIC_RELEASE);
	__atomic_fetch_or(&lapic->posted_words, 1u << word, __ATOMIC_RELEASE);
}

static void post_signal(struct vlapic *lapic, u32 signal)
{
	__atomic_fetch_or(&lapic->signals, signal, __ATOMIC_RELEASE);
	__atomic_fetch_or(&lapic->posted_words, POSTED_SIGNAL, __ATOMIC_RELEASE);
}

void vlapic_post(struct vlapic *lapic, const struct apic_message *message)
{
	u32 signal = signal_of(message);

	if (signal & LAPIC_SIGNAL_STARTUP)
		__atomic_store_n(&lapic->startup_vector, message->vector, __ATOMIC_RELAXED);
	if (signal)
		post_signal(lapic, signal);
	else if (message->delivery == APIC_FIXED || message->delivery == APIC_LOWEST)
		post_vector(lapic, message->vector, message->level_triggered);
	else
		return; /* a reserved delivery mode */
	lapic->wires->attention(lapic->wires->context, lapic);
}

/* Into IRR, and TMR says of each vector how it came. */
static inline void accept(struct vlapic *lapic, u32 word, u32 bits, u32 level)
{
	set_word(lapic, LAPIC_TMR, word, (word_of(lapic, LAPIC_TMR, word) & ~bits) | (level & bits));
	set_word(lapic, LAPIC_IRR, word, word_of(lapic, LAPIC_IRR, word) | bits);
	lapic->requested_words |= 1u << word;
	lapic->changed = true;
}

/* The bits are cleared first: what comes meanwhile sets them again. */
void vlapic_collect(struct vlapic *lapic)
{
	u32 words = __atomic_exchange_n(&lapic->posted_words, 0, __ATOMIC_SEQ_CST);

	for (u32 left = words & BITS(WORDS - 1, 0); left; left &= left - 1) {
		u32 word = (u32)__builtin_ctz(left);
		u32 bits = __atomic_exchange_n(&lapic->posted[word], 0, __ATOMIC_ACQUIRE);

		accept(lapic, word, bits, __atomic_load_n(&lapic->posted_level[word], __ATOMIC_RELAXED));
	}
	if (words & POSTED_SIGNAL &&
	    __atomic_fetch_and(&lapic->signals, ~(u32)LAPIC_SIGNAL_BAD_VECTOR, __ATOMIC_ACQUIRE) &
		    LAPIC_SIGNAL_BAD_VECTOR)
		vlapic_error(lapic, ESR_RECEIVE_VECTOR);
}

/* SDM "Task and Processor Priorities". */
u32 vlapic_ppr(const struct vlapic *lapic)
{
	u32 tpr = vlapic_get(lapic, LAPIC_TPR), service_class = highest(lapic, LAPIC_ISR, lapic->service_words) & 0xf0;

	return (tpr & 0xf0) >= service_class ? tpr : service_class;
}

/* That the class is above PPR's is to be above TPR's and that of what is in service. */
u32 vlapic_pending(const struct vlapic *lapic)
{
	u32 vector = highest(lapic, LAPIC_IRR, lapic->requested_words);

	if (vector >> 4 <= vlapic_get(lapic, LAPIC_TPR) >> 4 || !vlapic_is_enabled(lapic))
		return 0;
	return vector >> 4 > highest(lapic, LAPIC_ISR, lapic->service_words) >> 4 ? vector : 0;
}

u8 vlapic_take(struct vlapic *lapic, u32 vector)
{
	u32 word = vector / 32, bit = 1u << (vector % 32);

	change_word(lapic, LAPIC_IRR, &lapic->requested_words, word, word_of(lapic, LAPIC_IRR, word) & ~bit);
	set_word(lapic, LAPIC_ISR, word, word_of(lapic, LAPIC_ISR, word) | bit);
	lapic->service_words |= 1u << word;
	return (u8)vector;
}

void vlapic_help(struct vlapic *lapic)
{
	lapic->helped_words = lapic->requested_words = lapic->service_words = BITS(WORDS - 1, 0);
}

static enum apic_access access_of(const struct vlapic *lapic)
{
	u64 base = vlapic_base(lapic);

	if (base & BASE_EXTD)
		return APIC_ACCESS_MSR;
	return vlapic_covers(lapic, LAPIC_ADDRESS) ? APIC_ACCESS_MMIO : APIC_ACCESS_NONE;
}

/* Of a request that nothing in service keeps out, only TPR. */
static u8 threshold(const struct apic_view *view)
{
	u8 class = view->requested >> 4;

	return class > view->in_service >> 4 && class <= view->tpr >> 4 ? class : 0;
}

/* The same as highest(), for a processor that helps: which words are empty is not known. */
static inline u8 highest_of_all(const struct vlapic *lapic, u32 bank)
{
#pragma GCC unroll 8
	for (u32 word = WORDS; word-- > 0;) {
		u32 bits = word_of(lapic, bank, word);

		if (bits)
			return (u8)(word * 32 + highest_bit(bits));
	}
	return 0;
}

void vlapic_view(struct vlapic *lapic, struct apic_view *view)
{
	lapic->changed = false;
	view->access = access_of(lapic);
	view->enabled = vlapic_is_enabled(lapic);
	view->tpr = (u8)vlapic_get(lapic, LAPIC_TPR);
	view->requested = view->enabled ? highest_of_all(lapic, LAPIC_IRR) : 0;
	view->in_service = highest_of_all(lapic, LAPIC_ISR);
	view->threshold = threshold(view);
	view->level = &lapic->page[LAPIC_TMR / 4];
}

bool vlapic_asks(const struct vlapic *lapic)
{
	u32 class = highest_of_all(lapic, LAPIC_IRR) >> 4;

	return class > vlapic_get(lapic, LAPIC_TPR) >> 4 && class > highest_of_all(lapic, LAPIC_ISR) >> 4u &&
	       vlapic_is_enabled(lapic);
}

void vlapic_ended(struct vlapic *lapic, u8 vector)
{
	lapic->wires->eoi(lapic->wires->context, vector);
}

u32 vlapic_take_signals(struct vlapic *lapic, u8 *startup_vector)
{
	u32 taken;

	if (!__atomic_load_n(&lapic->signals, __ATOMIC_RELAXED))
		return 0;
	taken = __atomic_fetch_and(&lapic->signals, (u32)LAPIC_SIGNAL_BAD_VECTOR, __ATOMIC_ACQUIRE);
	*startup_vector = (u8)__atomic_load_n(&lapic->startup_vector, __ATOMIC_RELAXED);
	return taken & ~(u32)LAPIC_SIGNAL_BAD_VECTOR;
}

/* SDM "Signaling Interrupt Servicing Completion". */
static void end_interrupt(struct vlapic *lapic)
{
	u32 word, bits = highest_word(lapic, LAPIC_ISR, lapic->service_words, &word), bit;

	if (!bits)
		return;
	bit = highest_bit(bits);
	change_word(lapic, LAPIC_ISR, &lapic->service_words, word, bits & ~(1u << bit));
	lapic->changed = true;
	if (UNLIKELY(word_of(lapic, LAPIC_TMR, word) >> bit & 1))
		lapic->wires->eoi(lapic->wires->context, (u8)(word * 32 + bit));
}

enum lapic_write vlapic_write_eoi(struct vlapic *lapic, u64 value)
{
	if (value)
		return LAPIC_FAULT;
	end_interrupt(lapic);
	return lapic->requested_words ? LAPIC_LOOK : LAPIC_DONE;
}

/* Reserved bits are #GP, a vector that cannot be sent is an error of the local APIC's. */
static enum lapic_write __attribute__((noinline)) refuse_self_ipi(struct vlapic *lapic, u64 value)
{
	if (value > SELF_IPI_VECTOR)
		return LAPIC_FAULT;
	vlapic_error(lapic, ESR_SEND_VECTOR);
	return LAPIC_LOOK;
}

enum lapic_write vlapic_write_self_ipi(struct vlapic *lapic, u64 value)
{
	if (UNLIKELY(value - 16 > SELF_IPI_VECTOR - 16))
		return refuse_self_ipi(lapic, value);
	if (LIKELY(vlapic_is_enabled(lapic)))
		accept(lapic, (u32)value / 32, 1u << (value % 32), 0);
	return LAPIC_LOOK;
}

/* By way of the posted ones: a timer may fire on a core where the vCPU is not. */
void vlapic_local_interrupt(struct vlapic *lapic, u32 lvt)
{
	struct apic_message message = {.delivery = LVT_DELIVERY(lvt), .vector = (u8)(lvt & LVT_VECTOR)};

	if (!(lvt & LVT_MASKED))
		vlapic_post(lapic, &message);
}

void vlapic_error(struct vlapic *lapic, u32 bit)
{
	bool news = !(lapic->errors & bit);

	lapic->errors |= bit;
	/*
	 * The error entry of the LVT has no delivery mode: always fixed. An illegal vector in it must not call itself.
	 */
	if (news)
		vlapic_local_interrupt(lapic, vlapic_get(lapic, LAPIC_LVT_ERROR) & (u32)(LVT_MASKED | LVT_VECTOR));
}

bool vlapic_accepts_pic(const struct vlapic *lapic)
{
	u32 lint0 = vlapic_get(lapic, LAPIC_LVT_LINT0);

	/* Switched off by the base MSR, the processor's INTR pin is what it was before there were APICs. */
	if (!(vlapic_base(lapic) & BASE_EN))
		return vlapic_base(lapic) & BASE_BSP;
	return !(lint0 & LVT_MASKED) && LVT_DELIVERY(lint0) == APIC_EXTINT;
}

u64 vlapic_get_cr8(const struct vlapic *lapic)
{
	return vlapic_get(lapic, LAPIC_TPR) >> 4;
}

void vlapic_set_cr8(struct vlapic *lapic, u64 value)
{
	vlapic_set(lapic, LAPIC_TPR, (u32)(value & 15) << 4);
}
