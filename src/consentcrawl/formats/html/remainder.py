"""What stands behind the limit of a long page: whether any tag of it could matter.

It is searched, not read: what cannot be excluded at a glance could matter.
"""

from __future__ import annotations

import re

LIMIT = 8 * 1024 * 1024
"""The most bytes of a page of which something is known."""

_TAG = re.compile(rb"<(?:[\w.-]{1,32}:)?(?:meta|link)[\s/>]", re.IGNORECASE)
_TAGS = 20_000
_TAG_LIMIT = 1_000  # bytes
# A meta of RDFa or microdata has a property, and no name.
_NAMED = re.compile(rb"""["'\s/](?:name|http-equiv)\s*=""")
_WORDS = (b"robots", b"noai", b"noimage", b"noml", b"disallow", b"tdm", b"content-", b"license", b"rsl", b"&#")
_ANYWHERE = (b"rsl+xml",)


def could_matter(page: bytes, start: int) -> bool:
    """Return whether something behind ``start``, or the tag that is open there, could hold a statement."""
    if len(page) >= LIMIT:
        return True
    start = max(0, page.rfind(b"<", 0, start))
    if any(word in page[start:].lower() for word in _ANYWHERE):
        return True
    for count, found in enumerate(_TAG.finditer(page, start)):
        end = page.find(b">", found.start(), found.start() + _TAG_LIMIT)
        tag = page[found.start() : end].lower()
        if count >= _TAGS or end < 0 or _NAMED.search(tag) or any(word in tag for word in _WORDS):
            return True
    return False
