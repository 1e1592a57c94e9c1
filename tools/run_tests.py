"""`./trivisor test`: runs the parts, prints what failed, ends with the line `N passed, N failed`."""
import os
import re
import signal
import subprocess
import sys
import tempfile
import traceback
import xml.etree.ElementTree as xml
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools import check_includes, check_style
from tools.options import parser
from tools.run import BUILD, ROOT

LOGS = BUILD / "logs"
CORPORA = ROOT / "tests" / "fuzz" / "corpus"
UNIT_LIMIT = 300  # seconds one host program may take
CMOCKA = re.compile(r"^\[ *(RUN|OK|SKIPPED) *\] ", re.M)


@dataclass
class Result:
    """What one program or check came to; `report` is for people, when something failed."""
    name: str
    passed: int
    failed: int
    report: str = ""


def run(command, limit=None, environment=None):
    """Run a program of the host in the root; returns (exit status, output). One that exceeds its limit is killed:
    124."""
    # The kernel ends it should we be killed: no test may outlive the run.
    command = ["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)]
    try:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=limit,
                              env=dict(os.environ, **(environment or {})), check=False)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as expired:
        said = expired.stdout or b""
        return 124, said.decode(errors="replace") + f"\nkilled: it took longer than {limit} s\n"


def make(target):
    """Build a target; a Result that fails when that fails, else None."""
    status, output = run(["make", "--no-print-directory", "-s", "-k", f"-j{cores()}", target])
    return Result(f"make {target}", 0, 1, output) if status else None


def cores():
    """How many programs may run at once."""
    return len(os.sched_getaffinity(0))


def in_parallel(function, items):
    """Results of function(item) for each item, as many at once as there are cores."""
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(function, items))


# Programs on the host

def count_cmocka(status, output):
    """(passed, failed) of a cmocka program: a test that began and did not pass or skip has failed, so has a crash."""
    states = Counter(CMOCKA.findall(output))
    passed = states["OK"]
    failed = states["RUN"] - states["OK"] - states["SKIPPED"]
    if (status or not passed) and not failed:
        failed = 1
    return passed, failed


def run_unit_program(program):
    """One cmocka program."""
    status, output = run([program], UNIT_LIMIT)
    passed, failed = count_cmocka(status, output)
    return Result(program.name, passed, failed, output)


def corpus_of(target):
    """The folder of a fuzz target's corpus."""
    return CORPORA / target.name.removeprefix("fuzz_")


def replay_corpus(target):
    """All inputs of a target's corpus once."""
    folder = corpus_of(target)
    name = f"{target.name} on its corpus"
    if not folder.is_dir() or not any(folder.iterdir()):
        return Result(name, 0, 1, f"{folder.relative_to(ROOT)}: there is no corpus")
    status, output = run([target, "-runs=0", folder], UNIT_LIMIT)
    return Result(name, int(not status), int(bool(status)), output)


def fuzz_target(target):
    """New inputs for TRIVISOR_FUZZ_SECONDS (60). What it finds is kept in build/fuzz-corpus, a crash in build/logs."""
    seconds = int(os.environ.get("TRIVISOR_FUZZ_SECONDS", "60"))
    found = BUILD / "fuzz-corpus" / target.name
    found.mkdir(parents=True, exist_ok=True)
    status, output = run([target, f"-max_total_time={seconds}", "-timeout=20",
                          f"-artifact_prefix={LOGS}/{target.name}-",
                          found, corpus_of(target)], seconds + 120)
    return Result(f"{target.name} for {seconds} s", int(not status), int(bool(status)),
                  "\n".join(output.splitlines()[-60:]))


def programs(folder, prefix):
    """The programs that make builds for the sources tests/FOLDER/PREFIX*.c."""
    return [BUILD / folder / source.stem for source in sorted((ROOT / "tests" / folder).glob(prefix + "*.c"))]


# Python tests

def run_pytest(folder, full):
    """The tests of a folder under Debian's Python."""
    tests = sorted(Path(ROOT, folder).glob("test_*.py"))
    if not tests:
        return Result(folder, 0, 0)
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        command = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report.name}"]
        status, output = run(command + (["--full"] if full else []) + [folder], None,
                             {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"})
        passed, failed = count_junit(report.name)
    if status and not failed:
        failed = 1
    return Result(folder, passed, failed, output)


def count_junit(path):
    """(passed, failed) of a JUnit report; expected failures and skipped tests are neither."""
    try:
        suites = xml.parse(path).getroot().iter("testsuite")
    except xml.ParseError:
        return 0, 0
    passed = failed = 0
    for suite in suites:
        tests, bad, skipped = (int(suite.get(key, 0)) for key in ("tests", "failures", "skipped"))
        errors = int(suite.get("errors", 0))
        passed += max(tests - bad - errors - skipped, 0)
        failed += bad + errors
    return passed, failed


# Parts

def unit(full):
    """Host programs: unit tests, the fuzzers' corpora, the tests of our own tools."""
    yield from filter(None, [make("unit"), make("fuzz")])
    yield from in_parallel(run_unit_program, [p for p in programs("unit", "test_") if p.is_file()])
    yield from in_parallel(replay_corpus, [p for p in programs("fuzz", "fuzz_") if p.is_file()])
    yield run_pytest("tests/tools", full)


def decode_all(program):
    """Ten million instructions, the decoder against Zydis."""
    status, output = run([program], UNIT_LIMIT)
    return Result(f"{program.name}: {output.strip()}", int(not status), int(bool(status)), output)


def fuzz(_full):
    """The fuzzers, a minute each, and the decoder on all encodings."""
    yield from filter(None, [make("fuzz")])
    yield from in_parallel(decode_all, [p for p in programs("fuzz", "decode_all") if p.is_file()])
    yield from in_parallel(fuzz_target, [p for p in programs("fuzz", "fuzz_") if p.is_file()])


def emulated(folder):
    """A part whose tests run in emulators, which needs everything built."""
    def part(full):
        broken = make("all")
        yield broken or run_pytest(folder, full)
    return part


def checks(_full):
    """Include rules and limits of size."""
    for name, check in (("include rules", check_includes.check), ("limits of size", check_style.check)):
        violations = check(ROOT)
        yield Result(name, int(not violations), int(bool(violations)), "\n".join(violations))


PARTS = {"checks": checks, "unit": unit, "guest": emulated("tests/guest"), "system": emulated("tests/system"),
         "fuzz": fuzz}


def show(result):
    """One line for what passed; all that is known of what did not."""
    if result.failed:
        print(f"\n--- {result.name} ---\n{result.report.rstrip()}\n---", flush=True)
    if result.passed or result.failed:
        print(f"{result.name}: passed {result.passed}, failed {result.failed}", flush=True)


def _interrupt(number, _frame):
    # Nothing to tidy up: what we started is ended by the kernel with us, whatever threads wait for it.
    os._exit(128 + number)


def results(name, full):
    """The Results of a part; one that breaks off has failed, and the parts after it run."""
    try:
        yield from PARTS[name](full)
    except Exception:
        yield Result(f"{name}: the part itself", 0, 1, traceback.format_exc())


def main(arguments):
    """Returns the exit status. The sum is the last line, whatever happens."""
    options = parser("test").parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    LOGS.mkdir(parents=True, exist_ok=True)
    passed = failed = 0
    for name in [options.part] if options.part else PARTS:
        print(f"== {name}", flush=True)
        for result in results(name, options.full):
            show(result)
            passed += result.passed
            failed += result.failed
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
