"""The local APIC with and without the processor's help: what a guest sees is the same."""
import re

import pytest

from tests.lib import configs
from tests.lib.boots import Boot

END = 300  # seconds
GUESTS = configs.ASK_APIC
# The first delivers interrupts by itself; corei3_cnl has the TPR shadow and the APIC-access page alone.
MACHINES = [Boot(config=configs.guests("bochs")),
            Boot(cpu="corei3_cnl", config=configs.text(*map(configs.vm, GUESTS), *configs.without_apic_help()))]


def exits(machine, vm, kind):
    """How many exits of a kind a VM had, by its statistics."""
    found = re.search(rf"^vm {vm}: exits: {kind} +(\d+) ", machine.text, re.M)
    return int(found.group(1)) if found else 0


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
@pytest.mark.parametrize("guest", GUESTS)
def test_same_with_and_without(machine, guest):
    machine.expect_end(END)
    lines = machine.lines(guest)
    assert lines == machine.lines(f"{guest}-alone")
    assert sum(line.startswith("pass ") for line in lines) > 150
    assert not [line for line in lines if line.startswith("FAIL ")]


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
@pytest.mark.parametrize("guest", GUESTS)
def test_the_switch_makes_the_difference(machine, guest):
    machine.expect_end(END)
    assert exits(machine, guest, "apic") and not exits(machine, f"{guest}-alone", "apic")
    assert exits(machine, guest, "memory") < exits(machine, f"{guest}-alone", "memory")
