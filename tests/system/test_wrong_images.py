"""Kernels that cannot be started, made from Debian's own: what is wrong is said by the field's name, and the other VMs
run."""
import pytest

from tests.lib.boots import BUILD, GUESTS, Boot
from tools.run import build

FOLDER = BUILD / "wrong-images"
BZIMAGE, VMLINUX = "linux32/vmlinuz", "vmlinux/vmlinux32"


def changed(at, value):
    """The file with a byte changed."""
    return lambda data: data[:at] + bytes([value]) + data[at + 1:]


def cut(length):
    """The beginning of the file."""
    return lambda data: data[:length]


# VM: kernel it is made from, what is done to it, memory in MiB, what is said.
WRONG = {
    "bz-cut": (BZIMAGE, cut(0x100000), 64, "linux image .*: setup header: syssize .*: the file is truncated"),
    "bz-no-kernel": (BZIMAGE, cut(0x1000), 64, "linux image .*: setup header: setup_sects"),
    "bz-old": (BZIMAGE, changed(0x207, 1), 64, "linux image .*: setup header: version 0x10f"),
    "bz-low": (BZIMAGE, changed(0x211, 0), 64, "linux image .*: setup header: loadflags 0x0"),
    "bz-no-magic": (BZIMAGE, changed(0x202, 0), 64, '".*" is no kernel that any of the loaders knows'),
    "bz-small-vm": (BZIMAGE, cut(None), 16, "linux image .*: setup header: init_size .*: memory = 16M is too little"),
    "elf-cut": (VMLINUX, cut(0x100000), 64, "pvh image .*: program header 0: p_offset and p_filesz"),
    "elf-header-cut": (VMLINUX, cut(40), 64, "pvh image .*: e_ehsize"),
    "elf-machine": (VMLINUX, changed(18, 40), 64, "pvh image .*: e_machine is 40"),
    "elf-small-vm": (VMLINUX, cut(None), 24, "pvh image .*: p_paddr"),
}


def make_images():
    """Write the files; returns the boot that has them all, and a VM that is right."""
    assert build("vmlinux"), "a guest's recipe failed"
    FOLDER.mkdir(parents=True, exist_ok=True)
    config = ["[trivisor]\non-idle = poweroff\n[right]\nkernel = hello.elf\nmemory = 16M\n"]
    files = []
    for vm, (source, change, memory, _) in WRONG.items():
        path = FOLDER / vm
        path.write_bytes(change((GUESTS / source).read_bytes()))
        files.append((vm, str(path)))
        config.append(f"[{vm}]\nkernel = {vm}\nmemory = {memory}M\n")
    return Boot(platform="qemu", memory=1024, config="".join(config), files=tuple(files))


@pytest.fixture(name="wrong", scope="module")
def fixture_wrong(boots):
    """The machine, at its end."""
    machine = boots.get(make_images())
    machine.expect_end(180)
    return machine


@pytest.mark.parametrize("vm", WRONG)
def test_field_is_named(wrong, vm):
    wrong.expect(rf"^vm {vm}: not started: {WRONG[vm][3]}", 1)


def test_others_run(wrong):
    wrong.expect(r"^vm right: ended: exit code 0$", 1)
    assert wrong.ending.status == 0
