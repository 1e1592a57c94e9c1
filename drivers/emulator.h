/* Emulators that power off by a port of their own: known for certain, or left alone. */
#ifndef DRIVERS_EMULATOR_H
#define DRIVERS_EMULATOR_H

/* Power off if this is such an emulator. Returns otherwise. */
void emulator_power_off(void);

#endif
