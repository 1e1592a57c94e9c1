"""The emulator launcher: starts Bochs or QEMU on an image, speaks with the machine by its serial port, says how it
ended."""
