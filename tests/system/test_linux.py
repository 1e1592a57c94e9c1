"""Debian's own kernel, two VMs of it, as guests/default.conf has them: userspace, interrupts, time, and each end; the
other one goes on."""
import re
import time

import pytest

from tests.lib.boots import ROOT, Boot, on
from tests.lib.debian import ANSWER, BOOT, command, errors, interrupts, native_errors, prompt
from tools.launch.bochs import FIXED_TIME

DEFAULT = (ROOT / "guests" / "default.conf").read_text()
WORDS = "console=ttyS0 quiet cryptomgr.notests"
# The second one tells by itself that it goes on, since the first one has the terminal; the first one comes back after a
# panic. RAM on demand is the first one's, so that all that is tested there is tested with it.
DEMAND = "memory_backing = demand\n"
WATCHED = DEFAULT.replace(DEMAND, "").replace("token=two", "token=two run=beat").replace(
    "[debian1]\n", f"[debian1]\n{DEMAND}on_crash = restart\n")
QEMU = Boot(platform="qemu", cores=2, memory=1024, config=WATCHED)
BOCHS = Boot(platform="bochs", cores=2, memory=1024, config=WATCHED)
MACHINES = on(QEMU, {"cores": 1}, {}, {"cores": 4}) + [
    BOCHS, pytest.param(*on(BOCHS, {"cores": 1}), marks=pytest.mark.full)]
EVERYWHERE = pytest.mark.parametrize("machine", MACHINES, indirect=True)

# Kernel messages of level err or worse that the same kernel does not print on plain QEMU, each with its reason.
KNOWN_ERRORS = {
    "qemu": {},
    "bochs": {r"RETBleed: WARNING: Spectre v2 mitigation leaves CPU vulnerable":
              "Bochs's Skylake has no IBRS, so there is none to give to a guest; the kernel says the same there "
              "natively"},
}


def test_the_scenario_is_the_default():
    """What the tests change of it is there to be changed."""
    assert WATCHED.count("run=beat") == 1 and WATCHED.count("on_crash = restart") == 1
    assert DEFAULT.count(WORDS) == 2 and DEFAULT.count(DEMAND) == 1


@EVERYWHERE
def test_both_reach_userspace(machine):
    prompt(machine)
    machine.expect(r"^debian2\| Linux 6\.\S+ is up: token two$", BOOT)
    assert command(machine, "echo $((6 * 7))") == ["42"]
    for guest in ("hello", "hello64"):
        machine.expect(rf"^vm {guest}: ended: exit code 0$", ANSWER)


@EVERYWHERE
def test_timer_and_serial_interrupts_move(machine):
    prompt(machine)
    before = interrupts(machine)
    command(machine, "sleep 1")
    after = interrupts(machine)
    assert after["LOC"] > before["LOC"] and after["ttyS0"] > before["ttyS0"]
    assert after["ERR"] == 0


@EVERYWHERE
def test_clock_is_kvms(machine):
    """Where the TSC is invariant, as in Bochs, Linux takes it itself, at the rate that KVM's clock has told."""
    prompt(machine)
    folder = "/sys/devices/system/clocksource/clocksource0"
    own = {"qemu": "kvm-clock", "bochs": "tsc"}[machine.boot.platform]
    assert command(machine, f"cat {folder}/current_clocksource") == [own]
    assert "kvm-clock" in command(machine, f"cat {folder}/available_clocksource")[0].split()
    assert command(machine, "dmesg | grep -c 'Calibrating delay loop (skipped) preset value'") == ["1"]
    assert command(machine, "dmesg | grep -c 'Refined TSC'") == ["0"]


@EVERYWHERE
def test_time_of_day_is_the_machines(machine):
    """By the clock of QEMU, which is the host's, and that of Bochs, which begins at a fixed time. Both clocks of the
    guest.

    With some configurations (one core here) the clock of Bochs stands an hour behind from the moment that firmware
    sets it up.
    """
    prompt(machine)
    start = time.time()
    now = int(command(machine, "date +%s")[0])
    rtc = int(command(machine, "cat /sys/class/rtc/rtc0/since_epoch")[0])
    took = time.time() - start
    if machine.boot.platform == "qemu":
        assert start - 5 < now < start + took + 5
    else:
        assert FIXED_TIME - 3600 < now < FIXED_TIME + 3600
    assert -1 <= rtc - now <= took + 5


@EVERYWHERE
def test_kernel_finds_nothing_wrong_that_it_does_not_on_qemu(machine):
    prompt(machine)
    own = errors(command(machine, "/run/errors"))
    known = KNOWN_ERRORS[machine.boot.platform]
    strange = {line for line in own - native_errors(WORDS) if not any(re.search(pattern, line) for pattern in known)}
    assert not strange
    assert all(any(re.search(pattern, line) for line in own) for pattern in known), \
        "a known error does not come any more"


def expect_beats(machine):
    """debian2 works on."""
    start = len(machine.text)
    for _ in range(2):
        start = machine.expect(r"^debian2\| beat \d+$", ANSWER, start=start).end()


def expect_restart(machine, words, reason):
    """These words end debian1 for that reason; it starts anew, with a shell, and is what it was."""
    start = len(machine.text)
    machine.send(words.encode() + b"\r")
    ended = machine.expect(rf"^vm debian1: ended: {reason}$", ANSWER, start=start).end()
    restarted = machine.expect(r"^vm debian1: restarted$", ANSWER, start=ended).end()
    expect_beats(machine)
    prompt(machine, start=restarted)
    assert command(machine, "echo anew") == ["anew"]


@EVERYWHERE
def test_reboot_restarts_that_one_alone(machine):
    prompt(machine)
    expect_restart(machine, "reboot -f", r"reset by .*")


@EVERYWHERE
def test_panic_is_a_crash_of_that_one_alone(machine):
    """on_crash and not on_reboot: the kernel says so by pvpanic before it does what panic= tells it."""
    prompt(machine)
    expect_restart(machine, "echo c > /proc/sysrq-trigger", "kernel panic, as it said by pvpanic")
    assert re.search(r"^debian1\| .*Kernel panic - not syncing: sysrq triggered crash", machine.text, re.M)


@EVERYWHERE
def test_power_off_ends_that_one_alone(machine):
    prompt(machine)
    start = len(machine.text)
    machine.send(b"poweroff -f\r")
    machine.expect(r"^vm debian1: ended: ACPI power-off$", ANSWER, start=start)
    expect_beats(machine)
    assert machine.ending is None and not re.search(r"^vm debian1: restarted", machine.text[start:], re.M)
    assert not re.search(r"^vm debian2: (ended|restarted)", machine.text, re.M)


def again(boot, times):
    """As many machines of their own."""
    return on(boot, *({"private": f"boot {number}", "config": DEFAULT} for number in range(1, times + 1)))


@pytest.mark.full
@pytest.mark.parametrize("machine", again(QEMU, 20) + again(BOCHS, 5), indirect=True)
def test_every_boot_succeeds(machine):
    prompt(machine)
    machine.expect(r"^debian2\| Linux 6\.\S+ is up: token two$", BOOT)
    assert command(machine, "echo $((6 * 7))") == ["42"]
