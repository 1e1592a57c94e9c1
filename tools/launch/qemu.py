"""QEMU with OVMF: by KVM where the host can hand on VT-x or AMD-V, else in software, which has AMD-V."""
import os
import re
import shutil
import subprocess
from pathlib import Path

from tools.launch.spec import LaunchError, UsageError, host_nested_engine

PROGRAM = "qemu-system-x86_64"
FIRMWARE_CODE = Path("/usr/share/OVMF/OVMF_CODE.fd")
FIRMWARE_VARS = Path("/usr/share/OVMF/OVMF_VARS.fd")
LARGEST_CORES = 64


class Qemu:
    """The emulator's side of a machine: its files, its command line, and what its output says of its end."""

    name = "qemu"
    environment = {}

    def __init__(self, spec, folder):
        self.spec, self.folder = spec, Path(folder)
        self.kvm = host_nested_engine()  # "": software emulation
        self.engine = self.kvm or "AMD-V"
        if not 1 <= spec.cores <= LARGEST_CORES:
            raise UsageError(f"{spec.cores} cores: 1 to {LARGEST_CORES} can be had")
        if spec.memory < 64:
            raise UsageError(f"{spec.memory} MB of memory: the firmware needs 64 at least")
        for file in (FIRMWARE_CODE, FIRMWARE_VARS):
            if not file.is_file():
                raise LaunchError(f"{file} is missing; install the Debian package ovmf")
        if spec.cpu:
            check_model(spec.cpu)

    def cpu(self):
        """The -cpu argument."""
        if self.spec.cpu:
            return self.spec.cpu
        return "host" if self.kvm else "max,+svm,+npt"

    def describe(self):
        """One line for the user."""
        how = "KVM" if self.kvm else "software emulation"
        return f"QEMU by {how} with {self.engine}, CPU {self.cpu()}, {self.spec.cores} core(s), {self.spec.memory} MB"

    def prepare(self, ports):
        """Write the machine's files and return the command that starts it. `ports` are where we listen."""
        variables = self.folder / "vars.fd"
        shutil.copyfile(FIRMWARE_VARS, variables)
        accelerator = ["-accel", "kvm"] if self.kvm else ["-accel", "tcg,thread=multi"]
        return [
            PROGRAM, "-nodefaults", "-no-user-config", "-machine", "q35", *accelerator, "-cpu", self.cpu(),
            "-smp", str(self.spec.cores), "-m", str(self.spec.memory),
            "-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE_CODE}",
            "-drive", f"if=pflash,format=raw,file={escape(variables)}",
            # Nothing is written to the user's image.
            "-drive", f"if=none,id=disk,format=raw,snapshot=on,file={escape(self.spec.image)}",
            "-device", "ide-hd,drive=disk,bus=ide.0",
            "-device", "VGA", "-display", self.display(),
            "-chardev", f"socket,id=serial0,host=127.0.0.1,port={ports['serial']}", "-serial", "chardev:serial0",
            "-chardev", f"socket,id=control,host=127.0.0.1,port={ports['control']}",
            "-mon", "chardev=control,mode=control",
            "-no-reboot",
        ]

    def display(self):
        """A window when asked for and possible: the framebuffer is where a PC without serial port shows its log."""
        if self.spec.window and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            for kind in ("gtk", "sdl"):
                if kind in _help("-display").split():
                    return kind
        return "none"

    def log_tail(self, lines=200):
        """QEMU keeps no log."""
        return ""

    def why_ended(self, output):
        """A sentence on why the emulator ended by itself, "" when it does not say."""
        lines = [line.strip() for line in output.splitlines()
                 if re.search("qemu-system|qemu: fatal", line) and "warning:" not in line]
        return f"QEMU stopped: {lines[-1]}" if lines else ""


def check_model(cpu):
    """UsageError unless QEMU knows the model (what stands before the first comma)."""
    model = cpu.split(",")[0]
    known = {line.split()[1] for line in _help("-cpu").splitlines()
             if line.startswith("x86 ") and len(line.split()) > 1}
    if model not in known:
        raise UsageError(f"{model}: no such CPU model; see {PROGRAM} -cpu help")


def escape(path):
    """A path as an option's value: QEMU doubles commas."""
    return str(Path(path).absolute()).replace(",", ",,")


def _help(option):
    try:
        return subprocess.run([PROGRAM, option, "help"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False).stdout
    except FileNotFoundError:
        raise LaunchError(f"{PROGRAM} is not installed (Debian package qemu-system-x86)") from None
