"""The source that has the C2PA manifest of a content read by a worker process.

The native reader never runs in this process, and a reading that failed is a gap.
"""

from __future__ import annotations

import atexit
import json
import os
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from consentcrawl.core import Asset, Evidence, Gate, Need, Policy
from consentcrawl.formats import c2pa
from consentcrawl.workers.pool import Answer, Workers

_EXTRA = "install consentcrawl-middleware[c2pa] to have C2PA manifests read"
_PROGRAM = Path(__file__).parents[1] / "workers" / "manifest.py"


class Manifests:
    """The manifests of one content, ``body``: its own, or one that lies elsewhere."""

    shared = False

    def __init__(self, body: Evidence, policy: Policy) -> None:
        """Read in ``body``; ``policy`` says whether manifests elsewhere may be looked up."""
        self._body, self._policy = body, policy

    def meets(self, need: Need) -> bool:
        """Return whether ``need`` is one of those that ``formats.c2pa`` names."""
        return need.gate is Gate.BODY and need.url.startswith(c2pa.PREFIX)

    def known(self, need: Need, asset: Asset) -> Evidence | None:  # noqa: ARG002 (same for all)
        """Return what is answered without a reading."""
        return None

    def obtain(self, need: Need, asset: Asset) -> Future[Evidence]:  # noqa: ARG002 (the content is that of the asset)
        """Return the manifest, to come, read in one of a few threads of their own."""
        return _threads(os.getpid()).submit(self.answer, need)

    def answer(self, need: Need) -> Evidence:
        """Return the manifest. Blocks.

        The content of the evidence is the JSON that ``formats.c2pa`` reads. A gap is ``unsupported`` (the extra
        ``c2pa`` is not installed), ``timeout`` or ``reader_failed``.
        """
        if need.url == c2pa.ELSEWHERE:
            found = Answer(json.dumps({"remote_manifests": self._policy.remote_manifests}).encode())
        else:
            found = workers().ask(self._body.content, need.content) if installed() else Answer(gap="unsupported")
        return _evidence(need, self._body, found)

    def close(self) -> None:
        """Do nothing: the workers serve all contents of this process."""


@cache
def installed() -> bool:
    """Return whether c2pa-python is there, without loading it."""
    return find_spec("c2pa") is not None


def workers() -> Workers:
    """Return the workers of this process; a fork has its own."""
    return _workers(os.getpid())


@cache
def _workers(_process: int) -> Workers:
    made = Workers(_PROGRAM)
    atexit.register(made.shut)
    return made


@cache
def _threads(_process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="consentcrawl-manifest")


def _evidence(need: Need, body: Evidence, found: Answer) -> Evidence:
    return Evidence(
        need, body.url, status=None if found.gap else body.status, fields=body.fields, content=found.content,
        at=body.at, gap=found.gap, whole=body.whole, note=_EXTRA if found.gap == "unsupported" else "",
    )  # fmt: skip
