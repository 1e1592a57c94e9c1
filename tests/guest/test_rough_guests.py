"""Guests that try what no well-behaved one does: random code, every port, code that writes itself, interrupts off, bad hypercalls."""
import re

import pytest

from tests.lib.boots import AMDV, Boot, on

# name: (kernel, options, how it ends)
GUESTS = {
    "random0": ("fuzz", "seed=1 count=1000", "exit code 0"),
    "random0b": ("fuzz", "seed=2 count=1000", "exit code 0"),
    "random3": ("fuzz", "seed=3 count=1000 ring=3", "exit code 0"),
    "ports": ("anyio", "", "exit code 0"),
    "selfmodify": ("selfmodify", "", "triple fault at rip "),
    "deaf": ("cliloop", "mticks=50", "exit code 0"),
    "hypercalls": ("hypercalls", "", "exit code 0"),
}
CONFIG = "[trivisor]\non-idle = poweroff\n" + "".join(
    f"\n[{name}]\nkernel = {kernel}.elf\nextra = {options or 'all'}\nmemory = 16M\n" for name, (kernel, options, _) in GUESTS.items())
# Bochs: by VT-x; QEMU: by AMD-V.
MACHINES = on(Boot(cores=1, config=CONFIG), {}, *AMDV)
END = 240  # seconds the slowest of them may take from its start


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
@pytest.mark.parametrize("guest", GUESTS)
def test_it_harms_nobody(machine, guest):
    assert machine.expect(rf"^vm {guest}: ended: (.*)$", END).group(1).startswith(GUESTS[guest][2])
    said = machine.lines(guest)
    assert said and not [line for line in said if line.startswith("FAIL")]


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
def test_the_machine_outlives_them(machine):
    end = machine.expect_end(END)
    assert (end.status, end.reason) == (0, "the machine powered itself off")
    for guest in ("random0", "random0b", "random3"):
        assert re.search(rf"^{guest}\| survived$", machine.text, re.M)
