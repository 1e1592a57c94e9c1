"""Which files a trivisor.conf names: the builder copies them into the image under the names the loader will look for.

The grammar is that of lib/ini.h. Lines that are neither section nor pair are passed over here: the hypervisor reports
them, with their number, when it boots.
"""
import re
from dataclasses import dataclass
from pathlib import Path

# boot/boot_info.h: BOOT_NAME_SIZE (with the final NUL) and BOOT_MAX_FILES.
NAME_LIMIT = 127
FILE_LIMIT = 64
SPACE = " \t"
# What FAT cannot hold in a name, and the names of the image's own files.
FORBIDDEN = set('\\:*?"<>|')
RESERVED = {"trivisor.elf", "trivisor.conf"}


class ConfigError(Exception):
    """What is wrong with the config or its files, as a sentence for the user."""


@dataclass(frozen=True)
class NamedFile:
    name: str  # as the config has it, "/" between folders
    line: int  # of the config, for messages


def pairs(text):
    """Yield (line number, key, value) of every `key = value` line."""
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw.removesuffix("\r").strip(SPACE)
        if not line or line[0] in "#;[" or "\0" in line or "=" not in line:
            continue
        key, value = (part.strip(SPACE) for part in line.split("=", 1))
        if value.startswith('"'):
            if len(value) < 2 or value[-1] != '"' or '"' in value[1:-1]:
                continue
            value = value[1:-1]
        if key:
            yield number, key, value


def named_files(text):
    """The files of `kernel` and `ramdisk` keys, each once, in the order of the text."""
    found = {}
    for number, key, value in pairs(text):
        if key == "kernel" and value:
            found.setdefault(value, NamedFile(value, number))
        elif key == "ramdisk":
            for item in filter(None, (item.strip(SPACE) for item in value.split(","))):
                name = re.split(f"[{SPACE}]", item, maxsplit=1)[0]
                found.setdefault(name, NamedFile(name, number))
    return list(found.values())


def check_names(files):
    """Raise ConfigError for a name that cannot stand in the image."""
    seen = {}
    for file in files:
        problem = _name_problem(file.name)
        if problem:
            raise ConfigError(f"line {file.line}: {file.name}: {problem}")
        other = seen.setdefault(file.name.lower(), file)
        if other is not file:
            raise ConfigError(f"line {file.line}: {file.name} and {other.name} (line {other.line}) "
                              "are the same name on a FAT volume; rename one")
    if len(files) > FILE_LIMIT:
        raise ConfigError(f"{len(files)} different files are named; the loader takes {FILE_LIMIT} at most")


def _name_problem(name):
    parts = name.split("/")
    if name.startswith("/"):
        return "an absolute path; files must be named relative to the config"
    if ".." in parts:
        return "leaves the config's folder by ..; put the file beside or below the config"
    if "" in parts or "." in parts:
        return "an empty or . step in the path; write it plainly, as in guests/hello.elf"
    if len(name.encode()) > NAME_LIMIT:
        return f"longer than {NAME_LIMIT} bytes"
    if not all(" " <= c <= "~" for c in name) or FORBIDDEN & set(name) or any(p[-1] in " ." for p in parts):
        return "a character that a FAT volume or the loader does not take; use letters, digits, - _ . and /"
    if name.lower() in RESERVED:
        return "the name of one of Trivisor's own files; rename the guest's file"
    return None


def locate(files, folder):
    """Map each name to its path under `folder`; ConfigError names those that are missing."""
    found, missing = {}, []
    for file in files:
        path = Path(folder) / file.name
        if path.is_file():
            found[file.name] = path
        else:
            missing.append(f"line {file.line}: {file.name}: no such file in {folder}")
    if missing:
        raise ConfigError("\n".join(missing))
    return found
