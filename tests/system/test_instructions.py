"""Each instruction of docs/instructions.md on devices, against the same on RAM: tests/guest/mmio does it all and ends
with its verdict."""
import pytest

from tests.lib.boots import Boot

CONFIG = "[trivisor]\non-idle = poweroff\n[mmio]\nkernel = mmio.elf\nmemory = 32M\n"
# QEMU's software emulation loses the flags of an XCHG whose operand spans two pages, when the second ends it by a VM
# exit: what it does by itself under its lock it begins twice (cpu_exec_step_atomic()).
MACHINES = [
    Boot(platform="qemu", config=CONFIG + "extra = across-pages=not-xchg\n"),
    pytest.param(Boot(platform="bochs", config=CONFIG), marks=pytest.mark.full),
]
GROUPS = {
    "32": ["window-16", "window-32", "local-apic", "ioapic", "crossing"],
    "64": ["window-64", "local-apic", "ioapic", "crossing"],
}


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
def test_devices_as_ram(machine):
    machine.expect(r"^vm mmio: ended: exit code 0$", 600)
    lines = machine.lines("mmio")
    trials = [line.split(":")[0] for line in lines if line.endswith("trials, 0 wrong")]
    assert trials == GROUPS["32"] + GROUPS["64"]
    assert not [line for line in lines if line.startswith("FAIL")]
