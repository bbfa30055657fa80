"""What holds on a platform where its maker chose nothing, as a dated record with its source.

A default is told with the day it was recorded on; it is no maker's word.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def beside(module: str) -> tuple[str, str, str]:
    """Return quote, place and note of the default in the data file beside a module, that is its ``__file__``."""
    return words(_beside(module))


def words(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return quote, place and note of the table ``default`` (``value``, ``says``, ``source``, ``since``, ``read``)."""
    default = data["default"]
    since = f" since {default['since']}" if "since" in default else ""
    return (
        default["says"],
        default["source"],
        f"site default: {default['value']}{since}, as recorded on {default['read']}",
    )


def hosts(module: str) -> tuple[str, ...]:
    """Return the host names in the data file beside a module, for software that many run."""
    return tuple(_beside(module)["hosts"])


def _beside(module: str) -> dict[str, Any]:
    return tomllib.loads(Path(module).with_suffix(".toml").read_text("utf-8"))
