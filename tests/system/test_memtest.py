"""Debian's memtest86+ as a guest: it finds the VM's memory, tests it, finds no error, and ends by its own key."""
import re

import pytest

from tests.lib.boots import ROOT, Boot

MACHINE = Boot(platform="qemu", config=(ROOT / "guests" / "memtest.conf").read_text())
SLOW = Boot(platform="bochs", config=MACHINE.config)
LAST = "#10 [Bit fade test, 2 patterns]"


def screen(machine):
    """All that memtest86+ has drawn. It ends no lines: the log does, anywhere."""
    return "".join(machine.lines("memtest"))


def check(machine):
    """The memory was found, and no update of the screen showed an error."""
    drawn = screen(machine)
    assert re.search(r"Memory +: +16MB", drawn)
    assert set(re.findall(r"Errors: +(\d+)", drawn)) == {"0"}


def expect_drawn(machine, text, seconds):
    """Wait for a text that is drawn again and again; the log may break a line within it, but not each time."""
    return machine.expect(re.escape(text), seconds, partial=True)


@pytest.mark.parametrize("machine", [MACHINE], indirect=True)
def test_every_test_up_to_the_last(machine):
    """The tests run in order: where the bit fade test begins, all others have ended."""
    begun = expect_drawn(machine, LAST, 300).end()
    machine.expect(r"Errors: ", 30, start=begun, partial=True)
    check(machine)


@pytest.mark.parametrize("machine", [MACHINE], indirect=True)
@pytest.mark.full
def test_whole_pass(machine):
    """The bit fade test too, which waits twice 80 seconds."""
    expect_drawn(machine, "Pass:  1 ", 600)
    check(machine)


@pytest.mark.parametrize("machine", [MACHINE], indirect=True)
def test_escape_resets_the_vm(machine):
    expect_drawn(machine, "Errors: ", 60)
    machine.send(b"\x1b")
    machine.expect(r"^vm memtest: ended: ", 30)
    assert machine.expect_end(30).status == 0


@pytest.mark.parametrize("machine", [SLOW], indirect=True)
def test_by_vtx(machine):
    """In Bochs, where all would take half an hour: to the end of "Moving inversions, 1s & 0s"."""
    expect_drawn(machine, "#4  [Moving inversions, 8 bit pattern]", 300)
    check(machine)
