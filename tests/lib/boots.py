"""Booting machines for tests: one boot per description, shared by all tests that ask for the same.

An emulator boot is dear (Bochs: 10 to 30 s), so tests name what they need as a Boot and share the machine that comes of
it.
"""
import fcntl
import hashlib
import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from tools import image
from tools.config_files import named_files
from tools.launch.machine import Machine
from tools.launch.spec import MachineSpec
from tools.run import build_named

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
GUESTS = BUILD / "guests"
LOGS = BUILD / "logs"
# Machines that run at once in this tree, whoever started them.
SLOTS = 2


@dataclass(frozen=True)
class Boot:
    """A machine to boot. Equal descriptions share one boot.

    config is the text of trivisor.conf; files maps names in it to files, by default those of build/guests; a file that
    is not there is left out of the image. Tests that change the machine for others (typing, stopping it) set `private`.
    """
    platform: str = "bochs"
    cpu: str = ""
    cores: int = 1
    memory: int = 512  # MiB
    config: str = ""
    files: tuple = ()  # of (name, path)
    engine: str = ""  # "": as the config or the hypervisor chooses
    stays: bool = False  # a machine that panics or stops is not ended, so that its screen can be looked at
    private: str = ""  # any text: this boot is shared only with the same text

    def text(self):
        """trivisor.conf as it goes into the image."""
        if not self.engine:
            return self.config
        return self.config.replace("[trivisor]\n", f"[trivisor]\nengine = {self.engine}\n", 1)

    def name(self):
        """A short name, for test ids and log files."""
        digest = hashlib.sha1(repr(self).encode()).hexdigest()[:6]
        parts = (self.platform, self.cpu, f"{self.cores}c", self.engine, digest)
        return "-".join(part.replace(",", "_") for part in parts if part)


def on(boot, *variants):
    """The boot with each of the given changes: on(boot, {"cores": 1}, {"cores": 2})."""
    return [replace(boot, **variant) for variant in variants]


# Changes of a Boot: AMD-V in QEMU's software emulation, where a boot is cheap, with one core and more.
AMDV = tuple({"platform": "qemu", "cores": cores} for cores in (1, 2, 4))


class Boots:
    """The machines of one test session, started when first asked for, ended with the session."""

    def __init__(self):
        self.plan = []  # the Boots that tests will ask for, in order
        self._machines = {}  # Boot -> TestMachine, in the order of their start

    def get(self, boot):
        """The machine of this description; it may have ended already, and still tells what it said."""
        if boot not in self._machines:
            self._make_room()
            self._machines[boot] = start(boot)
        return self._machines[boot]

    def prefetch(self, boot):
        """While tests use `boot`, let the machine that is wanted next go through its firmware."""
        at = self.plan.index(boot) if boot in self.plan else len(self.plan)
        for done in self.plan[:at]:
            if done in self._machines and self._machines[done].ending is None:
                self._machines[done].stop(reason="the tests are done with it")
        if at + 1 < len(self.plan) and self._running() < SLOTS:
            self.get(self.plan[at + 1])

    def discard(self, boot):
        """The next test that asks for it gets a fresh one."""
        machine = self._machines.pop(boot, None)
        if machine:
            machine.stop(reason="the tests are done with it")

    def slot(self):
        """A slot for a test that boots machines by other means: the lock to close."""
        self._make_room()
        return take_slot()

    def close(self):
        """End all."""
        for boot in list(self._machines):
            self.discard(boot)

    def _running(self):
        return sum(machine.ending is None for machine in self._machines.values())

    def _make_room(self):
        """End our oldest machine when we hold all the slots ourselves: nobody else would free one."""
        if self._running() >= SLOTS:
            self.discard(next(boot for boot, machine in self._machines.items() if machine.ending is None))


def start(boot):
    """Make the image and start the machine."""
    LOGS.mkdir(parents=True, exist_ok=True)
    folder = BUILD / "boots" / boot.name()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    stage(boot, folder)
    disk = folder / "disk.img"
    image.build(folder / "trivisor.conf", disk, BUILD / "BOOTX64.EFI", BUILD / "trivisor.elf", allow_missing=True)
    spec = MachineSpec(platform=boot.platform, image=disk, cores=boot.cores, memory=boot.memory, cpu=boot.cpu)
    slot = take_slot()
    return TestMachine(boot, spec, slot).start()


def stage(boot, folder):
    """Put the config and the files it names into a folder, as links."""
    (folder / "trivisor.conf").write_text(boot.text())
    files = dict(boot.files)
    assert build_named(boot.text()), "a guest's recipe failed"
    for named in named_files(boot.text()):
        source = Path(files.get(named.name, GUESTS / named.name)).absolute()
        target = folder / named.name
        if source.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)


def take_slot():
    """Wait for one of the slots, shared by all test runs of this tree; returns the lock to close."""
    folder = BUILD / "slots"
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        for number in range(SLOTS):
            lock = os.open(folder / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return lock
            except BlockingIOError:
                os.close(lock)
        time.sleep(0.2)  # between looks at another process's lock: flock cannot wait for one of several


class TestMachine(Machine):
    """A machine that holds a slot while it runs and keeps its log in build/logs."""
    __test__ = False  # not a class of tests

    def __init__(self, boot, spec, slot):
        self.boot = boot
        self.log_path = LOGS / f"{boot.name()}.log"
        self._slot = slot
        try:
            super().__init__(spec, BUILD / "run", self.log_path, end_when_stopped=not boot.stays)
        except BaseException:
            os.close(slot)
            raise

    def lines(self, prefix=""):
        """The lines it said, or those of one guest without their prefix: lines("hello") for `hello| ...`."""
        if not prefix:
            return self.text.splitlines()
        mark = prefix + "| "
        return [line[len(mark):] for line in self.text.splitlines() if line.startswith(mark)]

    def expect_end(self, timeout):
        """Wait for its end and return the Ending; an error with its last lines when it does not come."""
        ending = self.wait_end(timeout)
        assert ending, f"it still runs after {timeout} s; {self.tail()}"
        return ending

    def _finish(self, ending):
        super()._finish(ending)
        os.close(self._slot)
