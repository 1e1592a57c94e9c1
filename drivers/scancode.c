#include "drivers/scancode.h"

#define CODE_EXTENDED	 0xe0
#define CODE_PAUSE	 0xe1 /* and two bytes; a Pause is two such, and has no release */
#define PAUSE_REST	 2
#define CODE_RELEASE	 0x80
#define CODE_CONTROL	 0x1d
#define CODE_SHIFT_LEFT	 0x2a
#define CODE_SHIFT_RIGHT 0x36
#define CODE_CAPS	 0x3a
#define CODE_KEYPAD_SLASH 0x35 /* with E0 */
#define CODE_ENTER	 0x1c	/* with or without E0 */

/* Index: scan code. */
static const char plain[] = "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool set_modifier(struct scancode_state *state, u8 key, bool pressed)
{
	switch (key) {
	case CODE_CONTROL:
		state->control = pressed;
		return true;
	case CODE_SHIFT_LEFT:
		state->shift_left = pressed;
		return true;
	case CODE_SHIFT_RIGHT:
		state->shift_right = pressed;
		return true;
	case CODE_CAPS:
		state->caps ^= pressed;
		return true;
	default:
		return false;
	}
}

static int byte_of(const struct scancode_state *state, u8 key)
{
	bool shift = state->shift_left || state->shift_right;
	char c;

	if (key >= sizeof(plain) - 1 || plain[key] == '\0')
		return -1;
	if (is_letter(plain[key]) && state->caps)
		shift = !shift;
	c = shift ? shifted[key] : plain[key];
	/* What terminals send with Ctrl: the column of '@' to '_' moved to the control codes. */
	if (state->control && (is_letter(c) || (c >= '@' && c <= '_')))
		return c & 0x1f;
	return (u8)c;
}

/*
 * Of the keys behind E0, only those two have a byte; E0 2A and E0 36 are shifts the keyboard makes up and not the
 * user's.
 */
static int decode_extended(struct scancode_state *state, u8 key, bool pressed)
{
	if (key == CODE_CONTROL)
		state->control = pressed;
	if (!pressed)
		return -1;
	return key == CODE_KEYPAD_SLASH ? '/' : key == CODE_ENTER ? '\r' : -1;
}

int scancode_decode(struct scancode_state *state, u8 code)
{
	u8 key = code & (u8)~CODE_RELEASE;
	bool pressed = !(code & CODE_RELEASE);

	if (state->skip) {
		state->skip--;
		return -1;
	}
	if (code == CODE_PAUSE) {
		state->skip = PAUSE_REST;
		return -1;
	}
	if (code == CODE_EXTENDED) {
		state->extended = true;
		return -1;
	}
	if (state->extended) {
		state->extended = false;
		return decode_extended(state, key, pressed);
	}
	if (set_modifier(state, key, pressed) || !pressed)
		return -1;
	return byte_of(state, key);
}
