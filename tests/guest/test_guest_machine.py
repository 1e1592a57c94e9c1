"""What a guest sees: the same as natively, under each engine; and natively what the manuals say.

The guests print what they find; tests/guest/differences.txt lists each deviation, of an emulator or of Trivisor, with its reason.
"""
import pytest

from tests.lib import native
from tests.lib.boots import Boot, on

# Groups of checks that a machine's guest would not survive; differences.txt says why.
LEFT_OUT = {("qemu", "conform64"): "skip=bad_cr"}


def config(platform):
    """All the guests as VMs of one machine."""
    return "[trivisor]\non-idle = poweroff\n" + "".join(
        f"\n[{guest}]\nkernel = {guest}.elf\nextra = {LEFT_OUT.get((platform, guest), 'all')}\nmemory = 32M\n"
        for guest in native.GUESTS)


# Bochs: by VT-x; QEMU: by AMD-V.
MACHINES = on(Boot(cores=1), *({"platform": platform, "config": config(platform)} for platform in native.MACHINES))
END = 300  # seconds the slower of them may take from its start
ENTRIES = native.read_differences()
compared = set()  # what was, so that the last test can tell whether the list was put to the test


@pytest.mark.parametrize("guest", native.GUESTS)
def test_natively(guest):
    assert not native.compare_natively(guest, ENTRIES)
    compared.add((guest, "native"))


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
@pytest.mark.parametrize("guest", native.GUESTS)
def test_under_trivisor_as_natively(machine, guest):
    machine.expect(rf"^vm {guest}: ended: exit code", END)
    lines = machine.lines(guest)
    assert not native.compare_hosted(guest, machine.boot.platform, lines, ENTRIES)
    compared.add((guest, machine.boot.platform))


@pytest.mark.parametrize("machine", MACHINES[-1:], indirect=True)
def test_the_list_of_differences_is_current(machine):
    machine.expect_end(END)
    if len(compared) < 3 * len(native.GUESTS):
        pytest.skip("only when all comparisons of this file have run and passed")
    assert not native.stale(ENTRIES)
