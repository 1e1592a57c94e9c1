"""What a guest sees: the same as natively, under each engine; and natively what the manuals say.

The guests print what they find; tests/guest/differences.txt lists each deviation, of an emulator or of Trivisor, with
its reason.
"""
import csv
import statistics

import pytest

from tests.lib import configs, native
from tests.lib.boots import AMDV, Boot, on

# Bochs: by VT-x; QEMU: by AMD-V.
MACHINES = [Boot(config=configs.guests("bochs")), *on(Boot(config=configs.guests("qemu")), *AMDV)]
END = 300  # seconds the slower of them may take from its start
ENTRIES = native.read_differences()
compared = set()  # what was, so that the last test can tell whether the list was put to the test
hosted = {}  # guest -> platform -> the lines that it printed under Trivisor


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
    hosted.setdefault(guest, {})[machine.boot.platform] = lines


# The last machine alone, so that pytest comes here when all have run.
@pytest.mark.parametrize("machine", MACHINES[-1:], indirect=True)
@pytest.mark.parametrize("guest", native.GUESTS)
def test_equal_under_both_engines(machine, guest):
    machine.expect_end(END)
    if len(hosted.get(guest, ())) < len(native.MACHINES):
        pytest.skip("only when it has run under both")
    assert not native.compare_engines(guest, hosted[guest], ENTRIES)


# What exits, by the hypervisor's own count, in ring 0 and in ring 3: by VT-x (SDM's reasons), by AMD-V (APM's codes).
EXITS = {
    "CPUID": (("10:1", "10:1"), ("0x72:1", "0x72:1")),
    "HLT": (("12:1", "0"), ("0x78:1", "0")),
    "IN": (("30:1", "0"), ("0x7b:1", "0")),
    "RDMSR": (("31:1", "0"), ("0x7c:1", "0")),
    "WBINVD": (("54:1", "0"), ("0x89:1", "0")),
    "CLI": (("0", "0"), ("0", "0")),
    "SGDT": (("0", "0"), ("0", "0")),
    "POPF of IF and IOPL": (("0", "0"), ("0", "0")),
    "MOV to CR3": (("0", "0"), ("0", "0")),
    "LAR of the kernel's data": (("0", "0"), ("0", "0")),
}


def measured(lines):
    """What privilege's CSV says: {(bits, instruction): (exits in ring 0, in ring 3, ticks in ring 0, in ring 3)}."""
    rows = list(csv.reader(line for line in lines if line.startswith("csv,")))
    return {(row[1], row[3]): tuple(row[-4:]) for row in rows if row[1] != "bits"}


@pytest.mark.parametrize("platform", native.MACHINES)
def test_natively_nobody_counts_exits(platform):
    rows = measured(native.output(platform, "privilege"))
    assert len(rows) > 100
    for exits0, exits3, ticks0, ticks3 in rows.values():
        assert (exits0, exits3) == ("-", "-") and int(ticks0) is not None and int(ticks3) is not None


def middle_ticks(rows, bits, exits):
    """The median in ring 0 of the instructions that exit there, or of those that do not: a host that is busy disturbs
    some."""
    return statistics.median(int(row[2]) for (width, _), row in rows.items()
                             if width == bits and (row[0] not in ("0", "-")) == exits)


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
def test_exits_are_measured(machine):
    machine.expect(r"^vm privilege: ended: exit code 0", END)
    rows = measured(machine.lines("privilege"))
    for bits in ("32", "64"):
        for name, by_engine in EXITS.items():
            assert rows[bits, name][:2] == by_engine[machine.boot.platform == "qemu"], (bits, name)
        # What exits costs more than what does not.
        assert middle_ticks(rows, bits, True) > 10 * middle_ticks(rows, bits, False), bits


@pytest.mark.parametrize("machine", MACHINES[-1:], indirect=True)
def test_the_list_of_differences_is_current(machine):
    machine.expect_end(END)
    if len(compared) < 3 * len(native.GUESTS):
        pytest.skip("only when all comparisons of this file have run and passed")
    assert not native.stale(ENTRIES)
