"""What these bytes and these fields say by themselves, without asking anybody.

What was not looked up is no gap here; what is there is read whole, and all of it is weighed together.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from consentcrawl import config, discovery
from consentcrawl.core import Asset, Evidence, Fields, Gate, Inquiry, Need, Policy, Verdict, plan
from consentcrawl.formats.url import canonical
from consentcrawl.sources import manifests

_UNNAMED = "https://unnamed.invalid/"


def inspect(  # noqa: PLR0913 (keywords, each optional)
    body: bytes,
    *,
    url: str = "",
    fields: Iterable[tuple[str, str]] = (),
    purpose: str = "train-ai",
    token: str = config.TOKEN,
    policy: Policy | None = None,
) -> Verdict:
    """Judge the content and header fields of one asset alone.

    ``url`` may be empty; ``fields`` are (name, value) pairs, repeats kept. Raises BadUrl and BadPurpose.
    """
    rules = policy or Policy()
    asset = Asset(canonical(url) if url else _UNNAMED)
    meant = config.purpose(purpose, token)
    signals = discovery.general(discovery.active(rules))
    _, head, content = plan(asset, meant, signals)
    # One gate for both: within TDMRep the more local statement supersedes only while all of it is weighed together.
    inquiry = Inquiry(asset, meant, rules, ({}, {}, {**head, **content}), settle=False)
    said = Fields(fields)
    while needs := [need for need in inquiry.needs() if need.gate is not Gate.LOOKUP]:
        for need in needs:
            told = _evidence(need, asset, said, body)
            inquiry.tell(manifests.answer(need, told, rules) if manifests.meets(need) else told)
    inquiry.forgo()
    return inquiry.verdict(decided_at=time.time(), version=config.VERSION)


def _evidence(need: Need, asset: Asset, fields: Fields, body: bytes) -> Evidence:
    content = body if need.gate is Gate.BODY else b""
    return Evidence(need, asset.url, status=200, fields=fields, content=content)
