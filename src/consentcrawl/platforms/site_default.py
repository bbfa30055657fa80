"""What holds on a platform where its maker chose nothing, as a dated record with its source.

A default is noted with the day it was recorded on; it is no statement of a maker, and decides nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consentcrawl.core import Category, Statement, remark


def beside(module: str) -> Statement:
    """Return the default in the data file beside a module, that is its ``__file__``, as a remark."""
    return of(data(module))


def of(given: Mapping[str, Any]) -> Statement:
    """Return the table ``default`` (``value``, ``says``, ``source``, ``since``, ``read``) of the data, as a remark."""
    default = given["default"]
    since = f" since {default['since']}" if "since" in default else ""
    note = f"site default: {default['value']}{since}, as recorded on {default['read']}"
    return remark(Category.TRAIN, default["says"], default["source"], note)


def data(module: str) -> dict[str, Any]:
    """Return the data file beside a module: the ``.toml`` of the same name."""
    return tomllib.loads(Path(module).with_suffix(".toml").read_text("utf-8"))


def paces(module: str) -> tuple[tuple[str, float], ...]:
    """Return the tables ``pace`` of the data file beside a module: each a host with seconds between two requests."""
    return tuple((pace["host"], float(pace["seconds"])) for pace in data(module)["pace"])


def hosts(module: str) -> tuple[str, ...]:
    """Return the host names in the data file beside a module, for software that many run."""
    return tuple(data(module)["hosts"])
