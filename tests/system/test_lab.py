"""The course of docs/lab, done as it is written: on a copy of the tree the commands are run, the changes made, and what
comes out is what the text says.

In a document a block of `sh` is run, the block of `text` behind it is its output, and a block of `diff` is applied.
"""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.lib.boots import BUILD, GUESTS, ROOT

LAB = ROOT / "docs/lab"
EXERCISES = sorted(LAB.glob("[0-9]*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
LIMIT = 400  # seconds one block may take
# Of build/: what make has made, so that only changes are compiled.
COPIED_BUILD = {"kernel", "loader", "guests", "guest32", "guest64", "font.psf"}


def not_copied(folder, names):
    """For shutil.copytree()."""
    if Path(folder) == BUILD:
        return set(names) - COPIED_BUILD
    return {".git", ".cache"} if Path(folder) == ROOT else {"linux"} if Path(folder) == GUESTS else set()


def squeezed(text):
    """Lines without what aligns them: numbers in columns are not as wide everywhere."""
    return [re.sub(r"\s+", " ", line).rstrip() for line in text.splitlines()]


def wanted(text):
    """What matches the expected output: "..." in a line is any text, "..." alone any lines."""
    lines = [".*".join(map(re.escape, line.split("..."))) for line in squeezed(text)]
    return re.compile("".join("(?:[^\n]*\n)*" if line == ".*" else line + "\n" for line in lines))


def run(command, folder):
    """What the command says; it must end well."""
    done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", command], cwd=folder, stdin=subprocess.DEVNULL,
                          timeout=LIMIT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
                          env=dict(os.environ, PYTHONPATH=str(folder)))
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return "".join(line + "\n" for line in squeezed(done.stdout))


def apply(change, folder):
    """As a reader would, by patch: the hunks say what stands around them, not where."""
    done = subprocess.run(["patch", "-p1", "--force", "--no-backup-if-mismatch"], cwd=folder, input=change, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout


def do_exercise(document, folder):
    """All its blocks, in order."""
    said = ""
    for kind, text in BLOCK.findall(document.read_text()):
        if kind == "sh":
            said = run(text, folder)
        elif kind == "diff":
            apply(text, folder)
        else:
            assert wanted(text).fullmatch(said), f"{document.name} expects\n{text}\nand what came is\n{said}"


def cases():
    """One a document; those in Bochs are the slow ones."""
    for document in EXERCISES:
        slow = "bochs" in "".join(text for kind, text in BLOCK.findall(document.read_text()) if kind == "sh")
        yield pytest.param(document, id=document.stem, marks=[pytest.mark.full] if slow else [])


@pytest.mark.parametrize("document", cases())
def test_exercise(document, tmp_path, boots):
    folder = tmp_path / "tree"
    shutil.copytree(ROOT, folder, ignore=not_copied, symlinks=True)
    slot = boots.slot()
    try:
        do_exercise(document, folder)
    finally:
        os.close(slot)
        shutil.rmtree(folder)


def test_there_are_ten_and_the_index_has_them():
    index = (LAB / "README.md").read_text()
    assert len(EXERCISES) == 10
    for document in EXERCISES:
        assert f"({document.name})" in index
        assert [kind for kind, _ in BLOCK.findall(document.read_text())].count("text") >= 1
