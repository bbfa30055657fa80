"""Finds every machine-readable opt-out of a work, refuses or logs the download, and says why in the maker's words.

The names in ``__all__`` are the public ones. Each is loaded when it is first used, so that ``import consentcrawl``
loads no HTTP library. ``load``, ``policy``, ``purpose`` and ``inspect`` are aliases of ``load_config``,
``make_policy``, ``make_purpose`` and ``inspect_bytes``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consentcrawl.config import (
        Config,
        __version__,
        load,
        load_config,
        make_policy,
        make_purpose,
        policy,
        purpose,
    )
    from consentcrawl.core import Category, Gap, Gate, Ground, Outcome, Policy, Preference, Purpose, Statement, Verdict
    from consentcrawl.discovery import work_keys
    from consentcrawl.drivers.inspect_file import inspect, inspect_bytes
    from consentcrawl.drivers.wrap import guarded
    from consentcrawl.errors import (
        BadInput,
        BadPolicy,
        BadPurpose,
        BadSignal,
        BadUrl,
        ConsentError,
        LedgerBroken,
        MissingExtra,
        Refused,
        Undetermined,
        Withheld,
    )
    from consentcrawl.steward import Steward

_HOME = {
    "config": ("Config", "__version__", "load", "load_config", "make_policy", "make_purpose", "policy", "purpose"),
    "core": (
        "Category", "Gap", "Gate", "Ground", "Outcome", "Policy", "Preference", "Purpose", "Statement", "Verdict",
    ),
    "discovery": ("work_keys",),
    "drivers.inspect_file": ("inspect", "inspect_bytes"),
    "drivers.wrap": ("guarded",),
    "errors": (
        "BadInput", "BadPolicy", "BadPurpose", "BadSignal", "BadUrl", "ConsentError", "LedgerBroken", "MissingExtra",
        "Refused", "Undetermined", "Withheld",
    ),
    "steward": ("Steward",),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
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
    "MissingExtra",
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
    "inspect_bytes",
    "load",
    "load_config",
    "make_policy",
    "make_purpose",
    "policy",
    "purpose",
    "work_keys",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 (whatever the name means)
    """Load a public name, or a folder of the package, on first use."""
    if name in _MODULE_OF:
        return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    if name in _FOLDERS:
        return import_module(f"{__name__}.{name}")
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
