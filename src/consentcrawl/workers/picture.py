"""The program that computes perceptual hashes in a process of its own: a picture in, two hashes out.

Once it reads it is limited in memory and time, and it dies rather than guess.

dHash: grey, 9 by 8 pixels (Lanczos); a bit says that a pixel is lighter than the one to its left. pHash: grey, 32 by
32 pixels, DCT-II; a bit says that one of the 8 by 8 lowest frequencies is above their median. Rows from the top, the
first bit is the highest.
"""

from __future__ import annotations

import io
from math import cos, pi
from statistics import median

from PIL import Image

from consentcrawl.workers.loop import serve

_SIDE, _LOW = 32, 8
_WAVES = [[cos(pi * k * (2 * n + 1) / (2 * _SIDE)) for n in range(_SIDE)] for k in range(_LOW)]


def read(content: bytes) -> str:
    """Return both hashes in hex, or nothing for what cannot be read as a picture."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            grey = picture.convert("L")
    except Exception:  # noqa: BLE001 (Pillow raises whatever its decoders raise)
        return ""
    return _dhash(grey) + _phash(grey)


def _dhash(grey: Image.Image) -> str:
    row = _LOW + 1
    small = _shrunk(grey, row, _LOW)
    return _hex([small[y * row + x + 1] > small[y * row + x] for y in range(_LOW) for x in range(_LOW)])


def _phash(grey: Image.Image) -> str:
    small = _shrunk(grey, _SIDE, _SIDE)
    rows = [_low(small[y * _SIDE : (y + 1) * _SIDE]) for y in range(_SIDE)]
    columns = [_low([row[x] for row in rows]) for x in range(_LOW)]
    low = [columns[x][y] for y in range(_LOW) for x in range(_LOW)]
    middle = median(low)
    return _hex([each > middle for each in low])


def _shrunk(grey: Image.Image, width: int, height: int) -> list[float]:
    return [float(value) for value in grey.resize((width, height), Image.Resampling.LANCZOS).tobytes()]


def _low(values: list[float]) -> list[float]:
    """Return the lowest frequencies of 32 values."""
    return [sum(value * wave for value, wave in zip(values, waves, strict=True)) for waves in _WAVES]


def _hex(bits: list[bool]) -> str:
    return f"{int(''.join('01'[bit] for bit in bits), 2):016x}"


def answer(content: bytes) -> bytes:
    """Return the answer about one picture."""
    return read(content).encode()


if __name__ == "__main__":
    Image.preinit()
    Image.init()  # loads what is loaded late
    serve(answer, 1)
