"""The conformance checks as a whole: how many there are, where they run, and that each names its oracles."""
import re

import pytest

from tests.guest import test_guest_machine
from tests.lib import native

CONFORMANCE = ("conform32", "conform64")


def sources(guest):
    """The files of checks that a conformance guest is made of: its second line."""
    line = (native.ROOT / f"tests/guest/{guest}.c").read_text().splitlines()[1]
    return [native.ROOT / name for name in line.removeprefix("// with: ").split()]


def names(guest, machine="bochs"):
    """The checks that came out one way or the other, natively."""
    return [match.group(1) for line in native.output(machine, guest)
            if (match := re.match(r"(?:pass|FAIL) ([^\s:]+)", line))]


@pytest.mark.parametrize("guest", CONFORMANCE)
def test_each_file_of_checks_names_its_oracles(guest):
    for path in sources(guest):
        comment = re.sub(r"[\s*]+", " ", path.read_text().split("#include", 1)[0])
        assert re.search(r"Oracles?: (Bochs|QEMU|the SDM)", comment), path
        assert re.search(r"\((SDM|.* data sheet)", comment), f"{path}: which section of which manual?"


@pytest.mark.parametrize("guest", CONFORMANCE)
def test_there_are_sixty_checks_and_more(guest):
    found = names(guest)
    assert len(found) == len(set(found)) >= 60
    assert sum(map(int, re.findall(r"\d+", native.output("bochs", guest)[-1]))) == len(found)


@pytest.mark.parametrize("guest", CONFORMANCE)
def test_every_group_of_checks_runs(guest):
    said = native.output("bochs", guest)
    for path in sources(guest):
        groups = re.findall(r"^CHECKS\((\w+)\)", path.read_text(), re.M)
        assert groups and all(f"== {group}" in said for group in groups), path


def test_bochs_is_booted_six_times_at_most():
    hosted = [machine for machine in test_guest_machine.MACHINES if machine.platform == "bochs"]
    assert len(native.GUESTS) + len(hosted) <= 6
