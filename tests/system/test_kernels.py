"""Debian's kernels by the ways of starting that guests/default.conf does not use: the 32-bit entry of the boot protocol, and PVH."""
import re

import pytest

from tests.lib.boots import ROOT, Boot

MACHINE = Boot(platform="qemu", cores=2, memory=1024, config=(ROOT / "guests" / "kernels.conf").read_text())
# By VT-x in Bochs: minutes each.
SLOW = Boot(platform="bochs", cores=2, memory=1024, config=MACHINE.config)
GUESTS = [("bzimage32", r"6\.\S+-686-pae"), ("pvh", r"6\.\S+-cloud-amd64"), ("pvh32", r"6\.\S+-686-pae")]
MACHINES = [(MACHINE, 180), pytest.param(SLOW, 900, marks=pytest.mark.full)]


@pytest.mark.parametrize("machine,seconds", MACHINES, indirect=["machine"])
@pytest.mark.parametrize("vm,release", GUESTS)
def test_kernel_reaches_userspace(machine, seconds, vm, release):
    machine.expect(rf"^{vm}\| Linux {release} is up: token {vm}$", seconds)


@pytest.mark.parametrize("machine,seconds", MACHINES, indirect=["machine"])
@pytest.mark.parametrize("vm,release", GUESTS)
def test_kernel_warns_of_nothing(machine, seconds, vm, release):
    """Nothing that a kernel finds at odds with itself: topology, state of the processor, registers that fault."""
    machine.expect(rf"^{vm}\| Linux {release} is up: ", seconds)
    assert not [line for line in machine.lines(vm) if re.search(r"WARNING:|BUG:|Firmware Bug|unchecked MSR", line)]
    assert [line for line in machine.lines(vm) if "smpboot: Total of 1 processors activated" in line]


@pytest.mark.parametrize("machine,seconds", MACHINES, indirect=["machine"])
def test_32_bit_system_answers(machine, seconds):
    machine.expect(r"^bzimage32\| # ", seconds, partial=True)
    machine.send(b"echo machine''is $(uname -m)\r")
    machine.expect(r"^bzimage32\| machineis i686$", seconds)
