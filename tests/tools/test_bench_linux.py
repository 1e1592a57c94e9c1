"""What `./trivisor bench --linux` makes of what the machines say."""
import csv

import pytest

from tools import bench_linux
from tools.launch.spec import LaunchError

HOSTED = """\
linux| bench,boot_to_init,1434419657
linux| bench,fork_exec_100,88016488
linux| bench done
vm linux: ended: ACPI power-off
vm linux: exits: cpuid                      6491        6350 us        97 ticks each
vm linux: exits: wrmsr                        10         100 us       386 ticks each
"""


def test_rows_with_and_without_a_prefix():
    hosted = bench_linux.parse(HOSTED)
    assert hosted.ticks == {"boot_to_init": 1434419657, "fork_exec_100": 88016488}
    assert hosted.exits == {"cpuid": (6491, 6491 * 97), "wrmsr": (10, 3860)}
    assert bench_linux.parse(HOSTED.replace("linux| ", "")).ticks == hosted.ticks


def test_a_machine_that_was_not_done_has_no_result():
    with pytest.raises(LaunchError, match="Kernel panic"):
        bench_linux.parse(HOSTED.replace("linux| bench done", "linux| Kernel panic"))


def test_exits_of_a_phase_are_what_it_adds():
    boot = bench_linux.Run({}, {"cpuid": (400, 4000)})
    both = bench_linux.Run({}, {"cpuid": (6400, 64000), "io": (5, 50)})
    lines = [line.split() for line in bench_linux.exit_table([boot, both])]
    assert ["cpuid", "6000", "60000"] in lines and ["io", "5", "50"] in lines


def test_over_the_limit_is_complained_of_by_name():
    reference = bench_linux.read_csv(bench_linux.REFERENCE)
    committed = {name: {"overhead_percent": "16"} for name in reference}
    native = {name: 1000 for name in bench_linux.PHASES}
    ticks = {"boot_to_init": 1035, "fork_exec_100": 1158, "shell_loop_10000": 900}
    assert list(reference) == list(bench_linux.PHASES)
    found = bench_linux.complaints(reference, committed, native, ticks)
    assert len(found) == 1 and found[0].startswith("fork_exec_100: +15.8 %")


def test_worse_than_committed_is_complained_of():
    reference, committed = bench_linux.read_csv(bench_linux.REFERENCE), bench_linux.read_csv(bench_linux.COMMITTED)
    native = {name: 10000 for name in reference}
    ticks = {name: int(10040 + 100 * float(row["overhead_percent"])) for name, row in committed.items()}
    assert bench_linux.complaints(reference, committed, native, ticks) == []
    ticks["shell_loop_10000"] += 20
    assert "in the committed result" in bench_linux.complaints(reference, committed, native, ticks)[0]


def test_csv(tmp_path, monkeypatch):
    (tmp_path / "version").write_text("linux-image 6.1\n")
    monkeypatch.setattr(bench_linux, "KERNEL", tmp_path / "vmlinuz")
    ticks = {name: 1100 for name in bench_linux.PHASES}
    bench_linux.write_csv(tmp_path / "out.csv", {name: 1000 for name in ticks}, ticks)
    rows = list(csv.reader((tmp_path / "out.csv").read_text().splitlines()))
    assert rows[1] == ["boot_to_init", "1000", "1100", "10.00"]
    assert "linux-image 6.1" in (tmp_path / "out.csv").read_text()


def test_each_phase_is_asked_for():
    assert bench_linux.words(["boot_to_init"]) == bench_linux.COMMAND_LINE
    assert bench_linux.words(bench_linux.PHASES).endswith("rdinit=/bench bench_fork=1 bench_shell=1")
