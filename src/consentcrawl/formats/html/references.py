"""Character references of HTML text and attribute values, resolved as the HTML standard §13.2.5.72 to 80 has them.

Never raises, and reads each character a bounded number of times.
"""

from __future__ import annotations

import re
from html.entities import html5

_REFERENCE = re.compile(r"&(?:#[xX]([0-9a-fA-F]++);?|#([0-9]++);?|([A-Za-z][A-Za-z0-9]{1,31}+;?))")
_DIGITS = 7  # enough for the last code point, 1114111; more digits are out of range whatever they are
_LAST = 0x10FFFF
_SHORTEST = 2  # letters of "lt", the shortest name there is
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_C1 = {code: bytes([code]).decode("windows-1252") for code in range(0x80, 0xA0) if code not in b"\x81\x8d\x8f\x90\x9d"}


def resolve(value: str, *, attribute: bool) -> str:
    """Return ``value`` with every character reference replaced.

    In an attribute a name without semicolon stays text when a letter, a digit or ``=`` follows it (§13.2.5.73), so
    that the query of an address is left alone.
    """
    if "&" not in value:
        return value
    return _REFERENCE.sub(_in_attribute if attribute else _in_text, value)


def _in_attribute(match: re.Match[str]) -> str:
    return _named(match, attribute=True) if match[3] else _numbered(match)


def _in_text(match: re.Match[str]) -> str:
    return _named(match, attribute=False) if match[3] else _numbered(match)


def _numbered(match: re.Match[str]) -> str:
    """Return the character of a numeric reference (§13.2.5.80): out of range, NUL and surrogates give U+FFFD."""
    base = 16 if match[1] else 10
    digits = (match[1] or match[2]).lstrip("0")
    code = int(digits or "0", base) if len(digits) <= _DIGITS else 0
    if code == 0 or code > _LAST or 0xD800 <= code < 0xE000:  # noqa: PLR2004 (the surrogates' range)
        return _REPLACEMENT
    return _C1.get(code) or chr(code)


def _named(match: re.Match[str], *, attribute: bool) -> str:
    """Return the longest name that the letters begin with, replaced, and what follows it (§13.2.5.73)."""
    name = match[3]
    for length in range(len(name), _SHORTEST - 1, -1):
        character = html5.get(name[:length])
        if character is not None:
            rest = name[length:]
            follows = rest or match.string[match.end(3) : match.end(3) + 1]
            kept = attribute and name[length - 1] != ";" and (follows[:1] == "=" or _alphanumeric(follows[:1]))
            return match[0] if kept else character + rest
    return f"&{name}"


def _alphanumeric(character: str) -> bool:
    return character.isascii() and character.isalnum()
