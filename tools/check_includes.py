"""Checks the include rules of ARCHITECTURE.md, "The house": who may include whom, and that no circle is among files or
areas."""
import re
from pathlib import Path

# arch/x86_64/{cpu,mmu,insn} are one layer; its folders may use each other's headers.
BASE = ("arch/x86_64/cpu", "arch/x86_64/mmu", "arch/x86_64/insn")
FOR_ALL = ("boot/boot_info.h",)
ENGINES = ("arch/x86_64/vmx", "arch/x86_64/svm", "arch/x86_64/bt", "arch/x86_64/pv")

# Area -> the areas, folders and single headers it may include besides itself. A file belongs to the area of the longest
# name.
RULES = {
    "lib": (),
    "core": ("lib",),
    "arch/x86_64/cpu": BASE + ("core", "lib"),
    "arch/x86_64/mmu": BASE + ("core", "lib"),
    "arch/x86_64/insn": BASE + ("core", "lib"),
    "drivers": ("core", "lib", "arch/x86_64/cpu", "arch/x86_64/mmu/root.h"),
    "vmm": BASE + ("core", "lib", "drivers", "vmm/devices", "vmm/net"),
    "vmm/devices": ("lib", "core/lock.h"),
    "vmm/net": ("vmm", "core", "lib"),
    **{engine: BASE + ("vmm", "vmm/devices/apic_view.h", "core", "lib") for engine in ENGINES},
    "boot": ("lib", "core/layout.h"),
    "guests": ("vmm/hypercall_abi.h",),
    "tests/guest": ("vmm/hypercall_abi.h", "guests/lib"),
}
# The one place where the house is put together may name concrete engines.
ASSEMBLER_OF_THE_HOUSE = "vmm/main.c"
# Headers of the compiler, the only ones without quotes in code that runs without a C library.
FREESTANDING = {"stdarg.h", "stddef.h", "stdint.h", "stdbool.h", "stdalign.h", "stdnoreturn.h", "limits.h", "float.h"}
ANGLE_EXTRA = {"boot": {"efi.h", "efilib.h", "eficompiler.h"}}

C_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]')
ASM_INCLUDE = re.compile(r"^[ \t]*%include[ \t]+(['\"])([^'\"]+)['\"]", re.I)


def area_of(path):
    """The area a file belongs to, "" when no rule speaks of it (unit tests and fuzzers may include anything)."""
    fitting = [area for area in RULES if path.startswith(area + "/")]
    return max(fitting, key=len, default="")


def sources(root):
    """All C and assembly files that have an area, as paths relative to the root."""
    for area in sorted({area.split("/")[0] for area in RULES}):
        for path in sorted(Path(root, area).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix in (".c", ".h", ".asm", ".inc") and area_of(name):
                yield name


def includes(path):
    """Yield (line number, quoted?, name) of each include of a file."""
    pattern = ASM_INCLUDE if path.suffix in (".asm", ".inc") else C_INCLUDE
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        found = pattern.match(line)
        if found:
            yield number, found.group(1) != "<", found.group(2)


def problem(name, quoted, target, root):
    """What is wrong with `name` including `target`, "" when nothing is."""
    area = area_of(name)
    if not quoted:
        if target in FREESTANDING or target in ANGLE_EXTRA.get(area, ()):
            return ""
        return f"<{target}>: there is no such library in freestanding code"
    if name.endswith((".asm", ".inc")) and not Path(root, target).is_file():
        return ""  # generated into the build folder
    if not Path(root, target).is_file():
        return f'"{target}": no such file; includes are written from the root of the tree'
    if target in FOR_ALL:
        return ""
    wanted = area_of(target)
    if wanted == area or wanted in RULES[area] or _is_named(target, RULES[area]):
        return ""
    if name == ASSEMBLER_OF_THE_HOUSE and wanted in ENGINES:
        return ""
    return f'"{target}": {area} may not include {wanted or "what lies there"}'


def _is_named(target, allowed):
    """Whether the header, or its folder where that is no area of its own, stands in the list."""
    return target in allowed or any(target.startswith(name + "/") for name in allowed if name not in RULES)


def circle(graph):
    """A list of nodes that form a circle, [] when there is none."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return []
        path.append(node)
        for following in sorted(graph.get(node, ())):
            found = visit(following)
            if found:
                return found
        path.pop()
        done.add(node)
        return []

    return next((found for found in map(visit, sorted(graph)) if found), [])


def check(root):
    """All violations under the root, as lines of text."""
    root, violations = Path(root), []
    files, areas = {}, {}
    for name in sources(root):
        for number, quoted, target in includes(root / name):
            wrong = problem(name, quoted, target, root)
            if wrong:
                violations.append(f"{name}:{number}: {wrong}")
            if quoted:
                files.setdefault(name, set()).add(target)
                _add_area_edge(areas, name, target)
    for kind, graph in (("files", files), ("areas", areas)):
        found = circle(graph)
        if found:
            violations.append(f"a circle of {kind}: {' -> '.join(found)}")
    return violations


def _add_area_edge(areas, name, target):
    one, other = (_layer(area_of(path)) for path in (name, target))
    if one and other and one != other and name != ASSEMBLER_OF_THE_HOUSE and target not in FOR_ALL:
        areas.setdefault(one, set()).add(other)


def _layer(area):
    return "arch/x86_64" if area in BASE else area
