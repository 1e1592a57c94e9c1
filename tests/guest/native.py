#!/usr/bin/python3
"""native.py [GUEST...]: run guests natively in Bochs and QEMU, and hold their outputs and checks against each other.

Every line must be the same on both machines, and no line may say FAIL, save for what tests/guest/differences.txt lists with a
reason; every entry of that list must still be needed. This is the oracle for what a guest must see under a hypervisor.
Exit status 0: all as expected. The guests must have been built (make guests).
"""
import argparse
import difflib
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIFFERENCES = ROOT / "tests/guest/differences.txt"
PLATFORMS = ("bochs", "qemu")
GUESTS = ("rings", "privilege", "conform32", "conform64")


@dataclass
class Entry:
    number: int
    platform: str
    guest: str
    pattern: re.Pattern
    reason: str
    used: bool = False


def read_differences(path=DIFFERENCES):
    """The entries of the list; a line that is not one is an error that names it."""
    entries = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip(" ") for field in line.split(" | ")]
        if len(fields) != 4 or fields[0] not in PLATFORMS or not fields[3]:
            raise SystemExit(f"{path}:{number}: expected: platform | guest | expression | reason")
        platform, guest, _, reason = fields
        pattern = line.split(" | ")[2]  # leading blanks of the expression matter
        entries.append(Entry(number, platform, guest, re.compile(pattern), reason))
    return entries


def comparable(line):
    """The line without what may differ: exits and ticks, behind "||" or in the last four columns of CSV, and sums."""
    if line.startswith("csv,"):
        return line.rsplit(",", 4)[0]
    if re.fullmatch(r"\d+ passed, \d+ failed", line):
        return "(sum)"
    return line.split(" || ")[0].rstrip() if " || " in line else line


def run_native(platform, guest, arguments="", build=ROOT / "build"):
    """The lines that the guest prints natively; a guest that did not end by itself adds a line that says so."""
    command = [ROOT / "tools/native" / platform, build / "guests" / f"{guest}.elf", arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    lines = [comparable(line) for line in done.stdout.decode(errors="replace").replace("\r", "").splitlines()]
    return lines if done.returncode == 0 else lines + [f"(did not end by itself in {platform})"]


def explained(lines, platform, guest, entries):
    """Whether each of the lines is a listed deviation of this platform; marks the entries that say so."""
    found = []
    for line in lines:
        matching = [e for e in entries if e.platform == platform and e.guest == guest and e.pattern.search(line)]
        if not matching:
            return False
        found += matching
    for entry in found:
        entry.used = True
    return bool(found)


def hunks(bochs, qemu):
    """What differs, as the lines of each platform; where as many lines stand on both sides, line by line."""
    for tag, b0, b1, q0, q1 in difflib.SequenceMatcher(None, bochs, qemu, autojunk=False).get_opcodes():
        if tag != "equal" and b1 - b0 == q1 - q0:
            yield from ({"bochs": [b], "qemu": [q]} for b, q in zip(bochs[b0:b1], qemu[q0:q1]))
        elif tag != "equal":
            yield {"bochs": bochs[b0:b1], "qemu": qemu[q0:q1]}


def unexplained_differences(guest, outputs, entries):
    """Groups of lines in which the platforms differ with no side of it listed, as printable text."""
    bochs, qemu = outputs["bochs"], outputs["qemu"]
    for sides in hunks(bochs, qemu):
        if any([explained(sides[p], p, guest, entries) for p in PLATFORMS]):
            continue
        yield "\n".join(f"{guest}: {p}: {line}" for p in PLATFORMS for line in sides[p])


def unexpected_failures(guest, outputs, entries):
    """Checks that failed natively and are not listed: an oracle that contradicts the check."""
    for platform in PLATFORMS:
        for line in outputs[platform]:
            if re.match(r"FAIL |\(did not end|unexpected ", line) and not explained([line], platform, guest, entries):
                yield f"{guest}: {platform}: {line}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("guest", nargs="*", default=GUESTS)
    guests = parser.parse_args().guest or GUESTS
    entries = read_differences()
    problems = []
    for guest in guests:
        outputs = {platform: run_native(platform, guest) for platform in PLATFORMS}
        problems += unexpected_failures(guest, outputs, entries)
        problems += unexplained_differences(guest, outputs, entries)
        counts = [sum(line.startswith("pass ") for line in outputs[p]) for p in PLATFORMS]
        print(f"{guest}: {len(outputs['bochs'])} lines in Bochs, {len(outputs['qemu'])} in QEMU; "
              f"{counts[0]} and {counts[1]} checks passed")
    for entry in entries:
        if entry.guest in guests and not entry.used:
            problems.append(f"{DIFFERENCES.name}:{entry.number}: explains nothing any more: {entry.reason}")
    print("\n".join(problems) if problems else "no unexplained difference")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
