"""A running machine: an emulator, the serial port, and how it ended."""
import json
import os
import re
import select
import shutil
import socket
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tools.launch.bochs import Bochs
from tools.launch.child import Child
from tools.launch.qemu import Qemu
from tools.launch.serial_text import SerialText
from tools.launch.spec import LaunchError

EMULATORS = {"bochs": Bochs, "qemu": Qemu}
# What ends a run at once: core/panic.h's PANIC_LINE, vmm/main.c's word that the machine cannot be used, and the
# loader's that it gave up (boot/report.c). Then the hypervisor's last line before it powers the machine off.
PANIC = re.compile(r"^(?:\*\*\* Trivisor (?:panic|stops):|Trivisor did not start\.).*", re.M)
POWER_OFF = re.compile(r"^(?:\[[^\]\n]*\] *)?Trivisor: power off", re.M)
# After the panic line come registers and a backtrace: they are taken until the machine is silent this long, in seconds.
PANIC_SILENCE, PANIC_LIMIT = 0.7, 5.0

OK, FAILED, TIMED_OUT = 0, 1, 124


@dataclass(frozen=True)
class Ending:
    status: int  # the launcher's exit status
    reason: str  # a sentence


class MachineEnded(AssertionError):
    """The machine ended before it said what was expected."""


class Machine:
    """Start it with start(); all else may be called from any thread.

    One thread of its own starts the emulator, reads serial port and emulator output, and sees the end.
    """

    def __init__(self, spec, work, log=None, end_when_stopped=True):
        """`work`: where each machine gets a folder for its emulator's files; `log`: a file for all that it says.

        Without end_when_stopped, a machine that has panicked or stopped is left as it is, to be looked at.
        """
        self.folder = _new_folder(Path(work).absolute(), spec.platform)
        try:
            self.emulator = EMULATORS[spec.platform](spec, self.folder)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.spec = spec
        self.ending = None  # Ending, once it has ended
        self.emulator_log = ""  # what the emulator itself logged, once it has ended
        self.listener = None  # called with each piece of bytes the machine says, in the machine's thread
        self._end_when_stopped = end_when_stopped
        self._log_path = log
        self._serial = SerialText()
        self._changed = threading.Condition()
        self._wake, self._waker = os.pipe()
        self._wanted = None  # Ending asked for by stop()
        self._port = None  # the serial connection
        self._control = None  # QEMU's control connection
        self._output = b""
        self._thread = threading.Thread(target=self._run, name=f"machine {self.folder.name}", daemon=True)

    def start(self):
        """Begin; returns at once."""
        self._thread.start()
        return self

    # What it says

    @property
    def text(self):
        """All it has said, as text."""
        return self._serial.text

    @property
    def raw(self):
        """The same, byte for byte."""
        return bytes(self._serial.raw)

    def send(self, data):
        """Type bytes at its serial console; waits until it is connected."""
        with self._changed:
            while self._port is None and self.ending is None:
                self._changed.wait()
            if self.ending is None:
                self._port.sendall(data)

    def expect(self, pattern, timeout, start=0, partial=False):
        """Wait until the text from `start` on matches (multi-line); MachineEnded or TimeoutError if it never does.

        Only whole lines count, so that $ means the end of a line, unless `partial`: for a prompt that waits for input.
        """
        wanted, deadline = re.compile(pattern, re.M), time.monotonic() + timeout
        with self._changed:
            while True:
                text = self._serial.text
                whole = len(text) if partial or self.ending else text.rfind("\n") + 1
                found = wanted.search(text, start, whole)
                if found:
                    return found
                if self.ending:
                    raise MachineEnded(f"the machine ended ({self.ending.reason}) before {pattern!r}; {self.tail()}")
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no {pattern!r} within {timeout} s; {self.tail()}")
                self._changed.wait(left)

    def tail(self, lines=30):
        """The last lines, for messages."""
        return "it last said:\n" + "\n".join(self._serial.text.splitlines()[-lines:])

    # Its end

    def wait_end(self, timeout=None):
        """Wait until it has ended by itself and return the Ending; None when time ran out (it then still runs)."""
        with self._changed:
            self._changed.wait_for(lambda: self.ending, timeout)
            return self.ending

    def stop(self, status=FAILED, reason="stopped"):
        """End it now, if it has not ended by itself, and return the Ending."""
        with self._changed:
            if self.ending is None:
                self._wanted = Ending(status, reason)
                os.write(self._waker, b"x")
        if self._thread.ident is None:
            self._finish(self._wanted)
        else:
            self._thread.join()
        return self.ending

    # Its screen

    def screenshot(self, path):
        """Write its framebuffer to a PPM file; only QEMU can."""
        if self._control is None:
            raise LaunchError(f"{self.spec.platform} cannot take screenshots")
        self._control.command("screendump", filename=str(Path(path).absolute()))

    # Its thread

    def _run(self):
        child, ending = None, None
        try:
            with _Listener() as serial, _Listener() as control:
                child = Child(self.emulator.prepare({"serial": serial.port, "control": control.port}), self.folder,
                              self.emulator.environment)
                ending = self._connect(child, serial, control) or self._watch(child)
        except OSError as error:
            ending = Ending(FAILED, f"{self.emulator.name} could not be run: {error}")
        finally:
            if child:
                child.kill()
            self._finish(ending or Ending(FAILED, "the launcher failed"))

    def _connect(self, child, serial, control):
        """Wait for the emulator's connections; an Ending when it never comes to that."""
        port = self._accept(child, serial)
        if not port:
            return self._wanted or self._explain()
        if self.emulator.name == "qemu":
            connection = self._accept(child, control)
            if not connection:
                return self._wanted or self._explain()
            self._control = _Control(connection)
        with self._changed:
            self._port = port
            self._changed.notify_all()
        return None

    def _accept(self, child, listener):
        while True:
            ready = select.select([listener.socket, child.output, child.ended, self._wake], [], [])[0]
            if listener.socket in ready:
                return listener.socket.accept()[0]
            if child.output in ready:
                self._take_output(child)
            if child.ended in ready or self._wake in ready:
                return None

    def _watch(self, child):
        """Read all there is until the end; returns the Ending."""
        panicked = silent_since = None
        open_port = True
        while True:
            wait = None
            now = time.monotonic()
            if panicked:
                wait = min(silent_since + PANIC_SILENCE, panicked + PANIC_LIMIT) - now
                if wait <= 0:
                    return Ending(FAILED, PANIC.search(self.text).group())
            sources = [child.output, child.ended, self._wake] + ([self._port] if open_port else [])
            ready = select.select(sources, [], [], wait)[0]
            if self._wake in ready:
                return self._wanted
            if child.output in ready:
                self._take_output(child)
            if open_port and self._port in ready:
                open_port = self._take_serial()
                silent_since = time.monotonic()
                if self._end_when_stopped and not panicked and PANIC.search(self.text):
                    panicked = silent_since
            elif child.ended in ready:
                self._take_output(child)
                return self._explain()

    def _take_serial(self):
        try:
            data = self._port.recv(65536)
        except OSError:
            data = b""
        if data:
            with self._changed:
                self._serial.feed(data)
                self._changed.notify_all()
            if self.listener:
                self.listener(data)
        return bool(data)

    def _take_output(self, child):
        try:
            self._output = (self._output + os.read(child.output, 65536))[-65536:]
        except OSError:  # the terminal of a child that has ended
            select.select([child.ended], [], [], 1)

    def _explain(self):
        """The Ending of an emulator that ended by itself."""
        self._serial.finish()
        panic = PANIC.search(self.text)
        if panic:
            return Ending(FAILED, panic.group())
        why = self.emulator.why_ended(self._output.decode(errors="replace"))
        if POWER_OFF.search(self.text) and not why:
            return Ending(OK, "the machine powered itself off")
        return Ending(FAILED, why or "the machine reset or went off without saying why")

    def _finish(self, ending):
        if self._port:
            self._port.close()
        if self._control:
            self._control.close()
        self.emulator_log = self.emulator.log_tail()
        if self._log_path:
            Path(self._log_path).write_bytes(self._serial.raw)
        shutil.rmtree(self.folder, ignore_errors=True)
        with self._changed:
            self._serial.finish()
            self.ending = ending
            os.close(self._wake)
            os.close(self._waker)
            self._changed.notify_all()


def _new_folder(work, platform):
    """A folder for one machine; those of launchers that were killed before they could tidy up go away."""
    work.mkdir(parents=True, exist_ok=True)
    for old in work.glob("*-*-*"):
        owner = old.name.split("-")[1]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{platform}-{os.getpid()}-", dir=work))


class _Listener:
    """A port of the loopback interface that the emulator connects to: no other host can, and no port is guessed."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=1)
        self.port = self.socket.getsockname()[1]
        return self

    def __exit__(self, *_):
        self.socket.close()


class _Control:
    """QEMU's machine protocol, for one command at a time."""

    def __init__(self, connection):
        connection.settimeout(30)
        self._connection = connection
        self._file = connection.makefile("rw", encoding="utf-8")
        self._lock = threading.Lock()
        self._file.readline()  # the greeting
        self.command("qmp_capabilities")

    def command(self, name, **arguments):
        """Run one command and return its result; LaunchError when QEMU refuses."""
        with self._lock:
            self._file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
            self._file.flush()
            while True:
                answer = json.loads(self._file.readline() or '{"error": {"desc": "QEMU has gone"}}')
                if "error" in answer:
                    raise LaunchError(f"QEMU: {name}: {answer['error'].get('desc')}")
                if "return" in answer:
                    return answer["return"]

    def close(self):
        """Hang up."""
        self._file.close()
        self._connection.close()
