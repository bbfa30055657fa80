"""What a Python with this folder on its path runs first: the ``sitecustomize`` that this one hides, then activation.

Where activation is asked for and cannot be had, the program does not start.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path


def _run_hidden() -> None:
    here = Path(__file__).resolve().parent
    spec = PathFinder.find_spec("sitecustomize", [place for place in sys.path if Path(place).resolve() != here])
    if spec is not None and spec.loader is not None:
        hidden = sys.modules["sitecustomize"] = module_from_spec(spec)
        spec.loader.exec_module(hidden)


def _activate() -> None:
    if os.environ.get("CONSENTCRAWL_ACTIVATE") != "1":
        return
    try:
        from consentcrawl.activate import install  # noqa: PLC0415 (only when wanted)
    except ImportError as error:
        sys.stderr.write(f"CONSENTCRAWL_ACTIVATE is set, but {sys.executable} has no consentcrawl: {error}\n")
        sys.stderr.flush()
        os._exit(1)
    install()


try:
    _run_hidden()
finally:
    _activate()
