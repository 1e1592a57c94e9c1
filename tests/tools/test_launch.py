"""The launcher's smaller parts: keys, serial text, what the user sees, platforms, Bochs's configuration and log."""
import os

import pytest

from tools.launch.bochs import MODELS, Bochs, full_model
from tools.launch.console import KeyFilter, Screen
from tools.launch.serial_text import SerialText
from tools.launch.spec import MachineSpec, UsageError, host_nested_engine

SAID = "\x1b[2J\x1b[01;01H\x1b[=3hBdsDxe: häh €\r\n[01] x\r\ny\rz\x1b(B\n".encode()


def test_serial_text_is_the_same_however_it_is_cut():
    for first in range(len(SAID) + 1):
        for second in range(first, len(SAID) + 1):
            serial = SerialText()
            for piece in (SAID[:first], SAID[first:second], SAID[second:]):
                serial.feed(piece)
            serial.finish()
            assert serial.text == "BdsDxe: häh €\n[01] x\ny\nz\n", (first, second)
            assert serial.raw == SAID


def test_keys():
    keys = KeyFilter()
    assert keys.feed(b"ab\x03\r") == (b"ab\x03\r", False, False)
    assert keys.feed(b"a\x01") == (b"a", False, False)
    assert keys.feed(b"xz") == (b"", True, False)
    keys = KeyFilter()
    assert keys.feed(b"\x01\x01x\x01a\x01h") == (b"\x01x\x01", False, True)
    assert keys.feed(b"\x01q") == (b"", False, False)


@pytest.fixture
def screen():
    """A Screen and a function that returns what it has put out since."""
    source, sink = os.pipe()
    os.set_blocking(source, False)

    def out():
        try:
            return os.read(source, 65536)
        except BlockingIOError:
            return b""
    yield Screen(sink, True), out
    os.close(source)
    os.close(sink)


def test_firmware_is_hidden_until_we_speak(screen):
    shown, out = screen
    shown.write(b"\x1b[2JBdsDxe: noise\r\n")
    assert out() == b""
    shown.tick()
    assert b"firmware starts" in out()
    shown.write(b"Triv")
    assert out() == b""
    shown.write(b"isor loader\r\n")
    assert out() == b"\r\x1b[KTrivisor loader\r\n"
    shown.write(b"more")
    shown.tick()
    assert out() == b"more"


def test_firmware_is_shown_when_nothing_else_comes(screen):
    shown, out = screen
    shown.write(b"BdsDxe: failed\r\n")
    shown.show()
    assert out() == b"BdsDxe: failed\r\n"


@pytest.mark.parametrize("flags, nested, expected", [
    ("fpu vmx ept", "Y\n", "VT-x"), ("fpu vmx ept", "1\n", "VT-x"), ("fpu vmx ept", None, "VT-x"),
    ("fpu svm npt", "1\n", "AMD-V"), ("fpu svm npt", None, "AMD-V"),
    ("fpu vmx ept", "N\n", ""), ("fpu svm npt", "0\n", ""), ("fpu vmxx svmx", "Y\n", ""),
])
def test_nested_engine(tmp_path, flags, nested, expected):
    (tmp_path / "kvm").touch()
    (tmp_path / "cpuinfo").write_text(f"model name : vmx\nflags\t\t: {flags}\n")
    if nested:
        (tmp_path / "nested").write_text(nested)
    kvm, cpuinfo, switch = (str(tmp_path / name) for name in ("kvm", "cpuinfo", "nested"))
    modules = (("vmx", switch, "VT-x"), ("svm", switch, "AMD-V"))
    assert host_nested_engine(kvm, cpuinfo, modules) == expected
    assert host_nested_engine("/nonexistent", cpuinfo, modules) == ""


def test_bochs_models():
    assert full_model("skylake_x") == "corei7_skylake_x"
    assert all(full_model(name) == full for full in MODELS.values() for name in (full,))
    with pytest.raises(UsageError, match="there are penryn"):
        full_model("z80")


def test_bochs_configuration(tmp_path):
    text = Bochs(MachineSpec("bochs", tmp_path / "i", cores=4, memory=6144, cpu="arrandale"),
                 tmp_path).config_text(4711)
    assert "cpu: model=corei5_arrandale_m520, count=4," in text
    assert "memory: guest=6144, host=2048" in text and "megs" not in text
    assert "dev=127.0.0.1:4711" in text
    assert "megs: 512\n" in Bochs(MachineSpec("bochs", tmp_path / "i", memory=512), tmp_path).config_text(1)


@pytest.mark.parametrize("log, expected", [
    ("1p[UNMAP ] >>PANIC<< Shutdown port: shutdown requested\n", ""),
    ("1p[ACPI  ] >>PANIC<< ACPI control: soft power off\n", ""),
    ("1p[CPU0  ] >>PANIC<< exception(): 3rd (13) exception with no resolution\n", "triple-faulted"),
    ("1p[HD    ] >>PANIC<< ata0-0: could not open\n", "could not open"),
    ("", ""),
])
def test_bochs_log(tmp_path, log, expected):
    bochs = Bochs(MachineSpec("bochs", tmp_path / "i"), tmp_path)
    bochs.log.write_text("0e[CPU0  ] noise\n" + log)
    why = bochs.why_ended("")
    assert expected in why and bool(why) == bool(expected)
    bochs.log.write_text("1e[CPU0  ] RDMSR: Unknown register 0x17\n2e[CPU0  ] VMENTER FAIL: x\n" * 3)
    assert bochs.log_tail(2) == "2e[CPU0  ] VMENTER FAIL: x\n" * 2
