"""Build one bootable GPT disk image with an EFI system partition: for an emulator and, by dd, for a USB stick.

Needs neither root nor loop mounts: sgdisk writes the partition table, mtools the FAT32 volume. The same input gives the
same image, byte for byte: identifiers and dates are fixed.
"""
import os
import subprocess
import tempfile
from pathlib import Path

from tools.config_files import ConfigError, check_names, locate, named_files

MIB = 1 << 20
SECTOR = 512
PARTITION_START = MIB
# FAT32 needs 65525 clusters; with one sector a cluster that is just under 33 MiB (UEFI wants FAT32 on fixed disks).
SMALLEST_VOLUME = 34 * MIB
SPARE = 1 * MIB
DISK_GUID = "7B1C5E0A-54F1-4D3B-9E52-545249564953"
PARTITION_GUID = "7B1C5E0A-54F1-4D3B-9E52-545249564F52"
VOLUME_SERIAL = "54524956"
FIXED_TIME = 1704067200  # 2024-01-01: FAT has no "none"


class ImageError(Exception):
    """Why the image could not be made, as a sentence for the user."""


def build(config, output, loader, hypervisor, allow_missing=False):
    """Write `output` from the config file and the two built binaries; ImageError when that cannot be.

    allow_missing leaves files out that are not there: for tests of what the hypervisor says then.
    """
    config, output = Path(config), Path(output)
    for path in (config, Path(loader), Path(hypervisor)):
        if not path.is_file():
            raise ImageError(f"{path}: no such file")
    try:
        contents = _contents(config, allow_missing)
    except ConfigError as error:
        raise ImageError("\n".join(f"{config}: {line}" for line in str(error).splitlines())) from None
    contents.update({
        "EFI/BOOT/BOOTX64.EFI": Path(loader),
        "trivisor/trivisor.elf": Path(hypervisor),
        "trivisor/trivisor.conf": config,
    })
    with tempfile.TemporaryDirectory(prefix="trivisor-image-", dir=output.parent) as scratch:
        staged = Path(scratch) / "disk"
        _write(contents, staged)
        os.replace(staged, output)


def _contents(config, allow_missing):
    """Map the names in the image to the files that the config names."""
    files = named_files(config.read_bytes().decode(errors="replace"))
    check_names(files)
    if allow_missing:
        files = [file for file in files if (config.parent / file.name).is_file()]
    return {"trivisor/" + name: path for name, path in locate(files, config.parent).items()}


def _write(contents, disk):
    size = volume_size(path.stat().st_size for path in contents.values())
    with open(disk, "wb") as out:
        out.truncate(PARTITION_START + size + MIB)  # the last MiB holds the backup GPT
    first, last = PARTITION_START // SECTOR, (PARTITION_START + size) // SECTOR - 1
    _tool("sgdisk", "--clear", f"--disk-guid={DISK_GUID}", "--set-alignment=1", f"--new=1:{first}:{last}",
          "--typecode=1:ef00", f"--partition-guid=1:{PARTITION_GUID}", "--change-name=1:EFI system", str(disk))
    volume = f"{disk}@@{PARTITION_START}"
    cluster = cluster_sectors(size)
    _tool("mformat", "-i", volume, "-F", "-T", str(size // SECTOR), "-h", "255", "-s", "63", "-H", str(first),
          "-c", str(cluster), "-N", VOLUME_SERIAL, "-v", "TRIVISOR", "::")
    folders = sorted({str(parent) for name in contents for parent in Path(name).parents} - {"."})
    _tool("mmd", "-i", volume, *("::/" + folder for folder in folders))
    for name, path in contents.items():
        _tool("mcopy", "-i", volume, str(path.absolute()), "::/" + name)


def volume_size(sizes):
    """Bytes of a FAT32 volume that holds files of these sizes, whole MiB."""
    need = sum(sizes)
    need += need // 128 + 64 * 4096  # two FATs, and the last clusters of files and folders
    return max(SMALLEST_VOLUME, -(-(need + SPARE) // MIB) * MIB)


def cluster_sectors(size):
    """Sectors a cluster: the largest of 1 to 8 that leaves FAT32 the clusters it needs."""
    sectors = 8
    while sectors > 1 and size // (sectors * SECTOR) < 70000:
        sectors //= 2
    return sectors


def _tool(*command):
    environment = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin", TZ="UTC", LC_ALL="C",
                       SOURCE_DATE_EPOCH=str(FIXED_TIME), MTOOLSRC="/dev/null", MTOOLS_SKIP_CHECK="1")
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
    except FileNotFoundError:
        raise ImageError(f"{command[0]} is not installed (Debian packages gdisk and mtools)") from None
    if done.returncode:
        raise ImageError(f"{command[0]} failed ({done.returncode}): {done.stdout.strip()}")
