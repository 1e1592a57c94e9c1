"""The checks of the tree find what they are for."""
from pathlib import Path

import pytest

from tools import check_includes, check_style
from tools.run_tests import count_cmocka

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path):
    """tree({"lib/a.c": text}) makes a small tree and returns its root."""
    def make(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path
    return make


HEADERS = {name: "\n" for name in (
    "lib/a.h", "core/a.h", "core/lock.h", "core/layout.h", "arch/x86_64/cpu/a.h", "arch/x86_64/mmu/root.h",
    "arch/x86_64/mmu/a.h",
    "arch/x86_64/vmx/a.h", "arch/x86_64/svm/a.h", "vmm/a.h", "vmm/hypercall_abi.h", "vmm/devices/a.h", "drivers/a.h",
    "boot/boot_info.h", "boot/a.h", "guests/lib/a.h")}


@pytest.mark.parametrize("source, target, allowed", [
    ("lib/x.c", "lib/a.h", True), ("lib/x.c", "core/a.h", False),
    ("core/x.c", "lib/a.h", True), ("core/x.c", "arch/x86_64/cpu/a.h", False), ("core/x.c", "boot/boot_info.h", True),
    ("core/x.c", "boot/a.h", False),
    ("arch/x86_64/cpu/x.c", "core/a.h", True), ("arch/x86_64/cpu/x.c", "arch/x86_64/mmu/a.h", True),
    ("arch/x86_64/cpu/x.c", "drivers/a.h", False), ("arch/x86_64/mmu/x.c", "vmm/a.h", False),
    ("drivers/x.c", "arch/x86_64/cpu/a.h", True), ("drivers/x.c", "arch/x86_64/mmu/root.h", True),
    ("drivers/x.c", "arch/x86_64/mmu/a.h", False),
    ("vmm/x.c", "drivers/a.h", True), ("vmm/x.c", "arch/x86_64/vmx/a.h", False),
    ("vmm/main.c", "arch/x86_64/vmx/a.h", True),
    ("vmm/x.c", "vmm/devices/a.h", True), ("vmm/devices/x.c", "vmm/a.h", False),
    ("vmm/devices/x.c", "core/lock.h", True),
    ("vmm/devices/x.c", "core/a.h", False),
    ("arch/x86_64/vmx/x.c", "vmm/a.h", True), ("arch/x86_64/vmx/x.c", "arch/x86_64/svm/a.h", False),
    ("boot/x.c", "core/layout.h", True), ("boot/x.c", "core/a.h", False), ("boot/x.c", "lib/a.h", True),
    ("guests/hello/x.c", "guests/lib/a.h", True), ("guests/hello/x.c", "vmm/hypercall_abi.h", True),
    ("guests/hello/x.c", "lib/a.h", False), ("tests/guest/x.c", "guests/lib/a.h", True),
    ("tests/guest/x.c", "vmm/a.h", False),
])
def test_include_rules(tree, source, target, allowed):
    found = check_includes.check(tree({**HEADERS, source: f'\n# include "{target}"\n'}))
    assert [line.split(":")[:2] for line in found] == ([] if allowed else [[source, "2"]])


def test_include_in_assembly_libraries_and_lost_files(tree):
    assert check_includes.check(tree({**HEADERS, "core/x.asm": '%include "vmm/a.h"\n'}))
    assert check_includes.check(tree({**HEADERS, "core/x.asm": "\n", "core/y.c": "#include <stdio.h>\n"}))
    assert check_includes.check(tree({**HEADERS, "core/y.c": '#include "a.h"\n'}))
    assert not check_includes.check(tree({**HEADERS, "core/y.c": "#include <stdarg.h>\n"}))


def test_circles(tree):
    root = tree({"lib/a.h": '#include "lib/b.h"\n', "lib/b.h": '#include "lib/c.h"\n',
                 "lib/c.h": '#include "lib/a.h"\n'})
    assert check_includes.check(root) == ["a circle of files: lib/a.h -> lib/b.h -> lib/c.h -> lib/a.h"]
    assert check_includes.circle({"a": {"b"}, "b": {"c"}, "d": {"b"}}) == []


def body(lines):
    """A function of that many lines with its braces."""
    return "int f(void)\n{\n" + "\tx();\n" * (lines - 2) + "}\n"


@pytest.mark.parametrize("text, over", [
    (body(60), False), (body(61), True),
    (body(61).replace("(void)\n{", "(void) {"), True),
    ("static const struct s t[] = {\n" + "\t{ f(1) },\n" * 80 + "};\n", False),
    ("struct s {\n" + "\tint (*f)(int);\n" * 80 + "};\n", False),
    (body(40) + body(40), False),
    (body(61).replace("x();", '"{{{";', 1).replace("x();", "/* { */", 1).replace("x();", "'{';", 1), True),
    ("#define M(x) {\n" + body(30) + body(40), False),
])
def test_c_function_limit(text, over):
    assert bool(check_style.check_file("a.c", text)) == over


def test_python_function_and_file_limits(tree):
    assert check_style.check_file("a.py", "def f():\n" + "    x()\n" * 60)
    assert not check_style.check_file("a.py", "def f():\n" + "    x()\n" * 59)
    assert check_style.check_file("a.h", "\n" * 501)
    assert not check_style.check_file("a.h", "\n" * 500)
    assert check_style.check(tree({"vmm/a.c": body(70)})) == ["vmm/a.c:2: f() has 70 lines; at most 60"]


def test_column_limit():
    wide = "x" * 121
    assert check_style.check_file("a.c", "\n" + wide + "\n") == ["a.c:2: 121 columns; at most 120"]
    assert check_style.check_file("a.c", "\t" + "x" * 113) and not check_style.check_file("a.c", "\t" + "x" * 112)
    assert not check_style.check_file("a.c", "// sources: " + wide)


CMOCKA = """[==========] Running 3 test(s).
[ RUN      ] one
[       OK ] one
[ RUN      ] two
[  ERROR   ] --- 1 != 2
[  FAILED  ] two
[ RUN      ] three
[  SKIPPED ] three
[==========] 3 test(s) run.
[  PASSED  ] 1 test(s).
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] two
"""


@pytest.mark.parametrize("status, output, expected", [
    (1, CMOCKA, (1, 1)), (0, "[ RUN      ] a\n[       OK ] a\n", (1, 0)),
    (1, "[ RUN      ] a\n==1==ERROR: AddressSanitizer\n", (0, 1)),
    (1, "[ RUN      ] a\n[       OK ] a\nLeakSanitizer\n", (1, 1)), (0, "", (0, 1)), (124, "", (0, 1)),
])
def test_counting(status, output, expected):
    assert count_cmocka(status, output) == expected
