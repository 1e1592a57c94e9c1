"""The test command's own end: the sum of all parts as the last line, and an exit status that agrees with it."""
import pytest

from tools import run_tests
from tools.run_tests import Result


@pytest.fixture
def parts(monkeypatch, tmp_path):
    """parts(name=function(full)): these instead of the real ones. Returns (exit status, lines)."""
    def run(capsys, *arguments, **functions):
        monkeypatch.setattr(run_tests, "PARTS", functions)
        monkeypatch.setattr(run_tests, "LOGS", tmp_path)
        monkeypatch.setattr(run_tests.signal, "signal", lambda *_: None)
        status = run_tests.main(list(arguments))
        return status, capsys.readouterr().out.splitlines()
    return run


def good(_full):
    yield Result("one", 3, 0)
    yield Result("two", 4, 0)


def bad(_full):
    yield Result("three", 5, 1, "what went wrong")


def broken(_full):
    yield Result("four", 6, 0)
    raise OSError("no such program")


def test_all_parts_are_added_up(capsys, parts):
    status, lines = parts(capsys, checks=good, unit=good)
    assert (status, lines[-1]) == (0, "14 passed, 0 failed")


def test_a_failure_counts_and_shows(capsys, parts):
    status, lines = parts(capsys, checks=bad, unit=good)
    assert (status, lines[-1]) == (1, "12 passed, 1 failed") and "what went wrong" in lines


def test_a_part_that_breaks_off_has_failed_and_the_next_one_runs(capsys, parts):
    status, lines = parts(capsys, checks=broken, unit=good)
    assert (status, lines[-1]) == (1, "13 passed, 1 failed")
    assert any("no such program" in line for line in lines)


def test_nothing_passed_is_no_success(capsys, parts):
    status, lines = parts(capsys, checks=lambda full: iter(()))
    assert (status, lines[-1]) == (1, "0 passed, 0 failed")


def test_one_part_alone(capsys, parts):
    status, lines = parts(capsys, "unit", checks=bad, unit=good)
    assert (status, lines[-1]) == (0, "7 passed, 0 failed")
