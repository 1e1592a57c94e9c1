"""Bytes from a serial port, as text: terminal escape sequences of the firmware taken out, CR LF made LF."""
import re

ESCAPE = re.compile(rb"\x1b(?:\[[0-9;=?]*[ -/]*[@-~]|[()][0-9A-Za-z]|[=>78cM])")
UNFINISHED = re.compile(rb"\x1b(?:\[[0-9;=?]*[ -/]*|[()])?\Z")


class SerialText:
    """Collects what a machine says; `text` only ever grows."""

    def __init__(self):
        self.raw = bytearray()
        self.text = ""
        self._held = b""

    def feed(self, data):
        """Take the next bytes."""
        self.raw += data
        data = self._held + data
        # An escape sequence, a character or a line end may be cut in two by the transport.
        cut = UNFINISHED.search(data)
        end = cut.start() if cut else len(data)
        if end and data[end - 1:end] == b"\r":
            end -= 1
        while end and len(data) - end < 4 and not _whole(data[:end]):
            end -= 1
        self._held, data = data[end:], data[:end]
        self.text += ESCAPE.sub(b"", data).replace(b"\r\n", b"\n").replace(b"\r", b"\n").decode(errors="replace")

    def finish(self):
        """No more will come."""
        self.text += self._held.replace(b"\r", b"\n").decode(errors="replace")
        self._held = b""


def _whole(data):
    """Whether the bytes do not end amid a UTF-8 character."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            return True
        if byte >= 0xC0:
            return back >= (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4)
    return True
