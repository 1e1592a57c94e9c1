"""Reads text off a screenshot: cells of the console font, compared bit by bit with the font itself."""
import gzip
import struct
from pathlib import Path

FONT = Path(__file__).resolve().parents[2] / "build" / "font.psf"
WIDTH = 8


def read_font(path=FONT):
    """Map the bitmap of each glyph (bytes, a row each) to its character, for 8-pixel-wide PSF 1 and 2 fonts."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:2] == b"\x36\x04":
        start, count, height = 4, 512 if data[2] & 1 else 256, data[3]
    elif data[:4] == b"\x72\xb5\x4a\x86":
        start, _flags, count, size, height, width = struct.unpack("<6I", data[8:32])
        assert width == WIDTH and size == height
    else:
        raise ValueError(f"{path} is no PSF font")
    glyphs = {}
    for code in range(count):
        bitmap = data[start + code * height:start + (code + 1) * height]
        if 32 <= code < 127:
            glyphs[bitmap] = chr(code)
    return glyphs, height


def read_ppm(path):
    """(width, height, pixels) of a binary PPM file; 3 bytes a pixel."""
    data = Path(path).read_bytes()
    kind, width, height, top = data[:64].split()[:4]
    if kind != b"P6" or top != b"255":
        raise ValueError(f"{path} is no 8-bit P6 file")
    width, height = int(width), int(height)
    return width, height, data[len(data) - width * height * 3:]


def read_text(path, font=FONT):
    """The lines on a screenshot, what is no printable character as a space, without the spaces at their ends."""
    glyphs, height = read_font(font)
    width, rows, pixels = read_ppm(path)
    lines = []
    for top in range(0, rows - height + 1, height):
        cells = []
        for left in range(0, width - WIDTH + 1, WIDTH):
            cells.append(glyphs.get(_cell(pixels, width, left, top, height), " "))
        lines.append("".join(cells).rstrip())
    return lines


def _cell(pixels, width, left, top, height):
    """One cell as a glyph bitmap: bright pixels are set."""
    bitmap = bytearray()
    for row in range(height):
        at = ((top + row) * width + left) * 3
        bits = 0
        for column in range(WIDTH):
            red, green, blue = pixels[at + column * 3:at + column * 3 + 3]
            bits = bits << 1 | (red + green + blue > 192)
        bitmap.append(bits)
    return bytes(bitmap)
