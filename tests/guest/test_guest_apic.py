"""The local APIC with and without the processor's help: what a guest sees is the same."""
import re

import pytest

from tests.lib.boots import Boot, on

# skylake_x delivers interrupts by itself; corei3_cnl has the TPR shadow and the APIC-access page alone.
WHOLE, PART = "corei7_skylake_x", "corei3_cnl"
END = 300  # seconds
GUESTS = ("conform32", "conform64")


def config():
    """Each guest with the help and without."""
    return "[trivisor]\non-idle = poweroff\nstats = on\n" + "".join(
        f"\n[{guest}-{help}]\nkernel = {guest}.elf\nextra = all\nmemory = 32M\napic_virtualization = {help}\n"
        for guest in GUESTS for help in ("auto", "off"))


MACHINES = on(Boot(cores=1, config=config()), {"cpu": WHOLE}, {"cpu": PART})


def exits(machine, vm, kind):
    """How many exits of a kind a VM had, by its statistics."""
    found = re.search(rf"^vm {vm}: exits: {kind} +(\d+) ", machine.text, re.M)
    return int(found.group(1)) if found else 0


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
@pytest.mark.parametrize("guest", GUESTS)
def test_same_with_and_without(machine, guest):
    machine.expect_end(END)
    lines = machine.lines(f"{guest}-auto")
    assert lines == machine.lines(f"{guest}-off")
    assert sum(line.startswith("pass ") for line in lines) > 150
    assert not [line for line in lines if line.startswith("FAIL ")]


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
@pytest.mark.parametrize("guest", GUESTS)
def test_the_switch_makes_the_difference(machine, guest):
    machine.expect_end(END)
    assert exits(machine, f"{guest}-auto", "apic") and not exits(machine, f"{guest}-off", "apic")
    assert exits(machine, f"{guest}-auto", "memory") < exits(machine, f"{guest}-off", "memory")
