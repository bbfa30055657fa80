"""A glance at whether a page names a licence in a rel, before its many anchors are read for it.

Each mention of the word costs a bounded look back.
"""

from __future__ import annotations

import re

_REL = re.compile(rb"""[rR][eE][lL][ \t\n\f\r]*+=[ \t\n\f\r]*+["']?+[^"'>]*+\Z""")
_WORD = b"icense"
_REL_LIMIT = 200  # bytes from the attribute's name to the token


def may_name_license(page: bytes) -> bool:
    """Whether a rel of the page may be ``license``, so that its anchors are worth reading; ours: in this case only."""
    at = page.find(_WORD)
    while at >= 0:
        if _REL.search(page, max(0, at - _REL_LIMIT), at):
            return True
        at = page.find(_WORD, at + 1)
    return False
