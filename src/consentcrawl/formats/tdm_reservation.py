"""The value of TDMRep's ``tdm-reservation``: 1 is reserved, 0 is not, and anything else may at most reserve.

W3C TDMRep (CG final report of 2024-05-10) §"TDM properties": another value is a protocol error and reads as unset.
"""

from __future__ import annotations

import re

LENIENT = "lenient: not the value that TDMRep defines"

_RESERVED = frozenset({"1", "true", "yes", "1.0"})
_between = re.compile(r"[\s,;\"'?]+")


def of_text(text: str) -> tuple[bool | None, str]:
    """Read a field's or a meta's value: reserved or not, or None for unset; and a note where it was read leniently."""
    value = text.strip()
    if value in ("0", "1"):
        return value == "1", ""
    return (True, LENIENT) if _RESERVED.intersection(_between.split(value.lower())) else (None, "")


def of_json(value: object) -> tuple[bool | None, str]:
    """Read a value of tdmrep.json: an integer by its definition, so ``"1"`` and ``true`` are read leniently."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (value == 1, "") if value in (0, 1) else (None, "")
    return (True, LENIENT) if str(value).strip().lower() in _RESERVED else (None, "")
