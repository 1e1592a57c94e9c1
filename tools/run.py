"""`./trivisor run`: build, make the disk image, start the machine, show its console."""
import os
import subprocess
import sys
from pathlib import Path

from tools import image
from tools.config_files import named_files
from tools.launch import console
from tools.launch.machine import FAILED, Machine
from tools.launch.spec import LaunchError, MachineSpec, UsageError, choose_platform, other_platform
from tools.options import parser

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
LOADER, HYPERVISOR = BUILD / "BOOTX64.EFI", BUILD / "trivisor.elf"
DEFAULT_CONFIG = BUILD / "guests" / "default.conf"
USAGE = 2


def build(target="all"):
    """Run make; False when it failed (it has said why)."""
    jobs = len(os.sched_getaffinity(0))
    return subprocess.run(["make", "-C", str(ROOT), "--no-print-directory", "-s", f"-j{jobs}", target],
                          stdin=subprocess.DEVNULL, check=False).returncode == 0


def build_named(config):
    """Make the guests that a config's text names and that `make` alone does not make; False when that failed."""
    folders = {file.name.split("/")[0] for file in named_files(config) if "/" in file.name}
    return all(build(folder) for folder in sorted(folders) if (ROOT / "guests" / folder / "recipe").is_file())


def say(text):
    """Lines to the user, apart from what the machine says."""
    for line in str(text).splitlines():
        print(f"trivisor: {line}", file=sys.stderr, flush=True)


def main(arguments):
    """Returns the exit status."""
    options = parser("run").parse_args(arguments)
    if options.image and options.config:
        say("--image is booted as it is: --config would have no effect on it; give one of them")
        return USAGE
    try:
        spec = MachineSpec(platform=options.platform or choose_platform(), image=None, cores=options.cores or 2,
                           memory=options.memory or 1024, cpu=options.cpu or "", window=not options.headless)
        disk = Path(options.image) if options.image else _make_image(options.config)
        machine = Machine(MachineSpec(**{**spec.__dict__, "image": disk.absolute()}), BUILD / "run", options.log)
    except UsageError as error:
        say(error)
        return USAGE
    except (LaunchError, image.ImageError) as error:
        say(error)
        return FAILED
    return _run(machine, options)


def _make_image(config):
    say("building")
    if not build():
        raise LaunchError("the build failed")
    chosen = Path(config) if config else DEFAULT_CONFIG
    if chosen.is_file() and not build_named(chosen.read_text(errors="replace")):
        raise LaunchError("a guest that the config names could not be made")
    disk = BUILD / "trivisor.img"
    image.build(chosen, disk, LOADER, HYPERVISOR)
    return disk


def _run(machine, options):
    say(f"{machine.emulator.describe()} ({other_platform(machine.spec.platform)})")
    try:
        ending = console.attach(machine, not options.headless, options.timeout)
    except console.Interrupted as interruption:
        say(interruption)
        return interruption.status
    say(ending.reason)
    if ending.status == FAILED and machine.emulator_log:
        print("the emulator's log ends with:\n" + "\n".join(machine.emulator_log.splitlines()[-15:]), file=sys.stderr)
    return ending.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))