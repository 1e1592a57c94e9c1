"""RAM that is backed on demand: first touches of every kind, more promised than there is, and what comes back."""
import hashlib
import re

import pytest

from tests.lib import configs
from tests.lib.boots import AMDV, ROOT, Boot, on
from tests.lib.debian import BOOT, command, prompt

# A guest that touches little of much, the same guest with all its RAM from the start, and one that touches nearly all.
TOUCHES = configs.text(configs.vm("demand", memory="64G", memory_backing="demand"),
                       configs.vm("full", "demand"),
                       configs.vm("most", "touch", memory="64M", memory_backing="demand", extra="mib=40"))
FIRST_TOUCHES = on(Boot(config=TOUCHES), {"cores": 1}, *AMDV[1:2])

# One that takes all there is, over and over; and one that was there first.
HOG = """[trivisor]
on-idle = poweroff
stats = on

[first]
kernel = spin.elf
extra = seconds=10000
memory = 16M
cpus = 0

[hog]
kernel = touch.elf
extra = mib=4000 seconds=3
memory = 4G
memory_backing = demand
on_crash = restart
cpus = 0
"""
EXHAUSTED = on(Boot(config=HOG, memory=256, private="memory"), {"cores": 2}, *AMDV[1:2])

LINUX = (ROOT / "guests" / "default.conf").read_text()
LINUX = LINUX[:LINUX.index("# Its RAM is backed")].replace(
    "memory = 128M\n", "memory = 8G\nmemory_backing = demand\nstats = on\n")
WITHIN = Boot(platform="qemu", cores=1, memory=512, config=LINUX)

END = 300  # seconds
GROUPS = 6  # CHECKS in tests/guest/demand.c
OVER = (r"^memory: VMs with memory_backing = demand may touch (\d+) MiB more, the machine has (\d+) MiB free: "
        r"one that finds none left ends$")
BACKED = r"^vm {}: (\d+) of (\d+) KiB of its RAM backed on demand$"
OUT = (r"^vm hog: ended: the machine has no memory left for gpa 0x[0-9a-f]+: (\d+) of 4095 MiB are backed; "
       r"run fewer VMs or give them less memory$")


def backed(machine, vm):
    """KiB of a VM's RAM that were backed at its end, and all of it."""
    found = machine.expect(BACKED.format(vm), END)
    return int(found[1]), int(found[2])


@pytest.mark.parametrize("machine", FIRST_TOUCHES, indirect=True)
@pytest.mark.parametrize("vm", ["demand", "full"])
def test_every_kind_of_first_touch(machine, vm):
    machine.expect(rf"^vm {vm}: ended: exit code 0$", END)
    said = machine.lines(vm)
    assert not [line for line in said if line.startswith(("FAIL", "skip"))]
    assert len([line for line in said if line.startswith("== ")]) == GROUPS
    assert re.fullmatch(r"[1-9]\d* passed, 0 failed", said[-1])


@pytest.mark.parametrize("machine", FIRST_TOUCHES, indirect=True)
def test_only_what_is_touched_is_backed(machine):
    """Some 110 pages of the guest's own work, and its image."""
    used, whole = backed(machine, "demand")
    assert 4 * 100 < used < 2048 and whole == 64 * 1024 * 1024 - 128
    used, whole = backed(machine, "most")
    assert 40 * 1024 < used < whole == 64 * 1024 - 128
    machine.expect_end(END)
    assert not re.search(BACKED.format("full"), machine.text, re.M)


@pytest.mark.parametrize("machine", FIRST_TOUCHES, indirect=True)
def test_all_of_it_can_be_used(machine):
    machine.expect(r"^vm most: ended: exit code 0$", END)
    assert machine.lines("most") == ["40 MiB touched, 0 pages wrong"]


@pytest.mark.parametrize("machine", FIRST_TOUCHES, indirect=True)
def test_promising_too_much_is_told(machine):
    over = machine.expect(OVER, END)
    assert int(over[1]) > 65000 > 512 > int(over[2])
    machine.expect_end(END)
    assert len(re.findall(OVER, machine.text, re.M)) == 1


@pytest.mark.parametrize("machine", EXHAUSTED, indirect=True)
def test_who_finds_no_memory_ends_alone_and_gives_all_back(machine):
    """Each time it is made anew it finds as much as the time before: nothing is lost."""
    taken, at = [], 0
    for _ in range(3):
        ended = machine.expect(OUT, END, start=at)
        taken.append(int(ended[1]))
        at = machine.expect(r"^vm hog: restarted$", END, start=ended.end()).end()
        machine.expect(r"^first\| second ", END, start=at)
    assert len(set(taken)) == 1 and taken[0] > 100
    assert not re.search(r"^vm first: ended|panic", machine.text, re.M)


@pytest.mark.parametrize("machine", [WITHIN], indirect=True)
def test_linux_sees_more_than_there_is(machine):
    """The kernel sees all of its memory, the machine has a fraction of it, and what is used is right."""
    prompt(machine)
    total = int(command(machine, "free -m | grep Mem")[0].split()[1])
    assert 7500 < total < 8192
    write = "dd if=/dev/zero bs=1M count=24 of=/t/$i 2>/dev/null"
    written = command(machine, f"mkdir /t; (for i in 1 2 3 4; do {write} & done; wait); cat /t/* | md5sum")
    assert written == [hashlib.md5(bytes(96 << 20)).hexdigest() + "  -"]
    machine.send(b"poweroff -f\r")
    machine.expect(r"^vm debian1: ended: ", BOOT)
    used, _ = backed(machine, "debian1")
    assert 96 * 1024 < used < 512 * 1024
