"""The image builder: contents, repeatability, and what it refuses."""
import subprocess

import pytest

from tools import image
from tools.config_files import ConfigError, check_names, named_files

CONFIG = """# comment
[trivisor]
on-idle = poweroff
[a]
kernel = sub/kernel.elf
ramdisk = one.txt with arguments,two.txt
[b]
kernel = "sub/kernel.elf"
ramdisk = one.txt other arguments
"""


@pytest.fixture
def tree(tmp_path):
    """A config with its files and two stand-ins for the built binaries."""
    (tmp_path / "sub").mkdir()
    for name, text in {"t.conf": CONFIG, "sub/kernel.elf": "K" * 100_000, "one.txt": "1", "two.txt": "2",
                       "loader": "L" * 5000, "hypervisor": "H" * 7000}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def make(tree, name="disk.img", **options):
    """Build and return the image's path."""
    image.build(tree / "t.conf", tree / name, tree / "loader", tree / "hypervisor", **options)
    return tree / name


def content(disk, name):
    """A file of the image."""
    return subprocess.run(["mtype", "-i", f"{disk}@@1M", "::/" + name], stdout=subprocess.PIPE, check=True).stdout


def test_files_are_where_firmware_and_loader_look(tree):
    disk = make(tree)
    assert content(disk, "EFI/BOOT/BOOTX64.EFI") == b"L" * 5000
    assert content(disk, "trivisor/trivisor.elf") == b"H" * 7000
    assert content(disk, "trivisor/sub/kernel.elf") == b"K" * 100_000
    assert content(disk, "trivisor/one.txt") == b"1"
    assert b"ramdisk = one.txt with arguments" in content(disk, "trivisor/trivisor.conf")
    table = subprocess.run(["/usr/sbin/sgdisk", "--verify", "--info=1", disk], capture_output=True, text=True,
                           check=True)
    assert "No problems found" in table.stdout and "EFI system partition" in table.stdout


def test_same_input_same_bytes(tree, monkeypatch):
    one = make(tree, "one.img").read_bytes()
    (tree / "one.txt").touch()
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    # mtools reads the clock by the second; libfaketime is not to be had, so another second must really come.
    subprocess.run(["sleep", "2.1"], check=True)
    assert make(tree, "two.img").read_bytes() == one


def test_a_missing_file_is_named_with_its_line(tree):
    (tree / "one.txt").unlink()
    with pytest.raises(image.ImageError, match=r"t\.conf: line 6: one\.txt: no such file"):
        make(tree)
    assert not list(tree.glob("*.img"))


def test_allow_missing_leaves_it_out(tree):
    (tree / "sub/kernel.elf").unlink()
    disk = make(tree, allow_missing=True)
    with pytest.raises(subprocess.CalledProcessError):
        content(disk, "trivisor/sub/kernel.elf")
    assert content(disk, "trivisor/one.txt") == b"1"


def test_large_files_fit(tree):
    (tree / "sub/kernel.elf").write_bytes(bytes(90_000_000))
    (tree / "t.conf").write_text("[a]\nkernel = sub/kernel.elf\n")
    disk = make(tree)
    assert len(content(disk, "trivisor/sub/kernel.elf")) == 90_000_000
    assert disk.stat().st_size < 100 << 20


@pytest.mark.parametrize("name, complaint", [
    ("/etc/passwd", "absolute"), ("../secret", r"\.\."), ("a/../b", r"\.\."), ("a//b", "empty"), ("./a", "empty"),
    ("a:b", "FAT"), ("a\\b", "FAT"), ("dot.", "FAT"), ("x" * 128, "127"), ("Trivisor.conf", "own files"), ("ä", "FAT"),
])
def test_names_that_cannot_stand_in_the_image(name, complaint):
    with pytest.raises(ConfigError, match=complaint):
        check_names(named_files(f"[a]\nkernel = {name}\n"))


def test_names_that_differ_in_case_only():
    with pytest.raises(ConfigError, match="line 4: A.elf and a.elf"):
        check_names(named_files("[a]\nkernel = a.elf\n[b]\nkernel = A.elf\n"))


def test_too_many_files():
    with pytest.raises(ConfigError, match="65 different files"):
        check_names(named_files("".join(f"[v{i}]\nkernel = k{i}\n" for i in range(65))))


def test_names_are_found_once_each_and_comments_are_not_read():
    found = named_files("# kernel = no\n; kernel = no\n[a]\n  kernel=a.elf \n"
                        "ramdisk = , m1 x y ,m2,\nextra = kernel = no\r\n"
                        "[b]\r\nkernel = a.elf\r\nramdisk = \"m3\ta\"\nkernel = \"x\n"
                        "kernel = \"y\"z\"\n = q\n[kernel = no]\n")
    assert [(file.name, file.line) for file in found] == [("a.elf", 4), ("m1", 5), ("m2", 5), ("m3", 9)]
    assert [file.name for file in named_files("\ufeffkernel = k\n")] == ["k"]
