"""What holds on a platform where its maker chose nothing, as a dated record with its source.

Law: a default is told with the day it was recorded on; it is no maker's word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def words(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Give quote, place and note of the table ``default``: ``value``, ``says``, ``source``, ``since`` and ``read``."""
    default = data["default"]
    since = f" since {default['since']}" if "since" in default else ""
    return (
        default["says"],
        default["source"],
        f"site default: {default['value']}{since}, as recorded on {default['read']}",
    )
