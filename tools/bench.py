"""`./trivisor bench`: what VM exits cost, measured by guests/bench in Bochs, beside KVM and Xen on the same emulated
machine.

With one core a tick of Bochs is an instruction and a run repeats to the tick, so that a committed result can be held
against a new one.
"""
import csv
import re
import subprocess
import sys
from pathlib import Path

from tools import bench_linux, image, profile
from tools.bench_csv import bochs_version, read_csv
from tools.launch.machine import FAILED, OK, Machine
from tools.launch.spec import LaunchError, MachineSpec
from tools.options import parser
from tools.run import BUILD, HYPERVISOR, LOADER, ROOT, build, say

FOLDER = ROOT / "tests" / "bench"
REFERENCE, COMMITTED, CONFIG = FOLDER / "reference.csv", FOLDER / "result.csv", FOLDER / "bench.conf"
CPU = "skylake_x"
ROW = re.compile(r"^(?:bench|fresh)\| bench,(\w+),(\d+),(-?\d+),(-?\d+)$", re.M)
SKIP = re.compile(r"^(?:bench|fresh)\| skip (\w+): (.*)$", re.M)
# The hypervisor's own accounting (vmm/account_print.c, vmm/overhead.c).
MADE = re.compile(r"^vm bench: made in (\d+) ticks, (\d+) of them to zero its RAM; (\d+) KiB beyond its RAM$", re.M)
OVERHEAD = re.compile(r"^core 0: (.*): \d+ times, (\d+) ticks each, (\d+) at least$", re.M)
OVERHEAD_ROWS = {"from one VM to another": "vm_switch", "scheduling 1 vCPU": "schedule_1_vm",
                 "scheduling 8 to 15 vCPUs": "schedule_8_to_15_vms",
                 "scheduling 64 to 127 vCPUs": "schedule_64_to_127_vms"}
MANY = 100  # VMs on the core
DONE = re.compile(r"^bench\| bench done$", re.M)
LIMIT = 300  # seconds the machine may take
TOLERANCE = 1.05  # on the committed result
TRACE = BUILD / "bench.trace"
# The guest runs twice. Operations that end so in the reference are those of the second time, with the processor's help
# for the local APIC.
ALONE, HELPED = ("off", ""), ("auto", "_assisted")
# What these cost differs from page to page: the mean is their figure, all others' is the median.
BY_MEAN = {"ept_violation_4k_page_fresh_mean", "ept_violation_4k_page_fresh_net"}
PRINTED = ("operation", "trivisor", "min", "mean")
TRACED = ("vmreads", "vmwrites")
COLUMNS = PRINTED + TRACED


def parse(text):
    """What the guests printed: ({operation: row}, {operation: why it was skipped})."""
    rows = {found[0]: dict(zip(PRINTED, found)) for found in ROW.findall(text)}
    for operation in BY_MEAN & rows.keys():
        rows[operation]["trivisor"] = rows[operation]["mean"]
    return rows, dict(SKIP.findall(text))


def boot(text, name, done, trace=None):
    """Boot a config; returns what the machine said. LaunchError when it ended before `done` was there."""
    disk = BUILD / f"{name}.img"
    # The config names the guest as it lies in build/guests.
    config = BUILD / "guests" / f"{name}.conf"
    config.write_text(text)
    image.build(config, disk, LOADER, HYPERVISOR)
    machine = Machine(MachineSpec(platform="bochs", image=disk, cores=1, cpu=CPU, trace=trace), BUILD / "run").start()
    try:
        ending = machine.wait_end(LIMIT)
    finally:
        machine.stop()
    if not ending or ending.status != OK or not done.search(machine.text):
        raise LaunchError(f"no result: {ending.reason if ending else 'time ran out'}\n{machine.tail()}")
    return machine.text


def own_rows(text):
    """Rows of the hypervisor's own accounting, as parse() gives those of the guest."""
    found = {}
    for made, zeroing, beyond in MADE.findall(text):
        net = str(int(made) - int(zeroing))
        found["vm_create_256m_net"] = dict.fromkeys(PRINTED[1:], net)
        found["vm_memory_kib"] = dict.fromkeys(PRINTED[1:], beyond)
    for what, mean, least in OVERHEAD.findall(text):
        if what in OVERHEAD_ROWS:
            found[OVERHEAD_ROWS[what]] = {"trivisor": mean, "min": least, "mean": mean}
    return {name: {"operation": name, **row, "vmreads": "", "vmwrites": ""} for name, row in found.items()}


def many():
    """The config of many VMs that do nothing but give the core away; each ends a little after the one before it. One
    round is traced."""
    vms = (f"[y{i}]\nkernel = bench.elf\nmemory = 2M\nextra = yields={20 + 2 * i}{'' if i else ' traced=10'}\n"
           "stats = off\n"
           for i in range(MANY))
    return "[trivisor]\non-idle = poweroff\nstats = on\n" + "".join(vms)


def read_trace(count):
    """The profiles of the last boot, as many as there must be."""
    with open(TRACE, encoding="utf-8") as file:
        found = profile.profiles(file, profile.Symbols.of(HYPERVISOR))
    if len(found) != count:
        raise LaunchError(f"{TRACE}: {len(found)} operations were traced, {count} were measured")
    return found


def traces(measured):
    """{operation: Profile}, and puts the VMCS accesses into the rows: the guest has each row traced right before it
    prints it."""
    found = read_trace(len(measured))
    for row, taken in zip(measured.values(), found):
        row.update(vmreads=str(taken.vmreads), vmwrites=str(taken.vmwrites))
    return dict(zip(measured, found))


def measure(wanted):
    """All boots: ({operation: row}, {operation: why it was skipped}, {operation: Profile}), of the wanted
    operations."""
    all_measured, all_skipped, all_traced = {}, {}, {}
    for apic_virtualization, suffix in (ALONE, HELPED):
        text = boot(f"{CONFIG.read_text(encoding='utf-8')}apic_virtualization = {apic_virtualization}\n", "bench", DONE,
                    TRACE)
        measured, skipped = parse(text)
        traced = traces(measured)
        for found, kept in ((measured, all_measured), (skipped, all_skipped), (traced, all_traced)):
            kept.update({operation + suffix: value for operation, value in found.items()
                         if operation + suffix in wanted})
    for operation, row in all_measured.items():
        row["operation"] = operation
    all_measured.update(own_rows(text + boot(many(), "bench-many", OVERHEAD, TRACE)))
    all_traced["vm_switch"] = read_trace(1)[0].share(MANY)
    return all_measured, all_skipped, all_traced


def ratio(row, ticks):
    """How many times cheaper than the better of KVM and Xen; "" where neither has the operation."""
    others = [int(row[name]) for name in ("kvm", "xen") if row[name]]
    return f"{min(others) / ticks:.2f}" if others and ticks > 0 else ""


def table(reference, measured, skipped):
    """The printed table, as lines."""
    shape = "{:<36} {:>6} {:>6} {:>6} {:>9} {:>7} {:>6} {:>6} {:>7} {:>8}"
    lines = [shape.format("operation", "floor", "KVM", "Xen", "Trivisor", "ratio", "must", "aim", "VMREADs",
                          "VMWRITEs")]
    for name, row in reference.items():
        if name in measured:
            own = measured[name]
            lines.append(shape.format(name, row["floor"], row["kvm"], row["xen"], own["trivisor"],
                                      ratio(row, int(own["trivisor"])), row["must"], row["aim"], own["vmreads"],
                                      own["vmwrites"]))
        else:
            lines.append(shape.format(name, row["floor"], row["kvm"], row["xen"], "-", "", row["must"], row["aim"], "",
                                      "")
                         + f"  {skipped.get(name, 'not measured')}")
    return lines


def complaints(reference, measured, committed):
    """What --check fails for, one sentence each."""
    found = []
    for name, row in reference.items():
        if name not in measured:
            if name in committed:
                found.append(f"{name}: was measured for {COMMITTED.relative_to(ROOT)}, and now is not")
            continue
        ticks = int(measured[name]["trivisor"])
        if row["must"] and ticks > int(row["must"]):
            found.append(f"{name}: {ticks} ticks, over its limit of {row['must']}")
        for column in TRACED:
            if row[f"must_{column}"] and int(measured[name][column]) > int(row[f"must_{column}"]):
                found.append(f"{name}: {measured[name][column]} {column}, over the limit of {row[f'must_{column}']}")
        if name in committed and ticks > int(committed[name]["trivisor"]) * TOLERANCE:
            found.append(f"{name}: {ticks} ticks, more than 5 % over the {committed[name]['trivisor']} of the "
                         "committed result")
    return found


def versions():
    """The tools a result depends on, as a comment."""
    gcc = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=False)
    return (f"# {bochs_version()}, {CPU}, 1 core; {gcc.stdout.splitlines()[0]}; "
            "ticks: median (fresh pages: mean), min, mean of 1000, net of the set-up; VMCS accesses of one")


def write_csv(path, reference, measured):
    """Write the result: the columns' names, a row for each operation that was measured, the tools."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([measured[name][column] for column in COLUMNS] for name in reference if name in measured)
        file.write(versions() + "\n")


def main(arguments):
    """Returns the exit status."""
    options = parser("bench").parse_args(arguments)
    if options.linux:
        return bench_linux.main(options)
    try:
        say("building")
        if not build():
            raise LaunchError("the build failed")
        say("measuring, about a minute")
        reference = read_csv(REFERENCE)
        measured, skipped, traced = measure(reference)
        print("\n".join(table(reference, measured, skipped)))
        if options.profile:
            print("\n".join(profile.report(operation, taken) for operation, taken in traced.items()))
        if options.csv:
            write_csv(Path(options.csv), reference, measured)
    except (LaunchError, image.ImageError, OSError) as error:
        say(error)
        return FAILED
    found = complaints(reference, measured, read_csv(COMMITTED)) if options.check else []
    for complaint in found:
        say(complaint)
    return FAILED if found else OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
