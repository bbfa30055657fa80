"""Perceptual hashes of a content, computed by a worker process from its pixels (extra ``images``).

What looks like an image and could not be hashed is a gap, never "not listed".
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from consentcrawl.formats import image
from consentcrawl.lists.rows import PERCEPTUAL
from consentcrawl.workers.pool import Workers

_PROGRAM = Path(__file__).parents[1] / "workers" / "picture.py"
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Hashes:
    """The hashes of one picture by kind, 16 hex digits each, or the reason code why there are none."""

    by_kind: tuple[tuple[str, str], ...] = ()
    gap: str = ""


def hashes(content: bytes) -> Hashes:
    """Hash a picture: ``dhash`` and ``phash``, of 64 bits, as the ImageHash package defines them. Blocks.

    A content that is no image has no hashes and no gap. A gap is ``unsupported`` (an image that is not read, or Pillow
    is not installed), ``timeout`` or ``reader_failed``.
    """
    if not image.kind_of(content)[0]:
        return Hashes()
    if find_spec("PIL") is None:
        return Hashes(gap="unsupported")
    answer = _workers(os.getpid()).ask(content)
    text = answer.content.decode()
    if answer.gap or not text:
        return Hashes(gap=answer.gap or "unsupported")
    return Hashes(tuple(zip(PERCEPTUAL, (text[:_DIGITS], text[_DIGITS:]), strict=True)))


@cache
def _workers(_process: int) -> Workers:
    made = Workers(_PROGRAM)
    atexit.register(made.shut)
    return made
