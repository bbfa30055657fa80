"""The attributes of the tags of a page that carry a certain one, for pages that keep their data in attributes.

A tag is read from its ``<`` to its ``>`` once, with quotes heeded (WHATWG HTML §13.2.5.32 to 38); never more than
``TAGS`` of them.
"""

from __future__ import annotations

import re
from html import unescape

TAGS = 256
"""The most tags that are read."""
ATTRIBUTES = 128
"""The most attributes of one tag that are read."""

_NAME = re.compile(r"<[A-Za-z][^\s/>]{0,64}")
_ATTRIBUTE = re.compile(
    r"""[\s/]*+([^\s/>=]{1,128})\s*+(?:=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>]*+)))?""",
)


def carrying(text: str, attribute: str) -> tuple[list[dict[str, str]], bool]:
    """Return the attributes of each tag with ``attribute`` (lower case here), and whether more such tags follow unread.

    Names are in lower case, values unescaped; of an attribute that is repeated the first counts.
    """
    found: list[dict[str, str]] = []
    position, named = 0, re.compile(re.escape(attribute), re.IGNORECASE | re.ASCII)
    for _ in range(TAGS):
        match = named.search(text, position)
        if match is None:
            return found, False
        position = match.start()
        start = text.rfind("<", 0, position)
        tag, end = _tag(text, start) if start >= 0 else ({}, position)
        if attribute in tag:
            found.append(tag)
        position = max(end, position + len(attribute))
    return found, named.search(text, position) is not None


def _tag(text: str, start: int) -> tuple[dict[str, str], int]:
    read: dict[str, str] = {}
    name = _NAME.match(text, start)
    position = name.end() if name else start
    for _ in range(ATTRIBUTES if name else 0):
        match = _ATTRIBUTE.match(text, position)
        if match is None:
            break
        position = match.end()
        read.setdefault(match[1].lower(), unescape(next((g for g in match.groups()[1:] if g is not None), "")))
    return read, position
