/* One counter of the 8254 (data sheet, "Mode Definitions"). `now` is in PIT ticks and never goes back. Pure. */
#ifndef VMM_DEVICES_PIT_CHANNEL_H
#define VMM_DEVICES_PIT_CHANNEL_H

#include "vmm/devices/pit8254.h"

#define PIT_NEVER ~0ull

void pit_channel_set_mode(struct pit_channel *channel, u8 access, u8 mode, bool bcd);
/* A whole count arrived, 0 standing for the largest; in BCD when the channel is. */
void pit_channel_load(struct pit_channel *channel, u64 now, u16 count);
/* The first of two bytes arrived: mode 0 stops until the second. */
void pit_channel_begin_load(struct pit_channel *channel);
void pit_channel_set_gate(struct pit_channel *channel, u64 now, bool gate);
/* Let what was written take effect if its time has come; before anything else is asked. */
void pit_channel_sync(struct pit_channel *channel, u64 now);
bool pit_channel_output(const struct pit_channel *channel, u64 now);
/* The count as the guest reads it. */
u16 pit_channel_count(const struct pit_channel *channel, u64 now);
/* The status byte of the read-back command. */
u8 pit_channel_status(const struct pit_channel *channel, u64 now);
/* Tick of the next rising edge of the output after `now`, or PIT_NEVER. */
u64 pit_channel_next_edge(const struct pit_channel *channel, u64 now);

#endif
