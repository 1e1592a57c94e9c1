"""./trivisor itself: wrong usage, and what it does where packages are missing."""
import os
import pty
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def entry(*arguments, path=None, **variables):
    """Run ./trivisor; returns (status, output)."""
    environment = {"PATH": path or os.environ["PATH"], "HOME": "/nonexistent", **variables}
    done = subprocess.run(["/bin/bash", ROOT / "trivisor", *arguments], stdin=subprocess.DEVNULL, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("arguments, complaint", [
    ((), "usage"), (("benchmark",), "unknown command"), (("run", "--bogus"), "unknown option --bogus"),
    (("run", "--cores"), "wants a value"), (("run", "--cores", "0"), "whole number"),
    (("run", "--cores=two"), "whole number"),
    (("run", "--memory", "-5"), "whole number"), (("run", "--timeout", "1.5"), "whole number"),
    (("run", "--platform", "xen"), "one of bochs, qemu"), (("run", "--platform", ""), "one of"),
    (("run", "--config", "/nonexistent"), "no such file"), (("run", "--headless=yes"), "no value"),
    (("run", "extra"), "unexpected argument"), (("test", "units"), "wants one of"),
    (("test", "unit", "fuzz"), "unexpected"),
    (("image",), "-c CONFIG and -o FILE"), (("image", "-o", "x"), "-c CONFIG"), (("image", "-c", __file__), "-o FILE"),
])
def test_wrong_usage(arguments, complaint):
    status, output = entry(*arguments)
    assert status == 2 and complaint in output


def test_help():
    status, output = entry("--help")
    assert status == 0
    for word in ("run", "test", "image", "--platform", "--timeout", "--full"):
        assert word in output
    assert entry("run", "--help") == (0, output)


@pytest.fixture
def bare(tmp_path):
    """A PATH of a machine that has nothing, but a dpkg-query, and an apt-get that writes down what it is asked for."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("dirname", "tr", "env", "cat"):
        (tools / name).symlink_to(f"/usr/bin/{name}")

    def script(name, text):
        (tools / name).write_text(f"#!/bin/bash\n{text}\n")
        (tools / name).chmod(0o755)
    script("dpkg-query", '[[ ${!#} == gcc ]] && echo -n installed')
    script("apt-get", f'echo "$@" >>{tmp_path}/asked; [[ "$*" == *update* ]]')
    return tools, tmp_path / "asked", script


def test_list_and_stop_without_terminal(bare):
    tools, asked, _ = bare
    status, output = entry("run", path=str(tools))
    assert status == 1 and " nasm " in output and " gcc " not in output and "--yes" in output
    assert not asked.exists()


def test_list_and_stop_without_apt(bare):
    tools, _, _ = bare
    (tools / "apt-get").unlink()
    status, output = entry("run", "--yes", path=str(tools))
    assert status == 1 and "nasm" in output and "no apt-get" in output


@pytest.mark.parametrize("arguments, variables", [(("--yes",), {}), (("-y",), {}), ((), {"CI": "true"})])
def test_installs_without_asking(bare, arguments, variables):
    tools, asked, script = bare
    script("sudo", 'exec "$@"')
    status, output = entry("run", *arguments, path=str(tools), **variables)
    lines = asked.read_text().splitlines()
    assert lines[0] == "-q update" and lines[1].startswith("-q install -y --no-install-recommends ")
    assert " nasm " in lines[1] and " gcc " not in lines[1] and "libcmocka-dev" not in lines[1]
    assert status == 1 and "apt-get failed" in output


def test_no_other_ci_value_counts(bare):
    tools, asked, _ = bare
    assert entry("run", path=str(tools), CI="false")[0] == 1 and not asked.exists()


@pytest.mark.parametrize("answer, installs", [(b"n\n", False), (b"y\n", True), (b"\n", True)])
def test_asks_at_a_terminal(bare, answer, installs):
    tools, asked, script = bare
    script("sudo", 'exec "$@"')
    ours, theirs = pty.openpty()
    process = subprocess.Popen(["/bin/bash", ROOT / "trivisor", "image", "-c", __file__, "-o", "/nonexistent/x"],
                               stdin=theirs, stdout=theirs, stderr=theirs, env={"PATH": str(tools)},
                               start_new_session=True)
    os.write(ours, answer)
    assert process.wait(60) == 1
    os.close(theirs)
    os.close(ours)
    assert asked.exists() == installs


def test_options_table_serves_python_too():
    from tools.options import parser
    options = parser("run").parse_args(["--cores", "4", "-c", "x", "--headless", "--platform", "qemu"])
    assert (options.cores, options.config, options.headless, options.platform) == (4, "x", True, "qemu")
    assert parser("test").parse_args([]).part is None
