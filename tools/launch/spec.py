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
    ips: int = 0  # Bochs only: instructions a second, which is the TSC's rate; 0: the platform's own choice
    # Bochs only: write here each instruction between two of the guest's marks (tools/profile.py).
    trace: Path | None = None


# What KVM can hand on to a guest: the CPU flag, the module's switch for it, and the name of the thing.
NESTED = (("vmx", "/sys/module/kvm_intel/parameters/nested", "VT-x"),
          ("svm", "/sys/module/kvm_amd/parameters/nested", "AMD-V"))


def host_nested_engine(device="/dev/kvm", cpuinfo="/proc/cpuinfo", nested=NESTED):
    """What KVM can give a guest: "VT-x", "AMD-V", or "". /dev/kvm alone says little: it may open on a host that has
    neither."""
    try:
        with open(device, "r+b", buffering=0):
            pass
        flags = next((line for line in Path(cpuinfo).read_text().splitlines() if line.startswith("flags")), "").split()
    except OSError:
        return ""
    for flag, switch, name in nested:
        if flag not in flags:
            continue
        try:
            return name if Path(switch).read_text().strip() in ("Y", "1") else ""
        except OSError:
            return name  # no such switch: built into the kernel in another way; QEMU will tell
    return ""


def choose_platform():
    """QEMU: by KVM where that hands on VT-x or AMD-V, else in software, which has AMD-V and is fast. Bochs is for VT-x
    without hardware."""
    return "qemu"


def other_platform(platform):
    """How to choose the other one, for the line that says what was taken."""
    return "--platform bochs: VT-x in software" if platform == "qemu" else "--platform qemu: faster, by AMD-V or KVM"
