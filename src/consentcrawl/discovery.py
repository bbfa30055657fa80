"""Finds signals: the folder ``signals``, the platform plugins, and entry points of the group ``consentcrawl.signals``.

The folder is the list; nothing registers itself and nothing is named here. A module with a public name that no signal
has is refused: a misspelt name would otherwise be a signal that nothing reads.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import entry_points
from types import BuiltinFunctionType, FunctionType, ModuleType

import consentcrawl.signals
import consentcrawl_plugins
from consentcrawl.core import Asset, Bulk, Policy, Registry, Spec, name_of
from consentcrawl.errors import BadSignal
from consentcrawl.formats.url import canonical

GROUP = "consentcrawl.signals"
_NAMES = frozenset({"SPEC", "needs", "read"})
"""The names that a signal module has besides its docstring, all of them."""


@cache
def signals() -> tuple[ModuleType, ...]:
    """Return every signal of this distribution and of others, sorted by name; a name that comes twice is taken once.

    Raises BadSignal for a module that lacks one of the names of a signal, or has another public one.
    """
    found = [*_modules(consentcrawl.signals), *_modules(consentcrawl_plugins)]
    found += [point.load() for point in entry_points(group=GROUP)]
    by_name = {name_of(checked(module)): module for module in reversed(found)}
    return tuple(by_name[name] for name in sorted(by_name))


def checked(module: ModuleType) -> ModuleType:
    """Return the module if it is one of a signal. Raises BadSignal, which names the module and what is wrong in it."""
    if fault := _fault(module):
        msg = f"{module.__name__}: {fault}"
        raise BadSignal(msg)
    return module


def active(policy: Policy, configured: frozenset[str] = frozenset()) -> tuple[ModuleType, ...]:
    """Return the signals that a policy reads; one that needs a section of the settings only if it is ``configured``."""
    return tuple(
        s
        for s in signals()
        if name_of(s) not in policy.signals_off
        and policy.counts(s.SPEC.under)
        and s.SPEC.configured in ("", *configured)
    )


def general(among: tuple[ModuleType, ...]) -> tuple[ModuleType, ...]:
    """Return those that speak about any host: everything but the platform plugins."""
    return tuple(s for s in among if not hosts_of(s))


def hosts_of(signal: ModuleType) -> tuple[str, ...]:
    """Return the hosts a platform plugin is for; empty for every other signal."""
    return _spec(signal).hosts


def makers_from(plugin: ModuleType) -> float:
    """Return how many answers lead to the maker's own place: 0, the first look-up goes there; infinity, none does.

    What the policy files of that place say goes for the work as well.
    """
    return _spec(plugin).makers_from


def seconds_between(plugins: tuple[ModuleType, ...], host: str) -> float:
    """Return the least seconds between two requests to an origin on ``host``, by its plugins; 0 where none is named."""
    paces = (pace for plugin in plugins for pace in _spec(plugin).pace)
    return max((seconds for name, seconds in paces if f".{host}".endswith(f".{name}")), default=0.0)


def bulk_of(plugin: ModuleType) -> Bulk | None:
    """Return what joins look-ups of several works, or None where a platform answers for one at a time."""
    return _spec(plugin).bulk


def registry_of(signal: ModuleType) -> Registry | None:
    """Return how the registry that a signal reads is asked, or None for a signal that reads none."""
    return _spec(signal).registry


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
    offered = (_spec(plugin).keys for plugin in plugins)
    return tuple(dict.fromkeys(key for keys in offered if keys for key in keys(asset)))


@cache
def _all_hosts() -> Hosts:
    return Hosts(signals())


def _spec(signal: ModuleType) -> Spec:
    spec: Spec = signal.SPEC
    return spec


def _modules(package: ModuleType) -> list[ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names if not name.startswith("_")]


def _fault(module: ModuleType) -> str:
    """Return what keeps a module from being a signal, or an empty string."""
    if lacking := sorted(_NAMES.difference(vars(module))):
        return f"a signal has {', '.join(sorted(_NAMES))}; this one lacks {', '.join(lacking)}"
    if others := sorted(_defined(module)):
        return (
            f"{', '.join(others)}: no name of a signal. What it may offer stands in SPEC; "
            "names of its own begin with an underscore"
        )
    spec = module.SPEC
    if not isinstance(spec, Spec):
        return "SPEC is no consentcrawl.core.Spec"
    if not isinstance(spec.hosts, tuple):
        return "hosts of SPEC is no tuple"
    return "SPEC has keys or bulk, but no hosts" if (spec.keys or spec.bulk) and not spec.hosts else ""


def _defined(module: ModuleType) -> set[str]:
    """Return the public names that a module defines besides; the source tells which constants are imported."""
    public = {name for name, value in vars(module).items() if name[:1] != "_" and not _is_imported(module, name, value)}
    return public - _NAMES and public.difference(_NAMES, _imports(module))


def _is_imported(module: ModuleType, name: str, value: object) -> bool:
    if isinstance(value, type | FunctionType | BuiltinFunctionType):
        return value.__module__ != module.__name__
    return isinstance(value, ModuleType | _FUTURE) or any(vars(below).get(name) is value for below in _below())


_FUTURE = type(annotations)


@cache
def _below() -> tuple[ModuleType, ...]:
    """Return the modules from which most constants are imported: no source need be read for these."""
    floors = ("consentcrawl.core", "consentcrawl.formats", "consentcrawl.platforms")
    return tuple(module for name, module in sys.modules.items() if name.startswith(floors))


def _imports(module: ModuleType) -> Iterator[str]:
    try:
        tree = ast.parse(inspect.getsource(module))
    except OSError:  # a distribution without sources
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (name.asname or name.name for name in node.names)
