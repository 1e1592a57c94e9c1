"""Debian's kernels by the ways of starting that guests/default.conf does not use: the 32-bit entry of the boot
protocol, and PVH."""
import re

import pytest

from tests.lib.boots import ROOT, Boot

CONFIG = (ROOT / "guests" / "kernels.conf").read_text()
RELEASES = {"bzimage32": r"6\.\S+-686-pae", "pvh": r"6\.\S+-cloud-amd64", "pvh32": r"6\.\S+-686-pae"}
TOGETHER = Boot(platform="qemu", cores=2, memory=1024, config=CONFIG)


def alone(vm):
    """By VT-x in Bochs, where each takes minutes: a machine for this one."""
    sections = re.split(r"^(?=\[)", CONFIG, flags=re.M)
    text = "".join(section for section in sections if section.startswith(("[trivisor]", f"[{vm}]")))
    return Boot(platform="bochs", config=text.replace("console = bzimage32", f"console = {vm}"))


CASES = [pytest.param(TOGETHER, vm, 180, id=f"qemu-{vm}") for vm in RELEASES] + [
    pytest.param(alone(vm), vm, 900, id=f"bochs-{vm}", marks=pytest.mark.full) for vm in RELEASES]


@pytest.mark.parametrize("machine,vm,seconds", CASES, indirect=["machine"])
def test_kernel_reaches_userspace(machine, vm, seconds):
    machine.expect(rf"^{vm}\| Linux {RELEASES[vm]} is up: token {vm}$", seconds)


@pytest.mark.parametrize("machine,vm,seconds", CASES, indirect=["machine"])
def test_kernel_warns_of_nothing(machine, vm, seconds):
    """Nothing that a kernel finds at odds with itself: topology, state of the processor, registers that fault."""
    machine.expect(rf"^{vm}\| Linux \S+ is up: ", seconds)
    assert not [line for line in machine.lines(vm) if re.search(r"WARNING: CPU|BUG:|Firmware Bug|unchecked MSR", line)]
    assert [line for line in machine.lines(vm) if "smpboot: Total of 1 processors activated" in line]


@pytest.mark.parametrize("machine,vm,seconds", [case for case in CASES if "bzimage32" in case.id], indirect=["machine"])
def test_32_bit_system_answers(machine, vm, seconds):
    machine.expect(rf"^{vm}\| # ", seconds, partial=True)
    machine.send(b"echo machine''is $(uname -m)\r")
    machine.expect(rf"^{vm}\| machineis i686$", seconds)
