"""One file per HTTP library; each is loaded when first used, and importable only where its library is."""

from importlib import import_module
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    """Load the driver called ``name``; raises ImportError where its library is missing."""
    module = f"{__name__}.{name}"
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        msg = f"there is no driver called {name!r}"
        raise AttributeError(msg) from None
