"""Meets the needs for the C2PA manifest of a content: read by a worker process, and evidence like any other.

The native reader never runs in this process, and a reading that failed is a gap.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from consentcrawl.core import Evidence, Gate, Need, Policy
from consentcrawl.formats import c2pa
from consentcrawl.workers.pool import Answer, Workers

_EXTRA = "install consentcrawl-middleware[c2pa] to have C2PA manifests read"
_PROGRAM = Path(__file__).parents[1] / "workers" / "manifest.py"


def meets(need: Need) -> bool:
    """Return whether a need is one of those that are answered here."""
    return need.gate is Gate.BODY and need.url.startswith(c2pa.PREFIX)


def answer(need: Need, body: Evidence, policy: Policy) -> Evidence:
    """Answer one of the needs that ``formats.c2pa`` names, about the content in ``body``. Blocks.

    The content of the answer is the JSON that ``formats.c2pa`` reads. A gap is ``unsupported`` (the extra ``c2pa`` is
    not installed), ``timeout`` or ``reader_failed``.
    """
    if need.url == c2pa.ELSEWHERE:
        return _evidence(need, body, Answer(json.dumps({"remote_manifests": policy.remote_manifests}).encode()))
    return _evidence(need, body, _read(body.content, need.content))


async def answer_async(need: Need, body: Evidence, policy: Policy) -> Evidence:
    """Answer as ``answer`` does, in one of a few threads of its own: those of the loop also resolve names."""
    return await asyncio.get_running_loop().run_in_executor(_threads(os.getpid()), answer, need, body, policy)


def _read(content: bytes, manifest: bytes) -> Answer:
    return workers().ask(content, manifest) if installed() else Answer(gap="unsupported")


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
