"""What a signal is: a module that knows one mechanism.

A signal module has four public names: a docstring of one sentence, ``SPEC``, ``needs`` and ``read``. A platform plugin
is a signal whose ``SPEC`` names hosts. Nothing is registered and nothing is inherited.

Law: ``needs`` of a signal without hosts depends on the asset's origin and page only: it is asked once for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from types import ModuleType
from typing import Protocol

from consentcrawl.core.asset import Asset
from consentcrawl.core.evidence import Evidence, Need
from consentcrawl.core.statement import Statement
from consentcrawl.core.verdict import Gap
from consentcrawl.core.vocabulary import Gate, Purpose

Said = Statement | Gap | Need
"""What reading evidence may yield: statements, what could not be read, and what must be looked up next."""


class _Silent(tuple[Said, ...]):
    """An empty tuple that is not the only one."""

    __slots__ = ()


SILENT: tuple[Said, ...] = _Silent()
"""What ``read`` gives when this evidence says nothing about any asset of its origin; it is then not read again."""


Bulk = Callable[[Sequence[Need]], Iterable[tuple[Need, Sequence[Need]]]]
"""Joins look-ups: yields joint needs, each with those that its answer answers."""


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry that is asked about many URLs at once.

    ``need`` is what the signal needs of it for one asset. ``ask`` makes the request about many URLs; ``rows`` splits
    its answer: each row with its URL, and a reason code where the answer is not what was agreed, else empty.
    """

    need: Need
    ask: Callable[[Sequence[str]], Need]
    rows: Callable[[bytes], tuple[list[tuple[str, object]], str]]


@dataclass(frozen=True, slots=True)
class Spec:
    """The standard a signal reads: its name, version and URL, the gates it speaks at and what it costs.

    ``under`` names a key of the policy and the values under which the signal runs at all; ``configured`` a section of
    the settings without which it does not run. A platform plugin names its ``hosts``, and speaks about these and all
    below them only; ``keys`` gives the work keys of an asset's address, offline; ``bulk`` joins look-ups;
    ``makers_from`` is how many answers lead to the maker's own place: 0, the first look-up goes there; infinity, none
    does. ``pace`` names hosts, each with the least seconds between two requests to an origin there or below.
    ``registry`` is how a registry is asked.
    """

    name: str
    version: str
    url: str
    gates: tuple[Gate, ...]
    cost: str
    under: tuple[str, ...] = ()
    configured: str = ""
    hosts: tuple[str, ...] = ()
    keys: Callable[[Asset], Iterable[str]] | None = None
    bulk: Bulk | None = None
    makers_from: float = inf
    pace: tuple[tuple[str, float], ...] = ()
    registry: Registry | None = None


class Signal(Protocol):
    """The shape of a signal module."""

    __name__: str
    __doc__: str | None
    SPEC: Spec

    def needs(self, asset: Asset, purpose: Purpose) -> Iterable[Need]:
        """Say what must be looked up for this asset."""
        ...

    def read(self, evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterable[Said]:
        """Read one answer; never raises, and states ``allowed`` only in words the maker used."""
        ...


def name_of(signal: Signal) -> str:
    """Return the short name of a signal: that of its module."""
    return signal.__name__.rpartition(".")[2]


Readers = dict[Need, list[Signal | ModuleType]]
Plan = tuple[Readers, Readers, Readers]
"""For each gate: every need and the signals that read its answer."""


def plan(asset: Asset, purpose: Purpose, signals: Iterable[Signal | ModuleType]) -> Plan:
    """Ask every signal what it needs; without plugins the answer serves every asset of the same origin and page."""
    gates: Plan = ({}, {}, {})
    for signal in signals:
        for need in signal.needs(asset, purpose):
            gates[need.gate].setdefault(need, []).append(signal)
    return gates
