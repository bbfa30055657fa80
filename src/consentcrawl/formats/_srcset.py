"""The addresses of an image: its src, and each one that its srcset offers.

Every address is kept as it stood, but for those that hold the image themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ADDRESS = re.compile(r"[\s,]*+(\S++)")
_DESCRIPTORS = re.compile(r"(?:[^,(]++|\([^)]*+\)?)*+")  # a comma in parentheses ends nothing


def addresses(src: str, srcset: str) -> list[str]:
    """``src`` and the addresses of ``srcset``, without the empty ones and ``data:`` URLs, which nobody asks for."""
    return [address for address in (src, *_candidates(srcset)) if address and address[:5].lower() != "data:"]


def _candidates(srcset: str) -> Iterator[str]:
    """The addresses of a srcset (HTML §4.8.4.3.10, "parse a srcset attribute")."""
    position = 0
    while (match := _ADDRESS.match(srcset, position)) is not None:
        address, position = match[1], match.end()
        yield address.rstrip(",")
        if not address.endswith(",") and (descriptors := _DESCRIPTORS.match(srcset, position)):
            position = descriptors.end()
