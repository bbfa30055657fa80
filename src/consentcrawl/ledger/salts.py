"""Salts for commitments, taken from the system many at a time: asking it for each costs more than the rest.

No salt is used twice, also not by a process that was forked off.
"""

from __future__ import annotations

import os
from collections import deque

from consentcrawl.ledger.entry import SALT_BYTES

_AT_ONCE = 256
_left: deque[bytes] = deque()


def salt() -> bytes:
    """A fresh salt. Safe for threads."""
    try:
        return _left.popleft()
    except IndexError:
        more = os.urandom(SALT_BYTES * _AT_ONCE)
        first, *others = (more[at : at + SALT_BYTES] for at in range(0, len(more), SALT_BYTES))
        _left.extend(others)
        return first


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_left.clear)
