"""The terminal of `run`: keys reach the machine, Ctrl-A x quits, the terminal is restored however it ends."""
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tools.launch import console

ROOT = Path(__file__).resolve().parents[2]
# A machine that says what it is typed; q powers it off, p makes it panic.
PROGRAM = """
import sys
from pathlib import Path
from types import SimpleNamespace
from tests.tools.test_machine import Pretender
from tools import run
from tools.launch import machine, spec
class Echo(Pretender):
    script = '''
say("firmware noise\\\\r\\\\n"); time.sleep(0.6); say("Trivisor loader\\\\r\\\\n")
while True:
    key = s.recv(1)
    say(f"<{key[0]:02x}>\\\\r\\\\n")
    if key == b"q": say("Trivisor: power off\\\\r\\\\n"); break
    if key == b"p": say("*** Trivisor panic: asked\\\\r\\\\n")
'''
    def describe(self): return "echo"
machine.EMULATORS["bochs"] = Echo
made = machine.Machine(spec.MachineSpec("bochs", Path("none")), Path(sys.argv[1]))
limit = int(sys.argv[2]) if len(sys.argv) > 2 else None
sys.exit(run._run(made, SimpleNamespace(headless=False, timeout=limit)))
"""


class Session:
    """The program on a pseudo-terminal."""

    def __init__(self, folder, *arguments):
        self.ours, self.theirs = pty.openpty()
        self.before = termios.tcgetattr(self.theirs)
        self.said = b""
        environment = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONDONTWRITEBYTECODE="1")
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), *arguments], stdin=self.theirs,
                                        stdout=self.theirs, stderr=self.theirs, env=environment, start_new_session=True)

    def expect(self, words, timeout=20):
        """Read until the words have come."""
        deadline = time.monotonic() + timeout
        while words not in self.said:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.ours], [], [], left)[0], self.said
            self.said += os.read(self.ours, 4096)

    def type(self, keys):
        """Type."""
        os.write(self.ours, keys)

    def end(self):
        """The exit status; the terminal must be as it was."""
        status = self.process.wait(20)
        assert termios.tcgetattr(self.theirs) == self.before
        return status


@pytest.fixture
def session(tmp_path):
    """A function that starts a session."""
    made = []

    def start(*arguments):
        made.append(Session(tmp_path, *arguments))
        return made[-1]
    yield start
    for one in made:
        one.process.kill()
        one.process.wait()
        os.close(one.ours)
        os.close(one.theirs)
    assert not list(tmp_path.glob("bochs-*"))


def test_keys_progress_and_power_off(session):
    terminal = session()
    terminal.expect(b"firmware starts")
    terminal.expect(b"Trivisor loader")
    assert b"firmware noise" not in terminal.said
    terminal.type(b"a\x03\r\x01\x01")
    for key in (b"<61>", b"<03>", b"<0d>", b"<01>"):
        terminal.expect(key)
    terminal.type(b"q")
    terminal.expect(b"powered itself off")
    assert terminal.end() == 0


def test_quit(session):
    terminal = session()
    terminal.expect(b"Trivisor loader")
    terminal.type(b"\x01h")
    terminal.expect(b"Ctrl-A x: quit")
    terminal.type(b"\x01x")
    assert terminal.end() == 130


def test_panic(session):
    terminal = session()
    terminal.expect(b"Trivisor loader")
    terminal.type(b"p")
    terminal.expect(b"trivisor: *** Trivisor panic: asked")
    assert terminal.end() == 1


def test_timeout(session):
    terminal = session("2")
    terminal.expect(b"time ran out after 2 s")
    assert terminal.end() == 124


def test_progress_names_the_vms_until_a_prompt(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    theirs, ours = os.pipe()
    screen = console.Screen(ours, True)

    def shown_after(seconds, *said):
        for data in said:
            screen.write(data)
        now[0] += seconds
        screen.tick()
        os.write(ours, b".")
        return os.read(theirs, 4096)[:-1]

    assert b"firmware starts ... 0 s" in shown_after(0.5, b"noise\r\n")
    assert b"the machine starts ... 2 s" in shown_after(2, b"Trivisor loader\r\n")
    said = shown_after(2, b"vm one: starting: k, 1 MiB\r\nvm two: starting: k, 1 MiB\r\n"
                          b"one| vm three: starting: x, 1 MiB\r\n")
    assert said.startswith(b"\r\x1b[Kvm one") and said.endswith(b"\r\x1b[Krunning: one, two ... 4 s (Ctrl-A x quits)")
    assert shown_after(0.5, b"two| not silent\r\n") == b"\r\x1b[Ktwo| not silent\r\n"
    assert b"running: two ... 7 s" in shown_after(2, b"vm one: ended: exit code 0\r\n")
    assert b"running: two, one ... 9 s" in shown_after(2, b"vm one: restarted\r\n")
    assert shown_after(2, b"one| # ").endswith(b"one| # ")
    assert shown_after(2, b"\r\n") == b"\r\n"


def test_progress_ends_with_the_first_key():
    theirs, ours = os.pipe()
    screen = console.Screen(ours, True)
    screen.tick()
    screen.leave_to_user()
    screen.tick()
    assert os.read(theirs, 4096) == b"\r\x1b[Kfirmware starts ... 0 s (Ctrl-A x quits)\r\x1b[K"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals(session, number):
    terminal = session()
    terminal.expect(b"Trivisor loader")
    terminal.process.send_signal(number)
    assert terminal.end() == 128 + number
