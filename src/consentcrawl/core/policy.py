"""What unknowns and gaps mean, which statements count, and whether refusals stop or are only noted.

Law: a policy decides what a statement counts for; it never changes what was read.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields

from consentcrawl.core.asset import Asset, host_of
from consentcrawl.core.statement import Statement
from consentcrawl.core.vocabulary import Category


@dataclass(frozen=True, slots=True)
class Agreement:
    """A licence or contract that the taker holds: it overrides statements, and is named in the verdict.

    It covers assets whose URL begins with one of ``prefixes``, whose host is one of ``hosts`` or below it, or that
    go by one of ``keys``; for ``categories`` only.
    """

    name: str
    categories: frozenset[Category]
    prefixes: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def covers(self, asset: Asset) -> bool:
        """Return whether the asset is one that the agreement is about."""
        host = host_of(asset.url)
        return (
            any(asset.url.startswith(_whole(prefix)) for prefix in self.prefixes)
            or any(host == name or host.endswith("." + name) for name in self.hosts)
            or any(key in self.keys for key in asset.keys)
        )


def _whole(prefix: str) -> str:
    """End the name of a host: ``https://art.example`` speaks of that one and not of ``art.example.net``."""
    return prefix if "/" in prefix.partition("://")[2] else prefix + "/"


CHOICES: dict[str, tuple[str, ...]] = {
    "unknown": ("permit", "refuse"),
    "gaps": ("note", "hold"),
    "ai_agents": ("own", "class", "any"),
    "search_tags": ("ignore", "refuse"),
    "inherit": ("ai-tags", "all"),
    "ingredients": ("note", "refuse"),
    "second_reader": ("off", "on"),
    "remote_manifests": ("off", "on"),
    "mode": ("enforce", "observe"),
}
"""Every key of a policy that has a closed set of values; the first is the default unless the class says otherwise."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The taker's decisions where the standards leave room; every key is described in docs/reference/policy.md.

    ``signals_off`` names signals that are not read at all. ``name`` is the preset it came from.
    """

    name: str = "default"
    unknown: str = "permit"
    gaps: str = "note"
    ai_agents: str = "class"
    search_tags: str = "ignore"
    inherit: str = "ai-tags"
    ingredients: str = "note"
    second_reader: str = "off"
    remote_manifests: str = "off"
    mode: str = "enforce"
    signals_off: frozenset[str] = field(default_factory=frozenset)

    def counts(self, under: tuple[str, ...]) -> bool:
        """Return whether something said ``under`` a key and values counts in this policy."""
        return not under or getattr(self, under[0]) in under[1:]

    def superseded(self, said: list[Statement]) -> set[int]:
        """Return the positions of statements that a more local one of the same family supersedes (TDMRep §5.5)."""
        highest: dict[str, int] = {}
        for statement in said:
            if statement.family and self.counts(statement.under):
                highest[statement.family] = max(statement.rank, highest.get(statement.family, 0))
        return {n for n, s in enumerate(said) if s.family and s.rank < highest.get(s.family, 0)}

    @property
    def digest(self) -> str:
        """SHA-256 of the policy as canonical JSON, in hex: what the ledger names it by."""
        plain = asdict(self) | {"signals_off": sorted(self.signals_off)}
        return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


PRESETS: dict[str, Policy] = {
    "default": Policy(),
    "strict": Policy("strict", gaps="hold", inherit="all", search_tags="refuse", ai_agents="any", second_reader="on"),
    "opt-in": Policy("opt-in", unknown="refuse"),
    "img2dataset": Policy("img2dataset", ai_agents="own", search_tags="refuse"),
}

KEYS: tuple[str, ...] = tuple(f.name for f in fields(Policy))
