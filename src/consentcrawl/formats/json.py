"""JSON by RFC 8259, bounded and total: a value and why it could not be had whole.

Whatever the bytes, ``parse`` answers; a value that two parsers read differently is malformed.
"""

from __future__ import annotations

import json
import re
from typing import Any

LIMIT = 4 * 1024 * 1024
"""The most bytes that are read."""
DEPTH = 200
"""The deepest nesting that is read; platforms' answers stay below 30."""

# A string that never closes runs to the end, so that every token is met once.
_TOKEN = re.compile(r'[\[{]|[\]}]|"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{0*([0-9A-Fa-f]{1,6})\}|(\r\n|.))", re.DOTALL)
_ARGUMENT = {quote: re.compile(rf"(?:[^{quote}\\]++|\\.)*+(?={quote})", re.DOTALL) for quote in "\"'`"}
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_CONTINUED = ("\n", "\r\n", "\r", "\u2028", "\u2029")
_LAST_CHARACTER = 0x10FFFF


def parse(content: bytes | str) -> tuple[Any, str]:
    """Read a JSON document: the value, and a reason code where it is None or not to be trusted.

    ``json_limit``: larger than 4 MiB or deeper than 200. ``encoding``: not in UTF-8, UTF-16 or UTF-32.
    ``malformed``: no JSON; or a name twice in one object with two values (RFC 8259 §4: unpredictable), and then the
    last one stands in the value, as with most parsers.
    """
    if len(content) > LIMIT:
        return None, "json_limit"
    try:
        text = content if isinstance(content, str) else content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        return None, "encoding"
    text = text.removeprefix("\ufeff")
    if _too_deep(text):
        return None, "json_limit"
    return _load(text)


def scripted(text: str, variable: str) -> tuple[Any, str]:
    """Read the document in ``variable = JSON.parse("…")`` of a script (ECMA-262 §12.9.4).

    None without a reason means that the script does not fill that variable.
    """
    start = re.search(re.escape(variable) + r"[\"'\]]*\s*=\s*JSON\.parse\(\s*([\"'`])", text)
    if start is None:
        return None, ""
    argument = _ARGUMENT[start[1]].match(text, start.end())
    return (None, "malformed") if argument is None else parse(_ESCAPE.sub(_unescaped, argument[0]))


def at(value: Any, *path: str | int) -> Any:  # noqa: ANN401 (any JSON value)
    """The value at the end of a path of names and positions, or None where the path leads nowhere."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def text(value: Any, *path: str | int) -> str:  # noqa: ANN401
    """The string or whole number at the end of a path, as text that has a UTF-8 form; else an empty string."""
    found = at(value, *path)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return _SURROGATE.sub("\ufffd", found) if isinstance(found, str) else ""


def items(value: Any, *path: str | int) -> list[Any]:  # noqa: ANN401
    """The list at the end of a path, or an empty one."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def _too_deep(text: str) -> bool:
    depth = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        depth += (first in "[{") - (first in "]}")
        if depth > DEPTH:
            return True
    return False


def _load(text: str) -> tuple[Any, str]:
    twice: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs) and any(made[name] != value for name, value in pairs):
            twice.append("malformed")
        return made

    try:
        value = json.loads(text, object_pairs_hook=collect, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None, "malformed"
    return value, "malformed" if twice else ""


def _no_number(_: str) -> None:
    """NaN and Infinity are no JSON (RFC 8259 §6); what they stand for is not known."""


def _unescaped(match: re.Match[str]) -> str:
    octet, unit, point, single = match.groups()
    if single is not None:
        return "" if single in _CONTINUED else _SIMPLE.get(single, single)
    code = int(octet or unit or point, 16)
    return chr(code) if code <= _LAST_CHARACTER else "\ufffd"
