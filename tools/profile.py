"""What an exit spends its instructions on: Bochs's trace of one of each operation (guests/bench marks them), summed by
function."""
import bisect
import re
import subprocess
from collections import Counter
from dataclasses import dataclass, field

STEP = re.compile(r"^\(0\)\.\[\d+\] \[0x\w+\] \w+:(\w+) \(.*?\): (\w+)")
FUNCTION = re.compile(r"[^.]+(\.(constprop|part|isra|cold).*)?$")  # and not a label inside one
KERNEL = 0xffffffff80000000  # core/layout.h: where the hypervisor's image lies
OUTSIDE = "(guest)"


@dataclass
class Profile:
    """One operation: instructions by function, in the order in which they are first met, and accesses to the VMCS."""
    functions: Counter = field(default_factory=Counter)
    vmreads: int = 0
    vmwrites: int = 0

    def add(self, function, mnemonic):
        """Count one instruction."""
        self.functions[function] += 1
        self.vmreads += mnemonic == "vmread"
        self.vmwrites += mnemonic == "vmwrite"

    def share(self, times):
        """Of something that was done so many times, one."""
        functions = Counter({function: round(count / times) for function, count in self.functions.items()})
        return Profile(functions, round(self.vmreads / times), round(self.vmwrites / times))


class Symbols:
    """Names of the functions of an ELF file, by address."""

    def __init__(self, listing):
        """`listing`: what `nm -n` says."""
        rows = (line.split() for line in listing.splitlines())
        found = [(int(row[0], 16), row[2]) for row in rows
                 if len(row) == 3 and row[1] in "tT" and FUNCTION.match(row[2])]
        self._starts, self._names = [start for start, _ in found], [name for _, name in found]

    @classmethod
    def of(cls, elf):
        """Those of a file."""
        return cls(subprocess.run(["nm", "-n", elf], capture_output=True, text=True, check=True).stdout)

    def name(self, address):
        """The function an address lies in; OUTSIDE for what is not the hypervisor."""
        at = bisect.bisect_right(self._starts, address) - 1
        return self._names[at] if address >= KERNEL and at >= 0 else OUTSIDE


def profiles(lines, symbols):
    """A Profile for each stretch of a trace, in order; the marks stop it twice each."""
    found, current = [], None
    for line in lines:
        if line.startswith("trace on"):
            current = Profile()
        elif line.startswith("trace off"):
            found.append(current)
            current = None
        elif current:
            step = STEP.match(line)
            if step:
                current.add(symbols.name(int(step[1], 16)), step[2])
    return found


def report(operation, profile):
    """The lines to print for one operation."""
    parts = [f"{function} {count}" for function, count in profile.functions.items() if function != OUTSIDE]
    return f"{operation}: VMREAD {profile.vmreads}, VMWRITE {profile.vmwrites}; " + ", ".join(parts)
