"""Guests without a hypervisor: run them natively in Bochs and QEMU, and hold outputs against each other.

A guest of tests/guest or guests/ must print the same natively on both machines, and under Trivisor the same as natively
on the same machine, and no check may fail, save for what tests/guest/differences.txt lists with a reason.

usage: python3 -m tests.lib.native [GUEST...]: compares the two machines; exit status 0 when all is as expected.
"""
import argparse
import difflib
import functools
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIFFERENCES = ROOT / "tests/guest/differences.txt"
MACHINES = ("bochs", "qemu")
# Whose lines an entry may explain: a machine's own, Trivisor's on either machine, or on one (by VT-x, by AMD-V).
PLATFORMS = MACHINES + ("trivisor",) + tuple(f"trivisor-{machine}" for machine in MACHINES)
GUESTS = ("rings", "privilege", "conform32", "conform64")
TROUBLE = re.compile(r"FAIL |\(did not end|unexpected ")


@dataclass
class Entry:
    """A line of the list; `used` once it has explained something."""
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
        fields = line.split(" | ")
        if len(fields) != 4 or fields[0] not in PLATFORMS or not fields[3].strip():
            raise SystemExit(f"{path}:{number}: expected: platform | guest | expression | reason")
        platform, guest, pattern, reason = fields  # leading blanks of the expression matter
        entries.append(Entry(number, platform, guest.strip(), re.compile(pattern), reason.strip()))
    return entries


def comparable(line):
    """The line without what may differ: exits and ticks, behind "||" or in the last four columns of CSV, and sums."""
    if line.startswith("csv,"):
        return line.rsplit(",", 4)[0]
    if re.fullmatch(r"\d+ passed, \d+ failed", line):
        return "(sum)"
    return line.split(" || ")[0].rstrip() if " || " in line else line


@functools.lru_cache(maxsize=None)
def output(machine, guest):
    """The lines that the guest prints natively; one that did not end by itself adds a line that says so."""
    command = [ROOT / "tools/native" / machine, ROOT / "build/guests" / f"{guest}.elf"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    lines = done.stdout.decode(errors="replace").replace("\r", "").splitlines()
    return lines if done.returncode == 0 else lines + [f"(did not end by itself in {machine})"]


def run_native(machine, guest):
    """The same, comparable."""
    return [comparable(line) for line in output(machine, guest)]


def explained(lines, platforms, guest, entries):
    """Whether each of the lines (at least one) is listed for one of the platforms; marks the entries that say so."""
    found = []
    for line in lines:
        matching = [e for e in entries if e.platform in platforms and e.guest == guest and e.pattern.search(line)]
        if not matching:
            return False
        found += matching
    for entry in found:
        entry.used = True
    return bool(found)


def hunks(left, right):
    """What differs, as pairs of lists of lines; where as many lines stand on both sides, line by line."""
    for tag, l0, l1, r0, r1 in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag != "equal" and l1 - l0 == r1 - r0:
            yield from (([a], [b]) for a, b in zip(left[l0:l1], right[r0:r1]))
        elif tag != "equal":
            yield left[l0:l1], right[r0:r1]


def differences(guest, sides, entries):
    """What neither side's entries explain, as text. sides: two pairs of (platforms, lines)."""
    (left_platforms, left), (right_platforms, right) = sides
    for a, b in hunks(left, right):
        # Both are asked, so that every entry that says something is marked.
        if not any([explained(a, left_platforms, guest, entries), explained(b, right_platforms, guest, entries)]):
            yield "\n".join([f"{left_platforms[0]}: {line}" for line in a] +
                            [f"{right_platforms[0]}: {line}" for line in b])


def failures(guest, platforms, lines, entries):
    """Checks that failed and are not listed, and other trouble."""
    return [f"{platforms[0]}: {line}" for line in lines
            if TROUBLE.match(line) and not explained([line], platforms, guest, entries)]


def compare_natively(guest, entries):
    """All that is not as expected natively: failed checks, and what differs between the machines."""
    sides = [((machine,), run_native(machine, guest)) for machine in MACHINES]
    problems = [problem for platforms, lines in sides for problem in failures(guest, platforms, lines, entries)]
    return problems + list(differences(guest, sides, entries))


def compare_hosted(guest, machine, lines, entries):
    """All that is not as expected of what the guest printed under Trivisor on this machine."""
    lines = [comparable(line) for line in lines]
    own = (f"trivisor-{machine}", "trivisor")
    sides = ((machine,), run_native(machine, guest)), (own, lines)
    return failures(guest, own + (machine,), lines, entries) + list(differences(guest, sides, entries))


def compare_engines(guest, hosted, entries):
    """What differs between the lines that the guest printed under Trivisor on the machines; hosted: machine ->
    lines."""
    sides = [((f"trivisor-{machine}", "trivisor", machine), [comparable(line) for line in lines])
             for machine, lines in hosted.items()]
    return list(differences(guest, sides, entries))


def stale(entries, guests=GUESTS, platforms=PLATFORMS):
    """Entries that have explained nothing."""
    return [f"{DIFFERENCES.name}:{entry.number}: explains nothing any more: "
            f"{entry.platform} | {entry.guest} | {entry.reason}"
            for entry in entries if not entry.used and entry.guest in guests and entry.platform in platforms]


def main():
    """Compare the two machines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("guest", nargs="*", help=f"default: {' '.join(GUESTS)}")
    guests = parser.parse_args().guest or GUESTS
    entries = read_differences()
    problems = []
    for guest in guests:
        problems += [f"{guest}: {problem}" for problem in compare_natively(guest, entries)]
        counts = [sum(line.startswith("pass ") for line in run_native(machine, guest)) for machine in MACHINES]
        print(f"{guest}: {counts[0]} checks passed in Bochs, {counts[1]} in QEMU", flush=True)
    problems += stale(entries, guests, MACHINES)
    print("\n".join(problems) if problems else "no unexplained difference")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
