"""Checks the limits of size: lines up to 120 columns, functions up to 60 lines, files up to 500 (unit tests may be
longer: they are lists of cases)."""
import ast
import re
from pathlib import Path

COLUMN_LIMIT, FUNCTION_LIMIT, FILE_LIMIT = 120, 60, 500
FOLDERS = ("boot", "lib", "core", "arch", "vmm", "drivers", "guests", "tests", "tools")
LONG_FOLDERS = ("tests/unit/",)
SUFFIXES = (".c", ".h", ".asm", ".inc", ".py")
# Comments, strings, character constants, preprocessor lines with their continuations.
NOISE = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|^[ \t]*\#(?:\\\n|[^\n])*""",
                   re.S | re.M)
LISTS = ("// sources: ", "// with: ")
NAME = re.compile(r"([A-Za-z_]\w*)\s*\(")


def blank_noise(text):
    """C text with comments, strings and preprocessor lines blanked; every line stays where it was."""
    return NOISE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def c_functions(text):
    """Yield (name, first line, lines of the body with its braces) of each function in C text."""
    depth, line, head_start = 0, 1, 0
    text = blank_noise(text)
    for at, char in enumerate(text):
        if char == "\n":
            line += 1
        elif char == "{":
            if depth == 0:
                head, first = text[head_start:at], line
            depth += 1
        elif char == "}":
            depth = max(depth - 1, 0)
            if depth == 0:
                if _is_function(head):
                    yield NAME.search(head).group(1), first, line - first + 1
                head_start = at + 1
        elif char == ";" and depth == 0:
            head_start = at + 1


def _is_function(head):
    """Whether what stands before an outermost brace is a function's head, not a type or an initializer."""
    return "=" not in head and NAME.search(head) is not None and ")" in head


def python_functions(text):
    """Yield (name, first line, length) of each function in Python text."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def wide_lines(text):
    """Yield (number, columns) of each line that is too wide, tabs being of 8. Lists of files for make have a line
    each."""
    for number, line in enumerate(text.splitlines(), 1):
        columns = len(line.expandtabs(8))
        if columns > COLUMN_LIMIT and not line.startswith(LISTS):
            yield number, columns


def check_file(name, text):
    """The violations of one file."""
    violations = [f"{name}:{number}: {columns} columns; at most {COLUMN_LIMIT}" for number, columns in wide_lines(text)]
    lines = len(text.splitlines())
    if lines > FILE_LIMIT and not name.startswith(LONG_FOLDERS):
        violations.append(f"{name}: {lines} lines; at most {FILE_LIMIT}")
    functions = {".c": c_functions, ".h": c_functions, ".py": python_functions}.get(Path(name).suffix)
    for function, first, length in functions(text) if functions else ():
        if length > FUNCTION_LIMIT:
            violations.append(f"{name}:{first}: {function}() has {length} lines; at most {FUNCTION_LIMIT}")
    return violations


def check(root):
    """All violations under the root, as lines of text."""
    violations = []
    for folder in FOLDERS:
        for path in sorted(Path(root, folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                violations += check_file(path.relative_to(root).as_posix(), path.read_text(errors="replace"))
    return violations
