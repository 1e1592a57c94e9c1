"""Debian's own kernel, two VMs of it: userspace, interrupts, power-off, reset; the other one keeps running."""
import re

import pytest

from tests.lib.boots import ROOT, Boot, on

# Machines on which both boot; the prompt of the terminal's owner is waited for.
MACHINES = on(Boot(platform="qemu", memory=1024, config=(ROOT / "guests" / "default.conf").read_text()), {"cores": 1}, {"cores": 2})
BOOT, ANSWER = 150, 60  # seconds


def command(machine, line):
    """Type a line at the shell of debian1; returns what it printed, once its end mark has come."""
    start = len(machine.text)
    # The marks are put together by the shell, so that the echo of what is typed, in however many lines, is not taken for them.
    machine.send(b"echo begin''mark; " + line.encode() + b"; echo end''mark\r")
    begin = machine.expect(r"^debian1\| beginmark$", ANSWER, start=start).end()
    end = machine.expect(r"^debian1\| endmark$", ANSWER, start=begin).start()
    return [text.removeprefix("debian1| ") for text in machine.text[begin:end].splitlines() if text.startswith("debian1| ")]


def prompt(machine, start=0):
    """Wait for the shell."""
    machine.expect(r"^debian1\| Linux 6\.\S+ is up: token one$", BOOT, start=start)
    machine.expect(r"^debian1\| # ", ANSWER, start=start, partial=True)


def interrupts(machine):
    """Counts of /proc/interrupts by the name of what they come from."""
    counts = {}
    for line in command(machine, "cat /proc/interrupts"):
        found = re.match(r" *(\w+): +(\d+) *(.*)", line)
        if found:
            counts[found.group(3).split()[-1] if found.group(1).isdigit() else found.group(1)] = int(found.group(2))
    return counts


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
def test_both_reach_userspace(machine):
    prompt(machine)
    machine.expect(r"^debian2\| Linux 6\.\S+ is up: token two$", BOOT)
    assert command(machine, "echo $((6 * 7))") == ["42"]


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
def test_timer_and_serial_interrupts_move(machine):
    prompt(machine)
    before = interrupts(machine)
    command(machine, "sleep 1")
    after = interrupts(machine)
    assert after["LOC"] > before["LOC"] and after["ttyS0"] > before["ttyS0"]
    assert after["ERR"] == 0


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
def test_clock_is_kvms(machine):
    prompt(machine)
    assert command(machine, "cat /sys/devices/system/clocksource/clocksource0/current_clocksource") == ["kvm-clock"]


@pytest.mark.parametrize("machine", MACHINES, indirect=True)
def test_reboot_and_power_off_end_that_one_alone(machine):
    prompt(machine)
    machine.send(b"reboot -f\r")
    restart = machine.expect(r"^vm debian1: restarted$", ANSWER)
    prompt(machine, restart.end())
    machine.send(b"poweroff -f\r")
    machine.expect(r"^vm debian1: ended: ACPI power-off$", ANSWER, start=restart.end())
    assert machine.ending is None and not re.search(r"^vm debian2: ended", machine.text, re.M)
