"""The Debian guest of guests/linux: talking with its shell, and what the same kernel says natively."""
import functools
import re
import subprocess
import threading

from tests.lib.boots import GUESTS

BOOT, ANSWER = 300, 60  # seconds


def prompt(machine, vm="debian1", token="one", start=0):
    """Wait for the shell of the VM that owns the terminal."""
    up = machine.expect(rf"^{vm}\| Linux 6\.\S+ is up: token {token}$", BOOT, start=start).end()
    machine.expect(rf"^{vm}\| # ", ANSWER, start=up, partial=True)


def command(machine, line, vm="debian1"):
    """Type a line at the shell; returns what it printed, once its end mark has come."""
    start = len(machine.text)
    # The marks are put together by the shell, so that the echo of what is typed, in however many lines, is not taken
    # for them.
    machine.send(b"echo begin''mark; " + line.encode() + b"; echo end''mark\r")
    begin = machine.expect(rf"^{vm}\| beginmark$", ANSWER, start=start).start()
    end = machine.expect(rf"^{vm}\| endmark$", ANSWER, start=begin).end()
    return whole_lines(machine.text[begin:end].splitlines(), f"{vm}| ")[1:-1]


def whole_lines(lines, mark):
    """The VM's lines without its mark. One that another VM's line broke into comes again, as a whole. The last one is
    whole."""
    own = [(number, line[len(mark):]) for number, line in enumerate(lines) if line.startswith(mark)]
    return [line for (number, line), (after, again) in zip(own, own[1:])
            if after == number + 1 or not again.startswith(line)] + [line for _, line in own[-1:]]


def interrupts(machine):
    """Counts of /proc/interrupts by the name of what they come from."""
    counts = {}
    for line in command(machine, "cat /proc/interrupts"):
        found = re.match(r" *(\w+): +(\d+) *(.*)", line)
        if found:
            counts[found.group(3).split()[-1] if found.group(1).isdigit() else found.group(1)] = int(found.group(2))
    return counts


def errors(lines):
    """What guests/linux/run/errors has printed: the kernel's messages of level err or worse."""
    return {line.removeprefix("error: ") for line in lines if line.startswith("error: ")}


@functools.lru_cache(maxsize=None)
def native_errors(words, memory=128):
    """The same of the same kernel on QEMU as it is, with these words on its command line."""
    files = GUESTS / "linux"
    command_line = ["setpriv", "--pdeathsig", "KILL", "--", "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max",
                    "-m", str(memory), "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
                    "-kernel", files / "vmlinuz",
                    "-initrd", files / "initrd", "-append", f"{words} run=errors"]
    with subprocess.Popen(command_line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          errors="replace") as qemu:
        watchdog = threading.Timer(BOOT, qemu.kill)
        watchdog.start()
        lines = []
        for line in qemu.stdout:
            lines.append(line.rstrip())
            if lines[-1] == "errors: end":
                break
        watchdog.cancel()
        qemu.kill()
    assert lines and lines[-1] == "errors: end", "no end; it last said:\n" + "\n".join(lines[-20:])
    return errors(lines)
