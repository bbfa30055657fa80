# ruff: noqa: ANN401 (any programs module)
"""Makes Python libraries that heed no variable go through the proxy of ``consentcrawl run`` and trust its certificates.

It changes where requests go and which roots are trusted, and nothing else; the sitecustomize that it shadows runs.
Any Python that is started finds this file, so it keeps to what old ones understand and imports little.
"""

from __future__ import annotations

import os
import sys
from functools import wraps
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PROXY = os.environ.get("CONSENTCRAWL_PROXY", "")
_ROOTS = os.environ.get("CONSENTCRAWL_ROOTS", "")
_KEY = os.environ.get("CONSENTCRAWL_SPKI", "")


def _certifi(module: Any) -> None:
    """Programs that insist on certifi's roots get the bundle: those and ours."""
    module.where = lambda: _ROOTS
    module.contents = lambda: open(_ROOTS, encoding="ascii").read()  # noqa: SIM115, PTH123 (little is imported)


def _trusting(*names: str) -> Callable[[Any], None]:
    """Classes that heed the variables only when they are told to are told to."""

    def change(module: Any) -> None:
        for name in names:
            _always(getattr(module, name), trust_env=True)

    return change


def _always(kind: Any, **settings: bool) -> None:
    made = kind.__init__

    @wraps(made)
    def init(self: Any, *args: Any, **named: Any) -> None:
        named.update(settings)
        made(self, *args, **named)

    kind.__init__ = init


def _requests(module: Any) -> None:
    """A session that was told not to heed the variables heeds them."""
    module.Session.trust_env = property(lambda _: True, lambda _, __: None)


def _urllib3(module: Any) -> None:
    """A bare pool manager becomes one that asks the proxy."""
    direct, proxied = module.PoolManager, module.ProxyManager
    made = direct.__init__

    @wraps(made)
    def init(self: Any, *args: Any, **named: Any) -> None:
        if type(self) is direct:
            self.__class__ = proxied
            proxied.__init__(self, _PROXY, *args, **named)
        else:
            made(self, *args, **named)

    direct.__init__ = init


def _playwright(module: Any) -> None:
    """A Chromium that is started takes the run's certificates, by their key: no variable tells it."""
    for name in ("launch", "launch_persistent_context"):
        setattr(module.BrowserType, name, _knowing_key(getattr(module.BrowserType, name)))


def _knowing_key(launch: Any) -> Any:
    @wraps(launch)
    def launched(self: Any, *args: Any, **named: Any) -> Any:
        if self.name == "chromium":
            flag = "--ignore-certificate-errors-spki-list=" + _KEY
            named["args"] = [*(named.get("args") or ()), flag]
        return launch(self, *args, **named)

    return launched


_CHANGES = {
    "aiohttp.client": _trusting("ClientSession"),
    "certifi.core": _certifi,
    "httpx._client": _trusting("Client", "AsyncClient"),
    "httpx2._client": _trusting("Client", "AsyncClient"),
    "playwright.async_api._generated": _playwright,
    "playwright.sync_api._generated": _playwright,
    "requests.sessions": _requests,
    "urllib3.poolmanager": _urllib3,
}


class _Changing:
    """A finder that leaves finding to the others, and changes some modules once they have run."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        change = _CHANGES.get(name)
        if change is None:
            return None
        found = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not _Changing)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            _run_then(spec.name, spec.loader, change)
        return spec


def _run_then(name: str, loader: Any, change: Callable[[Any], None]) -> None:
    run = loader.exec_module

    def exec_module(module: Any) -> None:
        run(module)
        try:
            change(module)
        except Exception as error:  # noqa: BLE001 (the program goes on)
            sys.stderr.write("consentcrawl: %s was left as it is: %s\n" % (name, error))  # noqa: UP031 (for old ones)  # noqa: UP031 (for old ones)

    loader.exec_module = exec_module


def _run_shadowed() -> None:
    """Run the sitecustomize that would have been found if this one were not here."""
    here = os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120 (little is imported)
    spec = PathFinder.find_spec("sitecustomize", [place for place in sys.path if os.path.realpath(place) != here])
    if spec is not None and spec.loader is not None:
        module = sys.modules["sitecustomize"] = module_from_spec(spec)
        spec.loader.exec_module(module)


if _PROXY:
    sys.meta_path.insert(0, _Changing)
_run_shadowed()
