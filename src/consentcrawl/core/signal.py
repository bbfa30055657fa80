"""What a signal is: a module that knows one mechanism.

A signal module has a docstring of one sentence, ``SPEC``, ``needs`` and ``read``. A platform plugin is a signal that
names its ``HOSTS`` and may offer ``keys(asset)``; ``MAKERS``, the number of answers that lead to the maker's own place;
and ``bulk(needs)``, which joins look-ups. Nothing is registered and nothing is inherited.

Law: ``needs`` of a signal without ``HOSTS`` depends on the asset's origin and page only: it is asked once for both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Spec:
    """The standard a signal reads: its name, version and URL, the gates it speaks at and what it costs.

    ``under`` names a key of the policy and the values under which the signal runs at all.
    """

    name: str
    version: str
    url: str
    gates: tuple[Gate, ...]
    cost: str
    under: tuple[str, ...] = ()


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
    """The short name of a signal: that of its module."""
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
