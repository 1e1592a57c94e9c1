"""Reads tools/options: the one list of the commands' options, which the entry script checks arguments against."""
import argparse
from pathlib import Path

TABLE = Path(__file__).parent / "options"


def parser(command):
    """An argparse parser for one command of ./trivisor."""
    made = argparse.ArgumentParser(prog=f"./trivisor {command}")
    for line in TABLE.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        owner, names, value, meaning = (part.strip() for part in line.split("|"))
        if owner == command:
            _add(made, names.split(), value, meaning)
    return made


def _add(made, names, value, meaning):
    if value == "-":
        made.add_argument(*names, action="store_true", help=meaning)
    elif "," in value:
        if names[0].startswith("-"):
            made.add_argument(*names, choices=value.split(","), help=meaning)
        else:
            made.add_argument(*names, choices=value.split(","), nargs="?", help=meaning)
    else:
        made.add_argument(*names, type=int if value in ("N", "MB", "SECONDS") else str, metavar=value, help=meaning)
