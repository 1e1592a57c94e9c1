"""Which machines Trivisor runs on: CPU models, numbers of cores, large memory; and how it refuses the others."""
import re

import pytest

from tests.lib.boots import AMDV, Boot, on
from tests.lib.screen import read_text

HELLO = ("[trivisor]\non-idle = poweroff\n\n[hello]\nkernel = hello.elf\nmemory = 16M\n\n"
         "[hello64]\nkernel = hello64.elf\nmemory = 16M\n")
MACHINE = Boot(config=HELLO)
MODELS = ("arrandale", "sandy_bridge", "ivy_bridge", "haswell", "broadwell", "skylake_x", "cnl", "icelake", "tigerlake")
LIMIT, LONG_LIMIT = 240, 900


def full(boots):
    """The same as parameters of the long matrix."""
    return [pytest.param(boot, marks=pytest.mark.full) for boot in boots]


def runs_hello(machine):
    """Every core came up, both guests ended well, and so did the machine."""
    end = machine.expect_end(LIMIT)
    assert (end.status, end.reason) == (0, "the machine powered itself off"), machine.tail()
    cores = machine.boot.cores
    assert re.search(rf"^\[\d+\] cores: {cores} of {cores} up", machine.text, re.M)
    for vm in ("hello", "hello64"):
        assert re.search(rf"^vm {vm}: ended: exit code 0$", machine.text, re.M)
    assert re.search(r"^page tables: .* 0 both writable and executable", machine.text, re.M)


@pytest.mark.parametrize("machine", on(MACHINE, {"cpu": "skylake_x"}, {"cpu": "arrandale"})
                         + full(on(MACHINE, *({"cpu": cpu, "cores": cores} for cpu in MODELS for cores in (1, 2)
                                              if (cpu, cores) not in (("skylake_x", 1), ("arrandale", 1)))))
                         + full(on(MACHINE, *({"cores": cores} for cores in (4, 8)))), indirect=True)
def test_vtx(machine):
    runs_hello(machine)
    assert re.search(r"^\[\d+\] engine: vmx \(Intel VT-x\)", machine.text, re.M)


@pytest.mark.parametrize("machine", on(MACHINE, *AMDV)
                         + full(on(MACHINE, {"platform": "qemu", "cores": 8})), indirect=True)
def test_amdv(machine):
    runs_hello(machine)
    assert re.search(r"^\[\d+\] engine: svm \(AMD-V\)", machine.text, re.M)


# The VM is larger than all that lies below 4 GiB. Of the machine's 6 GiB, Bochs loses what its PCI hole covers, and has
# two thirds in a file: to zero the VM's RAM takes it minutes.
LARGE = "[trivisor]\non-idle = poweroff\n\n[hello64]\nkernel = hello64.elf\nmemory = 4608M\n"


@pytest.mark.parametrize("machine", on(Boot(memory=6144, config=LARGE), AMDV[0])
                         + full(on(Boot(memory=6144, config=LARGE), {}, *AMDV[1:])), indirect=True)
def test_memory_above_4_gib_is_used(machine):
    assert machine.expect_end(LONG_LIMIT).status == 0
    assert int(re.search(r"^\[\d+\] memory: (\d+) MiB usable", machine.text, re.M).group(1)) > 5000
    assert "vm hello64: ended: exit code 0" in machine.text
    assert int(re.search(r"^hello64\| (\d+) KiB of RAM", machine.text, re.M).group(1)) > 4600 * 1024


@pytest.mark.parametrize("machine, missing", [
    (Boot(cpu="lynnfield", config=HELLO), "unrestricted guest"),
    pytest.param(Boot(cpu="penryn", config=HELLO), "EPT", marks=pytest.mark.full),
], indirect=["machine"])
def test_a_processor_that_lacks_something_is_told_what(machine, missing):
    end = machine.expect_end(LIMIT)
    assert end.status == 1 and end.reason.startswith("*** Trivisor stops:")
    assert re.search(rf"engine vmx \(Intel VT-x\): .*{missing}", machine.text)


@pytest.mark.parametrize("machine", [Boot(platform="qemu", cpu="max,-svm", config=HELLO, stays=True)], indirect=True)
def test_no_virtualization_is_said_on_serial_port_and_screen(machine, tmp_path):
    machine.expect(r"^\*\*\* Trivisor stops:", LIMIT)
    machine.screenshot(tmp_path / "screen.ppm")
    shown = read_text(tmp_path / "screen.ppm")
    for words in ("*** Trivisor stops:", "the processor has no VT-x"):
        assert any(words in line for line in shown), "\n".join(filter(None, shown))
    assert re.search(r"engine vmx .*no VT-x", machine.text)


# By name for each VM; what this machine's cores do not have, and what does not exist, is said.
NAMED = "[trivisor]\non-idle = poweroff\n" + "".join(
    f"\n[{engine}]\nkernel = hello.elf\nmemory = 16M\nengine = {engine}\n" for engine in ("auto", "svm", "vmx", "xen"))


@pytest.mark.parametrize("machine, here, other", [
    (Boot(platform="qemu", config=NAMED), "svm", "vmx"),
    pytest.param(Boot(config=NAMED), "vmx", "svm", marks=pytest.mark.full),
], indirect=["machine"])
def test_engines_by_name(machine, here, other):
    assert machine.expect_end(LIMIT).status == 0
    for vm in ("auto", here):
        assert f"vm {vm}: ended: exit code 0" in machine.text
    reason = re.search(rf"^     engine {other} \(.*?\): (.*)$", machine.text, re.M).group(1)
    assert re.search(rf"^vm {other}: not started: .*{re.escape(reason)}", machine.text, re.M)
    assert re.search(r"^vm xen: not started: .*there is no engine of this name", machine.text, re.M)


@pytest.mark.parametrize("machine", on(Boot(platform="qemu", config=HELLO, stays=True), {"engine": "vmx"}),
                         indirect=True)
def test_an_engine_that_is_not_there_is_told_why(machine):
    machine.expect(r"^\*\*\* Trivisor stops: this machine does not have the engine that trivisor.conf names", LIMIT)
    assert re.search(r"^     engine vmx \(Intel VT-x\): \S", machine.text, re.M)
