"""What machine to start, and which emulator this host can do it best with."""
from dataclasses import dataclass
from pathlib import Path

PLATFORMS = ("bochs", "qemu")


class LaunchError(Exception):
    """Why the machine cannot be started, as a sentence for the user."""


class UsageError(LaunchError):
    """The user asked for what does not exist."""


@dataclass(frozen=True)
class MachineSpec:
    platform: str  # of PLATFORMS
    image: Path
    cores: int = 2
    memory: int = 1024  # MiB
    cpu: str = ""  # "": the platform's own choice
    window: bool = False  # show the framebuffer, where the emulator and the host can


def host_has_nested_vtx(device="/dev/kvm", cpuinfo="/proc/cpuinfo",
                        nested="/sys/module/kvm_intel/parameters/nested"):
    """Whether KVM can give a guest VT-x. /dev/kvm alone says little: it may open on a host that has no VMX at all."""
    try:
        with open(device, "r+b", buffering=0):
            pass
        flags = next((line for line in Path(cpuinfo).read_text().splitlines() if line.startswith("flags")), "")
    except OSError:
        return False
    if "vmx" not in flags.split():
        return False
    try:
        return Path(nested).read_text().strip() in ("Y", "1")
    except OSError:
        return True  # no such switch: built into the kernel in another way; QEMU will tell


def choose_platform():
    """QEMU with KVM where that has VT-x, else the emulator that has it in software."""
    return "qemu" if host_has_nested_vtx() else "bochs"
