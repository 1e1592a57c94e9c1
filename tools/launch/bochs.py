"""Bochs with OVMF: the machine that has VT-x without hardware."""
import re
import shutil
from pathlib import Path

from tools.launch.spec import LaunchError, UsageError

FIRMWARE = Path("/usr/share/ovmf/OVMF.fd")
VGA_ROM = Path("/usr/share/seabios/vgabios-stdvga.bin")
PROGRAM = "bochs-bin"  # without Debian's wrapper, so that the child is Bochs itself

# Short names, as the documents use them, of the models that have VMX.
MODELS = {
    "penryn": "core2_penryn_t9600",
    "lynnfield": "corei5_lynnfield_750",
    "arrandale": "corei5_arrandale_m520",
    "sandy_bridge": "corei7_sandy_bridge_2600k",
    "ivy_bridge": "corei7_ivy_bridge_3770k",
    "haswell": "corei7_haswell_4770",
    "broadwell": "broadwell_ult",
    "skylake_x": "corei7_skylake_x",
    "cnl": "corei3_cnl",
    "icelake": "corei7_icelake_u",
    "tigerlake": "tigerlake",
}
DEFAULT_MODEL = "skylake_x"
# Guest seconds pass in instructions: 20 million a second keeps timeouts short without starving the guests' timers.
INSTRUCTIONS_PER_SECOND = 20_000_000
# More RAM than this needs Bochs's own swapping of guest memory.
LARGEST_MEGS = 2048
LARGEST_CORES = 64

CONFIG = """\
romimage: file={firmware}
vgaromimage: file={vga_rom}
{memory}
cpu: model={model}, count={cores}, ips={ips}, reset_on_triple_fault=0
clock: sync=none, time0={time0}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path={disk}, mode=flat
boot: disk
display_library: term
speaker: enabled=0
com1: enabled=1, mode=socket-client, dev=127.0.0.1:{port}
port_e9_hack: enabled=1
log: {log}
panic: action=fatal
error: action={error}
info: action=ignore
debug: action=ignore
"""
# Bochs calls its own ways of being switched off panics: the letters "Shutdown" at port 0x8900, and ACPI's S5.
SWITCHED_OFF = re.compile(r"Shutdown port: shutdown requested|soft power off")
# Optional MSRs and VMCS fields that are looked for, and what OVMF tries out.
NOISE = re.compile(r"RDMSR: Unknown register|VMREAD: not supported field|\[(?:CMOS|UHCI) *\]|^\s*$")
# `xchg bx, bx` stops in the debugger. Its first one begins a trace, the next one ends it, and so on.
TRACE_CONFIG = """\
magic_break: enabled=1
debugger_log: {trace}
"""
TRACE_COMMANDS = "trace on\nc\ntrace off\nc\n"
MOST_TRACES = 200
FIXED_TIME = 1704067200  # the clock of the machine at start: runs repeat


class Bochs:
    """The emulator's side of a machine: its files, its command line, and what its log says of its end."""

    name = "bochs"
    engine = "VT-x"

    def __init__(self, spec, folder):
        self.spec, self.folder = spec, Path(folder)
        self.log = self.folder / "bochs.log"
        self.model = full_model(spec.cpu or DEFAULT_MODEL)
        if not 1 <= spec.cores <= LARGEST_CORES:
            raise UsageError(f"{spec.cores} cores: Bochs takes 1 to {LARGEST_CORES}")
        if spec.memory < 64:
            raise UsageError(f"{spec.memory} MB of memory: the firmware needs 64 at least")
        for file, package in ((FIRMWARE, "ovmf"), (VGA_ROM, "seabios")):
            if not file.is_file():
                raise LaunchError(f"{file} is missing; install the Debian package {package}")

    def describe(self):
        """One line for the user."""
        return f"Bochs, CPU model {self.model}, {self.spec.cores} core(s), {self.spec.memory} MB"

    def prepare(self, ports):
        """Write the machine's files and return the command that starts it. ports["serial"] is where we listen."""
        # A copy of its own: firmware writes to the volume, and Bochs locks the file beside it.
        shutil.copyfile(self.spec.image, self.folder / "disk.img")
        (self.folder / "bochsrc").write_text(self.config_text(ports["serial"]))
        # Debian's Bochs has the debugger built in: tell it to go on
        (self.folder / "start").write_text("c\n" + (TRACE_COMMANDS * MOST_TRACES if self.spec.trace else ""))
        return [PROGRAM, "-q", "-f", "bochsrc", "-rc", "start"]

    def config_text(self, port):
        """bochsrc for this machine."""
        megs = self.spec.memory
        memory = f"megs: {megs}" if megs <= LARGEST_MEGS else f"memory: guest={megs}, host={LARGEST_MEGS}"
        text = CONFIG + (TRACE_CONFIG if self.spec.trace else "")
        return text.format(firmware=FIRMWARE, vga_rom=VGA_ROM, memory=memory, model=self.model,
                           cores=self.spec.cores, ips=self.spec.ips or INSTRUCTIONS_PER_SECOND, time0=FIXED_TIME,
                           disk="disk.img",
                           port=port, log=self.log, error="report", trace=self.spec.trace)

    # Bochs draws its screen with curses and asks for a terminal to do so.
    environment = {"TERM": "vt100"}

    def log_tail(self, lines=200):
        """The end of Bochs's log, without what it says of every boot."""
        if not self.log.is_file():
            return ""
        with open(self.log, errors="replace") as file:
            return "".join([line for line in file if not NOISE.search(line)][-lines:])

    def why_ended(self, output):
        """A sentence from the log on why the emulator ended by itself, "" when it does not say."""
        log = self.log.read_text(errors="replace") if self.log.is_file() else ""
        panics = re.findall(r">>PANIC<< (.*)", log) or re.findall(r"exiting with the following message:\s*(.*)", output)
        if not panics or SWITCHED_OFF.search(panics[-1]):
            return ""
        if "3rd" in panics[-1] or "shutdown()" in panics[-1]:
            return f"a core of the machine itself triple-faulted (Bochs: {panics[-1].strip()})"
        return f"Bochs stopped: {panics[-1].strip()}"


def full_model(name):
    """Bochs's name of a CPU model; UsageError lists what there is."""
    if name in MODELS:
        return MODELS[name]
    if name in MODELS.values():
        return name
    raise UsageError(f"{name}: no such CPU model; there are {', '.join(MODELS)}")
