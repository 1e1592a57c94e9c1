"""The launcher's machine, with a stand-in emulator: how ends are told apart, and that nothing is left behind."""
import os
import sys
import time
from pathlib import Path

import pytest

from tools.launch import machine as launch
from tools.launch.machine import FAILED, OK, TIMED_OUT, Machine, MachineEnded
from tools.launch.spec import MachineSpec

CONNECT = ("import socket,sys,time; s=socket.create_connection(('127.0.0.1', {port}));"
           "say=lambda t: s.sendall(t.encode())\n")


class Pretender:
    """An emulator that is a few lines of Python; `why` is what its log would say."""
    name = "pretender"
    environment = {}
    script = why = ""

    def __init__(self, spec, folder):
        self.log = Path(folder) / "log"

    def prepare(self, ports):
        return [sys.executable, "-c", CONNECT.format(port=ports["serial"]) + self.script]

    def why_ended(self, output):
        return self.why

    def log_tail(self):
        return ""


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    """pretend(script, why) starts a machine that runs the script."""
    made = []

    def start(script, why=""):
        monkeypatch.setitem(launch.EMULATORS, "bochs", type("Other", (Pretender,), {"script": script, "why": why}))
        made.append(Machine(MachineSpec("bochs", tmp_path / "none.img"), tmp_path / "run", tmp_path / "serial.log"))
        return made[-1].start()

    yield start
    for one in made:
        one.stop()
    assert not list((tmp_path / "run").iterdir())


def test_power_off_is_good_order(pretend, tmp_path):
    machine = pretend("say('hello\\r\\nTrivisor: power off\\r\\n')")
    assert machine.wait_end(10).status == OK
    assert machine.text == "hello\nTrivisor: power off\n"
    assert (tmp_path / "serial.log").read_bytes() == b"hello\r\nTrivisor: power off\r\n"


def test_power_off_within_a_line_is_a_guests_word(pretend):
    assert pretend("say('guest| Trivisor: power off\\r\\n')").wait_end(10).status == FAILED


def test_an_emulator_that_dies_says_why(pretend):
    ending = pretend("say('Trivisor: power off\\r\\n'); sys.exit(1)", "it broke").wait_end(10)
    assert (ending.status, ending.reason) == (FAILED, "it broke")


def test_reset_without_power_off_is_failure(pretend):
    assert pretend("say('[01] here\\r\\n')").wait_end(10).status == FAILED


def test_panic_ends_the_run_with_what_follows_it(pretend):
    start = time.monotonic()
    machine = pretend("say('x\\r\\n*** Trivisor panic: broken\\r\\n'); time.sleep(.1);"
                      "say('RAX 0\\r\\n'); time.sleep(60)")
    ending = machine.wait_end(20)
    assert (ending.status, ending.reason) == (FAILED, "*** Trivisor panic: broken")
    assert machine.text.endswith("RAX 0\n") and time.monotonic() - start < 10


@pytest.mark.parametrize("line", ["*** Trivisor stops: no VT-x",
                                  "Trivisor did not start. Back to firmware after a key."])
def test_giving_up_ends_the_run_too(pretend, line):
    ending = pretend(f"say('{line}\\r\\n'); time.sleep(60)").wait_end(20)
    assert (ending.status, ending.reason) == (FAILED, line)


def test_panic_that_never_falls_silent_ends_too(pretend):
    machine = pretend("say('*** Trivisor panic: loop\\n')\nwhile True: say('more\\n'); time.sleep(.05)")
    assert machine.wait_end(20).status == FAILED


def test_panic_in_a_guests_line_does_not_count(pretend):
    machine = pretend("say('g| *** Trivisor panic: no\\nTrivisor: power off\\n')")
    assert machine.wait_end(10).status == OK


def test_stop_kills_the_emulator_itself(pretend):
    machine = pretend("import os; say(f'pid {os.getpid()}.\\n'); time.sleep(60)")
    pid = int(machine.expect(r"pid (\d+)\.", 10).group(1))
    assert machine.stop(TIMED_OUT, "time").status == TIMED_OUT
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert machine.stop().status == TIMED_OUT  # the first end stays


def test_expect_tells_end_and_time_apart(pretend):
    machine = pretend("say('one\\n'); s.recv(1); say('two\\n')")
    machine.expect("^one$", 10)
    with pytest.raises(TimeoutError, match="one"):
        machine.expect("^two$", 0.2)
    machine.send(b"x")
    machine.expect("^two$", 10)
    with pytest.raises(MachineEnded, match="two"):
        machine.expect("^three$", 10)


def test_expect_takes_whole_lines_unless_told(pretend):
    machine = pretend("say('vm a: ended: '); s.recv(1); say('well\\n'); s.recv(1)")
    assert machine.expect("ended: $", 10, partial=True)
    with pytest.raises(TimeoutError):
        machine.expect("ended: (.*)$", 0.2)
    machine.send(b"x")
    assert machine.expect("ended: (.*)$", 10).group(1) == "well"


def test_an_emulator_that_never_connects(tmp_path, monkeypatch):
    class Silent(Pretender):
        why = "no such file"

        def prepare(self, ports):
            return ["/bin/false"]
    monkeypatch.setitem(launch.EMULATORS, "bochs", Silent)
    ending = Machine(MachineSpec("bochs", tmp_path / "x"), tmp_path / "run").start().wait_end(10)
    assert (ending.status, ending.reason) == (FAILED, "no such file")


def test_an_emulator_that_is_not_installed(tmp_path, monkeypatch):
    class Absent(Pretender):
        def prepare(self, ports):
            return ["/nonexistent/emulator"]
    monkeypatch.setitem(launch.EMULATORS, "bochs", Absent)
    assert Machine(MachineSpec("bochs", tmp_path / "x"), tmp_path / "run").start().wait_end(10).status == FAILED


def test_folders_of_killed_launchers_go_away(tmp_path, pretend):
    old = tmp_path / "run" / "bochs-999999999-x"
    old.mkdir(parents=True)
    pretend("say('Trivisor: power off\\n')").wait_end(10)
    assert not old.exists()
