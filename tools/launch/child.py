"""One child process that never outlives us: killed by its own id, and by the kernel should we be killed ourselves."""
import os
import pty
import subprocess


class Child:
    """An emulator in a session of its own, on a pseudo-terminal (Bochs wants one). `output` must be read by the owner.

    The kernel kills the child when the *thread* that started it ends, so start it from a thread that lives as long.
    """

    def __init__(self, command, cwd, environment=None):
        self.output, slave = pty.openpty()
        try:
            self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--"] + command, cwd=cwd,
                                             stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                             env=dict(os.environ, **(environment or {})))
        except OSError:
            os.close(self.output)
            raise
        finally:
            os.close(slave)
        self.pid = self._process.pid
        self.ended = os.pidfd_open(self.pid)  # readable when the child has ended

    def kill(self):
        """End it if it still runs, and collect its exit status."""
        if self._process.poll() is None:
            self._process.kill()
        status = self._process.wait()
        for fd in (self.output, self.ended):
            if fd >= 0:
                os.close(fd)
        self.output = self.ended = -1
        return status
