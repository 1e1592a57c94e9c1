"""Fixtures for tests that boot machines, and the options that choose how many."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.lib.boots import Boot, Boots  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="the long matrices too")


def pytest_configure(config):
    config.addinivalue_line("markers", "full: only with --full")


def pytest_collection_modifyitems(config, items):
    """Leave the long matrices out unless asked for, and put tests of one boot together."""
    if not config.getoption("--full"):
        for item in items:
            if item.get_closest_marker("full"):
                item.add_marker(pytest.mark.skip(reason="only with --full"))
    order = {}
    for item in items:
        order.setdefault(_boot_of(item), len(order))
    items.sort(key=lambda item: order[_boot_of(item)])  # stable: within a boot, the order of the files
    config.planned_boots = [boot for boot in dict.fromkeys(
        _boot_of(item) for item in items if not item.get_closest_marker("skip")) if boot]


def _boot_of(item):
    """The Boot that a test's `machine` is; None where it has none, or calls something else so."""
    machine = getattr(item, "callspec", None) and item.callspec.params.get("machine")
    return machine if isinstance(machine, Boot) else None


def pytest_make_parametrize_id(config, val, argname):
    """Name a test's machine in its id."""
    return val.name() if isinstance(val, Boot) else None


@pytest.fixture(scope="session")
def boots(request):
    """All machines of the session."""
    session = Boots()
    session.plan = request.config.planned_boots
    yield session
    session.close()


@pytest.fixture
def machine(request, boots):
    """The machine of @pytest.mark.parametrize("machine", [Boot(...), ...], indirect=True), shared with other tests."""
    made = boots.get(request.param)
    request.node.machine = made
    boots.prefetch(request.param)
    return made


@pytest.fixture
def boot(request, boots):
    """A function that boots a Boot, for tests that must decide themselves."""
    def start(description):
        request.node.machine = boots.get(description)
        return request.node.machine
    return start


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Attach what the machine said to a test that failed."""
    outcome = yield
    report = outcome.get_result()
    failed = getattr(item, "machine", None)
    if report.when == "call" and report.failed and failed:
        report.sections.append((f"serial port ({failed.log_path})", failed.tail(80)))
        if failed.ending:
            report.sections.append(("ending", f"{failed.ending.status}: {failed.ending.reason}"))
        if failed.emulator_log:
            report.sections.append(("emulator's log", "\n".join(failed.emulator_log.splitlines()[-40:])))
