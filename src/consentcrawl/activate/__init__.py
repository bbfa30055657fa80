"""Puts the drivers under requests, urllib, httpx and aiohttp of a program that knows nothing of it.

Every Python that the program starts is reached as well, what is withheld is a 451 that no server sent, and
``uninstall`` leaves everything as it was. Look-ups go through no library that is patched. No ledger is written: it has
one writer, and a program may have many processes.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from consentcrawl.activate.patches import PATCHES

if TYPE_CHECKING:
    from consentcrawl.config import Config
    from consentcrawl.drivers.shared.held import Held

__all__ = ["install", "main", "uninstall"]

STARTUP = Path(__file__).with_name("startup")
"""The folder that goes on PYTHONPATH."""
_VARIABLE = "CONSENTCRAWL_ACTIVATE"
_USAGE = """usage: python -m consentcrawl.activate PROGRAM [ARGUMENT ...]
       python -m consentcrawl.activate --path

PROGRAM is a script (x.py), -m and a module, or a command; --path prints the folder for PYTHONPATH.
"""


class _Activation(MetaPathFinder):
    """Patches the libraries that are loaded, and by standing first among the finders those that will be."""

    def __init__(self, config: Config | None) -> None:
        """Remember ``config``; nothing is read before the first request."""
        self._config, self._making = config, threading.RLock()
        self._held: Held | None = None
        self._undo: list[Callable[[], None]] = []

    def begin(self, variables: Mapping[str, str]) -> None:
        """Patch what is loaded and watch for the rest; ``variables`` reach what is started."""
        self._undo.append(_set(variables))
        sys.meta_path.insert(0, self)
        for name in PATCHES:
            if (module := sys.modules.get(name)) is not None:
                self._patch(name, module)

    def end(self) -> None:
        """Take everything back."""
        sys.meta_path.remove(self)
        while self._undo:
            self._undo.pop()()
        if self._held is not None:
            atexit.unregister(self._held.shut)
            self._held.shut()

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find a library as the others do, and patch it when it was loaded."""
        if name not in PATCHES:
            return None
        others = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
        spec = next(filter(None, others), None)
        if spec is not None and spec.loader is not None:
            self._patch_when_loaded(name, spec.loader)
        return spec

    def _patch_when_loaded(self, name: str, loader: Any) -> None:  # noqa: ANN401 (whatever loads it)
        load = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            if self in sys.meta_path and module.__name__ == name:
                self._patch(name, module)

        loader.exec_module = exec_module

    def _patch(self, name: str, module: ModuleType) -> None:
        self._undo.append(PATCHES[name](module, self._asked))

    def _asked(self) -> Held:
        with self._making:
            if self._held is None:
                from consentcrawl.config import load  # noqa: PLC0415 (not before the first request)
                from consentcrawl.drivers.shared.held import Held  # noqa: PLC0415 (not before the first request)

                self._held = Held(None, replace(self._config or load(), ledger=""))
                atexit.register(self._held.shut)
            return self._held


_active: _Activation | None = None


def install(config: Config | None = None) -> None:
    """Activate consentcrawl in this process and in every Python that it starts.

    ``config`` counts for this process; the others read the usual settings, as this one does without it. Settings that
    cannot be read raise BadPolicy or BadPurpose at the first request. A second call replaces the first.
    """
    global _active  # noqa: PLW0603 (a process is activated or not)
    uninstall()
    _active = _Activation(config)
    _active.begin(_environment(os.environ))


def uninstall() -> None:
    """Leave the libraries as they were, and start no further Python activated."""
    global _active  # noqa: PLW0603 (a process is activated or not)
    if _active is not None:
        _active.end()
        _active = None
        os.environ.pop(_VARIABLE, None)  # also where this process was started activated


def _set(variables: Mapping[str, str]) -> Callable[[], None]:
    """Set environment variables; gives what sets them back."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ |= variables

    def set_back() -> None:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    return set_back


def main(arguments: Sequence[str]) -> int:
    """Run a program activated, in the place of this one; gives 2 where it was used wrongly."""
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.stderr.write(_USAGE)
        return 2
    if arguments[0] == "--path":
        sys.stdout.write(f"{STARTUP}\n")
        return 0
    command = _command(arguments)
    if command is None:
        sys.stderr.write(f"there is no program called {arguments[0]!r}\n")
        return 127
    if told := _told_of_settings():
        sys.stderr.write(f"{told}\n")
        return 2
    sys.stdout.flush()
    return _replace(command)


def _told_of_settings() -> str:
    """Return what is wrong with the settings, or nothing."""
    from consentcrawl.config import load  # noqa: PLC0415 (not in every process)
    from consentcrawl.errors import BadPolicy, BadPurpose  # noqa: PLC0415 (not in every process)

    try:
        ledger = load().ledger
    except (BadPolicy, BadPurpose) as error:
        return str(error)
    return "an activated program writes no ledger: leave it out, or use consentcrawl run" if ledger else ""


def _replace(command: list[str]) -> NoReturn:
    os.execve(command[0], command, {**os.environ, **_environment(os.environ)})  # noqa: S606 (the user's own program)


def _command(arguments: Sequence[str]) -> list[str] | None:
    """Return the path of the program and its arguments, or None where there is none."""
    first = arguments[0]
    if first in ("-m", "-c") or first.endswith(".py"):
        return [sys.executable, *arguments]
    found = shutil.which(first)
    return [found, *arguments[1:]] if found else None


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that reach every Python started with them; a settings file is named for any folder."""
    places = [place for place in environment.get("PYTHONPATH", "").split(os.pathsep) if place and place != str(STARTUP)]
    variables = {_VARIABLE: "1", "PYTHONPATH": os.pathsep.join([str(STARTUP), *places])}
    settings = Path(environment.get("CONSENTCRAWL_CONFIG", "consentcrawl.toml"))
    return variables | ({"CONSENTCRAWL_CONFIG": str(settings.resolve())} if settings.is_file() else {})
