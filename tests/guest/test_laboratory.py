"""The two guests of the laboratory show all that they are for: nothing drops out of a table unnoticed."""
import csv
import re

import pytest

from tests.lib import native

# Robin and Irvine's seventeen (PUSH and POP, MOV, CALL, JMP and RET as the forms that are sensitive), then what IOPL
# and the ring guard, then what came later. Regular expressions for names in the table.
SENSITIVE = ("SGDT", "SIDT", "SLDT", "SMSW", "PUSHF", "POPF of IF and IOPL", "LAR .*", "LSL .*", "VERR .*", "VERW .*",
             "POP .*", "PUSH .*", "CALL far.*", "JMP far.*", "INT n.*", "RET far.*", "STR", "MOV from CS",
             "MOV to FS.*")
PRIVILEGED = ("CLTS", "HLT", "IN", "OUT", "CLI", "STI", "LGDT", "LIDT", "LLDT", "LTR", "LMSW", "MOV from DR7",
              "MOV to DR7", *(f"MOV {way} CR{number}" for way in ("from", "to") for number in (0, 2, 3, 4)), "RDMSR",
              "WRMSR",
              "INVLPG", "WBINVD", "INVD")
MODERN = (*(f"{name}, CR4.UMIP = 1" for name in ("SGDT", "SIDT", "SLDT", "STR", "SMSW")), "RDTSC, CR4.TSD = 1",
          "RDTSCP, CR4.TSD = 1", "RDPMC", "MOV DR0, DR7.GD = 1", "MOV DR4, CR4.DE = 1", "XSETBV", "XGETBV", "MONITOR",
          "MWAIT",
          "INVPCID", "STI, CR4.PVI = 1", "CLI, CR4.PVI = 1", "STAC", "CLAC", "VMCALL", "VMMCALL")
# Each lesson of guests/rings, in 32 and in 64 bits.
LESSONS = ("The four rings", "Call gates: 3 to 0, 3 to 1 to 0, and back", "Conforming code", "CPL, RPL and DPL: data",
           "CPL, RPL and DPL: code", "CPL, RPL and DPL: call gates", "Returns", "Interrupt and trap gates",
           "IOPL and the I/O permission bitmap", "SYSENTER and SYSEXIT", "SYSCALL and SYSRET",
           "Pages: user and supervisor")
PAGING = ("WP = 0", "WP = 1", "SMEP", "SMAP, AC = 0", "SMAP, AC = 1")


def rows(bits):
    """What ran on one of the machines or the other: {class: names}. No machine has every feature."""
    found = {}
    for machine in native.MACHINES:
        for row in csv.reader(line for line in native.output(machine, "privilege") if line.startswith(f"csv,{bits},")):
            found.setdefault(row[2], set()).add(row[3])
    return found


def missing(patterns, names):
    """The alternatives of the patterns that no name is."""
    return [pattern for pattern in patterns if not any(re.fullmatch(pattern, name) for name in names)]


@pytest.mark.parametrize("bits", ("32", "64"))
def test_each_instruction_was_run(bits):
    found = rows(bits)
    assert not missing(SENSITIVE, found["sensitive"])
    assert not missing(PRIVILEGED, found["privileged"])
    assert not missing(MODERN, found["modern"])


@pytest.mark.parametrize("machine", native.MACHINES)
def test_each_lesson_is_given_in_both_widths(machine):
    said = native.output(machine, "rings")
    for width in (said[:said.index("==== rings, 64 bits ====")], said[said.index("==== rings, 64 bits ===="):]):
        assert not [lesson for lesson in LESSONS if not any(line.startswith(f"== {lesson}") for line in width)]
        assert not [table for table in PAGING if not any(line.startswith(f"  {table}") for line in width)]
