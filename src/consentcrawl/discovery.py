"""Finds signals: the folder ``signals``, the platform plugins, and entry points of the group ``consentcrawl.signals``.

The folder is the list; nothing registers itself and nothing is named here.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType

import consentcrawl.signals
import consentcrawl_plugins
from consentcrawl.core import Asset, Policy, name_of
from consentcrawl.formats.url import canonical

GROUP = "consentcrawl.signals"


@cache
def signals() -> tuple[ModuleType, ...]:
    """Every signal of this distribution and of others, sorted by name; a name that comes twice is taken once."""
    found = [*_modules(consentcrawl.signals), *_modules(consentcrawl_plugins)]
    found += [point.load() for point in entry_points(group=GROUP)]
    by_name = {name_of(module): module for module in reversed(found)}
    return tuple(by_name[name] for name in sorted(by_name))


def active(policy: Policy, configured: frozenset[str] = frozenset()) -> tuple[ModuleType, ...]:
    """The signals that a policy reads; one that names something in ``CONFIGURED`` only if that is ``configured``."""
    return tuple(
        s
        for s in signals()
        if name_of(s) not in policy.signals_off
        and policy.counts(s.SPEC.under)
        and getattr(s, "CONFIGURED", "") in ("", *configured)
    )


def general(among: tuple[ModuleType, ...]) -> tuple[ModuleType, ...]:
    """Those that speak about any host: everything but the platform plugins."""
    return tuple(s for s in among if not hosts_of(s))


def hosts_of(signal: ModuleType) -> tuple[str, ...]:
    """The hosts a platform plugin is for; empty for every other signal."""
    return getattr(signal, "HOSTS", ())


def makers_from(plugin: ModuleType) -> float:
    """How many answers lead to the maker's own place: 0, the plugin's first look-up goes there; infinity, none does.

    What the policy files of that place say goes for the work as well.
    """
    return getattr(plugin, "MAKERS", float("inf"))


class Hosts:
    """Which plugins are for a host: those that name it or a domain above it."""

    __slots__ = ("_by_domain",)

    def __init__(self, among: tuple[ModuleType, ...]) -> None:
        """Index the plugins among the given signals by the domains they name."""
        self._by_domain: dict[str, tuple[ModuleType, ...]] = {}
        for plugin in among:
            for domain in hosts_of(plugin):
                self._by_domain[domain] = (*self._by_domain.get(domain, ()), plugin)

    def plugins(self, host: str) -> tuple[ModuleType, ...]:
        """Return the plugins for ``host``, each once."""
        labels = host.split(".")
        domains = (".".join(labels[n:]) for n in range(len(labels)))
        return tuple(dict.fromkeys(p for d in domains for p in self._by_domain.get(d, ())))


def work_keys(url: str) -> tuple[str, ...]:
    """Return the work keys of ``url``, offline; none where no plugin knows it. Raises BadUrl."""
    asset = Asset(canonical(url))
    return keys_among(_all_hosts().plugins(asset.host), asset)


def keys_among(plugins: tuple[ModuleType, ...], asset: Asset) -> tuple[str, ...]:
    """Return the work keys that these plugins find in the asset's address."""
    return tuple(dict.fromkeys(key for p in plugins if hasattr(p, "keys") for key in p.keys(asset)))


@cache
def _all_hosts() -> Hosts:
    return Hosts(signals())


def _modules(package: ModuleType) -> list[ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names if not name.startswith("_")]
