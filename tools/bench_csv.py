"""What the benchmarks' CSV files have in common: a row for each operation, and comments that say what a result depends
on."""
import csv
import subprocess


def read_csv(path):
    """Rows by their operation; lines that begin with # are comments."""
    with open(path, encoding="utf-8") as file:
        return {row["operation"]: row for row in csv.DictReader(line for line in file if not line.startswith("#"))}


def bochs_version():
    """The emulator, for a comment."""
    return subprocess.run(["dpkg-query", "-W", "-f", "bochs ${Version}", "bochs"], capture_output=True, text=True,
                          check=False).stdout
