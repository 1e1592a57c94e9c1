"""What is typed reaches the VM that owns the terminal: all of it, in order, however late the VM reads."""
import pytest

from tests.lib.boots import Boot

CONFIG = ("[trivisor]\non-idle = poweroff\nconsole = echo\n\n"
          "[echo]\nkernel = echo.elf\nmemory = 16M\nextra = deaf=1500\n")
# Ten times what waits at a VM's serial port.
LINES = [f"line {number:3} of many" for number in range(150)] + ["quit"]


@pytest.mark.parametrize("machine", [Boot(platform="qemu", config=CONFIG)], indirect=True)
def test_a_vm_that_does_not_read_loses_nothing(machine):
    machine.expect(r"^echo\| echo ready$", 120)
    machine.send("".join(line + "\r" for line in LINES).encode())
    assert machine.expect_end(120).status == 0
    assert [line.removeprefix("echo: ") for line in machine.lines("echo") if line.startswith("echo: ")] == LINES
