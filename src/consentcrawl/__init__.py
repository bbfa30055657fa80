"""Finds every machine-readable opt-out of a work, refuses or logs the download, and says why in the maker's words.

The names below are loaded when first used, so that a program pays for what it uses only.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consentcrawl.config import Config, __version__, load, policy, purpose
    from consentcrawl.core import Category, Gap, Gate, Ground, Outcome, Policy, Preference, Purpose, Statement, Verdict
    from consentcrawl.discovery import work_keys
    from consentcrawl.drivers.inspect_file import inspect
    from consentcrawl.drivers.wrap import guarded
    from consentcrawl.errors import (
        BadInput,
        BadPolicy,
        BadPurpose,
        BadSignal,
        BadUrl,
        ConsentError,
        LedgerBroken,
        Refused,
        Undetermined,
        Withheld,
    )
    from consentcrawl.steward import Steward

_HOME = {
    "Config": "config",
    "load": "config",
    "policy": "config",
    "purpose": "config",
    "Category": "core",
    "Gap": "core",
    "Gate": "core",
    "Ground": "core",
    "Outcome": "core",
    "Policy": "core",
    "Preference": "core",
    "Purpose": "core",
    "Statement": "core",
    "Verdict": "core",
    "BadInput": "errors",
    "BadPolicy": "errors",
    "BadPurpose": "errors",
    "BadSignal": "errors",
    "BadUrl": "errors",
    "ConsentError": "errors",
    "LedgerBroken": "errors",
    "Refused": "errors",
    "Undetermined": "errors",
    "Withheld": "errors",
    "guarded": "drivers.wrap",
    "inspect": "drivers.inspect_file",
    "work_keys": "discovery",
    "Steward": "steward",
    "__version__": "config",
}
_FOLDERS = frozenset({"cli", "core", "drivers", "formats", "ledger", "net", "storage"})

__all__ = [
    "BadInput",
    "BadPolicy",
    "BadPurpose",
    "BadSignal",
    "BadUrl",
    "Category",
    "Config",
    "ConsentError",
    "Gap",
    "Gate",
    "Ground",
    "LedgerBroken",
    "Outcome",
    "Policy",
    "Preference",
    "Purpose",
    "Refused",
    "Statement",
    "Steward",
    "Undetermined",
    "Verdict",
    "Withheld",
    "__version__",
    "guarded",
    "inspect",
    "load",
    "policy",
    "purpose",
    "work_keys",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 (whatever the name means)
    """Load a public name, or a folder of the package, on first use."""
    if name in _HOME:
        module = import_module(f"{__name__}.{_HOME[name]}")
        return getattr(module, name)
    if name in _FOLDERS:
        return import_module(f"{__name__}.{name}")
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
