"""The terminal of `trivisor run`: the machine's serial console, and a line that tells what is going on while it is
silent."""
import os
import re
import select
import shutil
import signal
import sys
import termios
import time

from tools.launch.machine import OK, TIMED_OUT

QUIT = "you quit it"
ESCAPE_KEY = 0x01  # Ctrl-A, as in QEMU
HELP = b"\r\n[Ctrl-A x: quit   Ctrl-A Ctrl-A: send Ctrl-A   Ctrl-A h: this help]\r\n"
# The first word of ours on the serial port: what firmware says before it is of no interest unless the boot fails.
OURS = "Trivisor"
# The loader should have spoken by then; show what firmware says.
FIRMWARE_PATIENCE = 90
# Seconds of silence, at the beginning of a line, after which a line tells what is going on.
SILENCE = 1
# vmm/vm.c and vm_end.c: which VMs there are.
COMES = re.compile(rb"^vm (\S+): (?:starting: .*|restarted)$")
GOES = re.compile(rb"^vm (\S+): (?:ended|not started|not restarted): ")


class Interrupted(Exception):
    """A signal asked us to end."""

    def __init__(self, number):
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.status = 128 + number


def _interrupt(number, _frame):
    raise Interrupted(number)


class Terminal:
    """Standard input and output, restored in any case. Keys go to the machine as they are typed."""

    def __init__(self, interactive):
        self.keys = sys.stdin.fileno() if interactive else -1
        self.is_tty = interactive and os.isatty(self.keys)
        self._saved = None

    def __enter__(self):
        if self.is_tty:
            self._saved = termios.tcgetattr(self.keys)
            raw = termios.tcgetattr(self.keys)
            raw[0] &= ~(termios.ICRNL | termios.INLCR | termios.IXON | termios.ISTRIP | termios.BRKINT)
            raw[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
            termios.tcsetattr(self.keys, termios.TCSADRAIN, raw)
        return self

    def __exit__(self, *_):
        if self._saved:
            termios.tcsetattr(self.keys, termios.TCSADRAIN, self._saved)


class KeyFilter:
    """Finds the commands in what is typed: Ctrl-A x and the like."""

    def __init__(self):
        self._command = False

    def feed(self, data):
        """Return (bytes for the machine, whether to quit, whether to show help)."""
        typed, helped = bytearray(), False
        for byte in data:
            if self._command:
                self._command = False
                if byte in b"xX":
                    return bytes(typed), True, helped
                if byte in b"hH?":
                    helped = True
                elif byte in (ESCAPE_KEY, ord("a")):
                    typed.append(ESCAPE_KEY)
            elif byte == ESCAPE_KEY:
                self._command = True
            else:
                typed.append(byte)
        return bytes(typed), False, helped


class Progress:
    """What goes on in the machine, by the lines it says: which part of the boot, then which VMs run."""

    def __init__(self):
        self._line, self._vms = b"", []
        self.fresh = True  # the cursor stands at the beginning of a line

    def hear(self, data):
        """The machine said this."""
        *lines, self._line = (self._line + data).split(b"\n")
        self.fresh = not self._line
        for line in lines:
            self._take(line.rstrip(b"\r"))

    def _take(self, line):
        come, gone = COMES.match(line), GOES.match(line)
        name = (come or gone).group(1).decode() if come or gone else ""
        if gone and name in self._vms:
            self._vms.remove(name)
        elif come and name not in self._vms:
            self._vms.append(name)

    def sentence(self):
        """For the user."""
        return "running: " + ", ".join(self._vms) if self._vms else "the machine starts"


class Screen:
    """What the user sees: nothing of firmware but a line that shows it lives, then the serial port as it is.

    While the machine is silent, until the first key or prompt, such a line tells what is going on.
    """

    def __init__(self, out, progress):
        self._out, self._wanted, self._progress = out, progress, Progress()
        self._held, self._shown, self._line = b"", False, False
        self._start = self._heard = time.monotonic()

    def write(self, data):
        """The machine said this."""
        self._heard = time.monotonic()
        if self._shown:
            self._say(data)
            return
        self._held += data
        at = self._held.find(OURS.encode())
        if at >= 0:
            self.show(self._held.rfind(b"\n", 0, at) + 1)

    def tick(self):
        """Renew the progress line."""
        now = time.monotonic()
        if not self._shown and now - self._start >= FIRMWARE_PATIENCE:
            self.show()
        if self._shown and now - self._heard < SILENCE or not self._wanted:
            return
        if self._shown and not self._progress.fresh:
            self.leave_to_user()
            return
        what = self._progress.sentence() if self._shown else "firmware starts"
        line = f"{what} ... {int(now - self._start)} s (Ctrl-A x quits)"
        # A line that wraps would not go away as a whole.
        self._put(b"\r\x1b[K" + line[:shutil.get_terminal_size().columns - 1].encode())
        self._line = True

    def show(self, start=0):
        """From now on all is shown, beginning with what was held back from `start` on."""
        if not self._shown:
            self._shown = True
            self._say(self._held[start:])
            self._held = b""

    def leave_to_user(self):
        """The line has served: a guest waits behind a prompt, or somebody types."""
        self._wanted = False
        self._clear()

    def _say(self, data):
        self._clear()
        self._put(data)
        self._progress.hear(data)

    def _clear(self):
        if self._line:
            self._put(b"\r\x1b[K")
            self._line = False

    def _put(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self._out, view):]


def attach(machine, interactive, timeout=None):
    """Start the machine, connect it with the terminal and return its Ending; all that was started is ended on the way
    out.

    Raises Interrupted at SIGINT, SIGTERM or SIGHUP.
    """
    previous = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    said, teller = os.pipe()
    screen = Screen(sys.stdout.fileno(), interactive and sys.stdout.isatty())
    pending = []  # the machine's thread appends, ours takes

    def listen(data):
        pending.append(data)
        os.write(teller, b"x")

    machine.listener = listen
    try:
        with Terminal(interactive) as terminal:
            machine.start()
            ending = _converse(machine, screen, terminal, said, pending, timeout)
            while pending:
                screen.write(pending.pop(0))
            if ending.status != OK and ending.reason != QUIT:
                screen.show()
            return ending
    finally:
        machine.listener = None
        machine.stop(reason="interrupted")
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(said)
        os.close(teller)


def _converse(machine, screen, terminal, said, pending, timeout):
    deadline = None if timeout is None else time.monotonic() + timeout
    keys, sources = KeyFilter(), [said] + ([terminal.keys] if terminal.keys >= 0 else [])
    while True:
        ready = select.select(sources, [], [], 0.25)[0]
        if said in ready:
            os.read(said, 4096)
        while pending:
            screen.write(pending.pop(0))
        if machine.ending:
            return machine.ending
        if deadline is not None and time.monotonic() >= deadline:
            return machine.stop(TIMED_OUT, f"time ran out after {timeout} s")
        if terminal.keys in ready:
            data = os.read(terminal.keys, 1024)
            if not data:
                sources.remove(terminal.keys)  # end of a redirected input: go on without keys
                continue
            typed, leave, helped = keys.feed(data)
            if helped:
                os.write(sys.stdout.fileno(), HELP)
            if typed:
                screen.leave_to_user()
                machine.send(typed)
            if leave:
                return machine.stop(128 + signal.SIGINT, QUIT)
        screen.tick()
