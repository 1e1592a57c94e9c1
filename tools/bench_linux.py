"""`./trivisor bench --linux`: what Debian's kernel costs under Trivisor beside the same kernel natively, in the same
emulated machine.

Both run tests/bench/linux/init.c as their first process, with the same command line, in Bochs with one core, where a
tick of the TSC is an instruction. Natively it is started by PC BIOS and GRUB.
"""
import csv
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools import image
from tools.bench_csv import bochs_version, read_csv
from tools.launch.bochs import MODELS
from tools.launch.machine import FAILED, OK, Machine
from tools.launch.spec import LaunchError, MachineSpec
from tools.run import BUILD, HYPERVISOR, LOADER, ROOT, build, say

FOLDER = ROOT / "tests" / "bench"
REFERENCE, COMMITTED, CONFIG = FOLDER / "linux_reference.csv", FOLDER / "linux_result.csv", FOLDER / "linux.conf"
KERNEL, INITRD = BUILD / "guests" / "linux" / "vmlinuz", BUILD / "guests" / "linux-bench.initrd"
CPU = "skylake_x"
TSC_HZ = 100_000_000
MEGS = 256  # natively; under Trivisor linux.conf says the same
# Bochs's XSAVES is inconsistent, and natively nothing says the TSC's rate.
COMMAND_LINE = ("console=ttyS0,115200 quiet clearcpuid=xsaves,xsavec tsc_early_khz=100000 tsc=reliable mitigations=off "
                "rdinit=/bench")
# The phases in their order, each with what asks for it; nothing asks for the boot.
PHASES = {"boot_to_init": "", "fork_exec_100": "bench_fork=1", "shell_loop_10000": "bench_shell=1"}
ROW = re.compile(r"^(?:linux\| )?bench,(\w+),(\d+)$", re.M)
DONE = re.compile(r"^(?:linux\| )?bench done$", re.M)
EXITS = re.compile(r"^vm linux: exits: (\S+) +(\d+) +\d+ us +(\d+) ticks each$", re.M)
# verify_cpu() reads IA32_MISC_ENABLE, which Bochs does not have and logs with the time: in the decompressor, then in
# the kernel.
VERIFY_CPU = re.compile(r"^(\d+)\S*\[CPU0\s*\] RDMSR: Unknown register 0x1a0$", re.M)
LIMIT = 900  # seconds a machine may take
TOLERANCE = 0.5  # percent of native, on the committed overhead: where the kernel lies is random, and moves it by less
COLUMNS = ("operation", "native", "trivisor", "overhead_percent")


@dataclass
class Run:
    ticks: dict  # by operation
    exits: dict  # by kind: (count, ticks between exit and entry)


def words(phases):
    """The command line that asks for these phases."""
    return " ".join([COMMAND_LINE, *filter(None, (PHASES[phase] for phase in phases))])


def parse(text):
    """What the machine said, as a Run; LaunchError when it never said that it is done."""
    if not DONE.search(text):
        raise LaunchError("no result; it last said:\n" + "\n".join(text.splitlines()[-20:]))
    exits = {kind: (int(count), int(count) * int(each)) for kind, count, each in EXITS.findall(text)}
    return Run({name: int(ticks) for name, ticks in ROW.findall(text)}, exits)


def measure_native():
    """(Run, ticks of the decompression). The boot is counted from the decompressed kernel's own start to its first
    process."""
    with tempfile.TemporaryDirectory(prefix="native-", dir=BUILD) as folder:
        command = [ROOT / "tools/native/bochs", "-m", MODELS[CPU], "-M", str(MEGS), "-i", str(TSC_HZ), "-t", str(LIMIT),
                   "-k", folder, KERNEL, words(PHASES), INITRD]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        run = parse(done.stdout.decode(errors="replace").replace("\r", ""))
        log = (Path(folder) / "log").read_text(errors="replace")
        entered, started = (int(tick) for tick in VERIFY_CPU.findall(log)[:2])
    run.ticks["boot_to_init"] -= started
    return run, started - entered


def measure_trivisor(phases, log=None):
    """A Run. The guest's TSC is 0 when it is entered."""
    config, disk = BUILD / "guests" / "bench-linux.conf", BUILD / "bench-linux.img"
    config.write_text(CONFIG.read_text().replace("= EXTRA", "= " + words(phases)))
    image.build(config, disk, LOADER, HYPERVISOR)
    spec = MachineSpec(platform="bochs", image=disk, cores=1, memory=2 * MEGS, cpu=CPU, ips=TSC_HZ)
    machine = Machine(spec, BUILD / "run", log).start()
    try:
        ending = machine.wait_end(LIMIT)
    finally:
        machine.stop()
    if not ending or ending.status != OK:
        raise LaunchError(f"no result: {ending.reason if ending else 'time ran out'}\n{machine.tail()}")
    return parse(machine.text)


def overhead(native, ticks):
    """In percent of native."""
    return 100 * (ticks / native - 1)


def table(reference, native, trivisor):
    """The printed table, as lines: millions of ticks, and overheads."""
    shape = "{:<18} {:>9} {:>9} {:>8} {:>8} {:>9} {:>7} {:>7}"
    lines = [shape.format("million ticks", "native", "Trivisor", "KVM", "Xen", "Trivisor", "must", "aim")]
    for name, row in reference.items():
        percents = [f"+{row[column]} %" if row[column] else "-" for column in ("kvm", "xen", "must", "aim")]
        own = f"{overhead(native[name], trivisor[name]):+.1f} %"
        lines.append(shape.format(name, f"{native[name] / 1e6:.2f}", f"{trivisor[name] / 1e6:.2f}", *percents[:2], own,
                                  *percents[2:]))
    return lines


def exit_table(runs):
    """Exits and ticks of each phase, by what a run has more than the one with a phase less."""
    before, lines = {}, []
    for phase, run in zip(PHASES, runs):
        lines.append(f"{phase}: exits, ticks in handlers")
        for kind, (count, ticks) in run.exits.items():
            count0, ticks0 = before.get(kind, (0, 0))
            lines.append(f"  {kind:<18} {count - count0:>8} {ticks - ticks0:>12}")
        before = run.exits
    return lines


def write_csv(path, native, trivisor):
    """Write the result, and with what it was made."""
    kernel = (KERNEL.parent / "version").read_text().strip()
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((name, native[name], trivisor[name], f"{overhead(native[name], trivisor[name]):.2f}")
                         for name in PHASES)
        file.write(f"# {bochs_version()}, {CPU}, 1 core, TSC {TSC_HZ} Hz; {kernel}; ticks; mitigations off\n")


def complaints(reference, committed, native, trivisor):
    """What --check fails for, one sentence each."""
    found = []
    for name, row in reference.items():
        now, before = overhead(native[name], trivisor[name]), float(committed[name]["overhead_percent"])
        if now > float(row["must"]):
            found.append(f"{name}: {now:+.1f} % over native, over its limit of +{row['must']} %")
        if now > before + TOLERANCE:
            found.append(f"{name}: {now:+.1f} % over native, {before:+.1f} % in the committed result")
    return found


def require_tools():
    """LaunchError when what makes the native machine's CD is missing."""
    if not shutil.which("grub-mkrescue"):
        raise LaunchError("grub-mkrescue is not installed (Debian packages grub-common, grub-pc-bin, xorriso)")


def main(options):
    """Returns the exit status; options are those of `./trivisor bench`."""
    names = list(PHASES)
    try:
        require_tools()
        say("building")
        if not build() or not build("linux-bench"):
            raise LaunchError("the build failed")
        say("measuring natively, one to two minutes")
        native, decompression = measure_native()
        # Each phase's exits are what a boot with it has more than a boot without.
        wanted = [names[:n] for n in range(1, len(names) + 1)] if options.exits else [names]
        say(f"measuring under Trivisor, {len(wanted)} boot(s) of as long")
        runs = [measure_trivisor(phases) for phases in wanted]
    except (LaunchError, image.ImageError, OSError) as error:
        say(error)
        return FAILED
    reference, trivisor = read_csv(REFERENCE), runs[-1].ticks
    # The same work in both, so that what it costs more here counts as the boot's.
    trivisor["boot_to_init"] -= decompression
    print("\n".join(table(reference, native.ticks, trivisor) + (exit_table(runs) if options.exits else [])))
    if options.csv:
        write_csv(Path(options.csv), native.ticks, trivisor)
    found = complaints(reference, read_csv(COMMITTED), native.ticks, trivisor) if options.check else []
    for complaint in found:
        say(complaint)
    return FAILED if found else OK
