"""Any function that downloads: decided before it is called, and again by what it brought before anybody gets that.

A function that may not download is not called, and what it brought and may not be kept is removed. Redirects that
it follows by itself are not seen.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import hashlib
import inspect
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from consentcrawl import errors
from consentcrawl.config import Config
from consentcrawl.core import NO_FIELDS, Gap, Gate
from consentcrawl.download import Content, Download, Head, run
from consentcrawl.drivers import dry_run
from consentcrawl.drivers.shared.held import Held
from consentcrawl.steward import Steward

__all__ = ["guarded"]

P = ParamSpec("P")
R = TypeVar("R")

LOOKED_AT = 16 * 1024 * 1024
"""The most bytes of what was brought that are looked at."""
_OK = 200


def guarded(  # noqa: PLR0913 (keywords, each optional)
    download: Callable[P, R],
    *,
    url_arg: str = "url",
    page_arg: str | None = None,
    path_arg: str | None = None,
    head: bool | None = None,
    steward: Steward | None = None,
    purpose: str | None = None,
    config: Config | None = None,
    ledger: str | Path | None = None,
) -> Callable[P, R]:
    """Wrap a function, or a coroutine function, that takes a URL and gives the content or the path of a file.

    ``url_arg``, ``page_arg`` and ``path_arg`` name its parameters for the URL, for the URL of the page that shows it,
    and for the path of the file it writes, where it gives no path itself. ``head`` tells whether the head of the answer
    is asked for first, by one more request; without it that is done where the policy holds for gaps. Without
    ``steward`` one is made of ``config``, or of what the usual places say, at the first call; ``ledger`` is the
    directory where it keeps its verdicts.

    The wrapped function raises Refused and Undetermined, also where the content could not be looked at. Raises
    TypeError where ``download`` has no such parameter.
    """
    guard = _Guard(
        _signature(download, filter(None, (url_arg, page_arg, path_arg))), (url_arg, page_arg, path_arg), head,
        (lambda: steward) if steward is not None else _Own(config, purpose, ledger).steward,
    )  # fmt: skip

    @functools.wraps(download)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        asked = guard.before(args, kwargs)
        result = download(*args, **kwargs)
        guard.after(asked, result)
        return result

    @functools.wraps(download)
    async def call_async(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401 (what the function gives)
        asked = await asyncio.to_thread(guard.before, args, kwargs)
        result = await cast("Any", download(*args, **kwargs))
        await asyncio.to_thread(guard.after, asked, result)
        return result

    return cast("Callable[P, R]", call_async) if _waits(download) else call


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a call is about: the address judged last, its page, where the file goes, and whether the head was seen."""

    url: str
    page: str | None
    path: object
    head: bool


@dataclass(frozen=True, slots=True)
class _Guard:
    signature: inspect.Signature
    names: tuple[str, str | None, str | None]
    head: bool | None
    steward: Callable[[], Steward]

    def before(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Asked:
        """Decide whether the function is called at all. Raises Refused and Undetermined."""
        given = _given(self.signature, args, kwargs)
        url, page, path = (given.get(name) if name else None for name in self.names)
        steward = self.steward()
        head = steward.policy.gaps == "hold" if self.head is None else self.head
        asked = _Asked(_address(url), _address(page) or None, path, head)
        verdict = dry_run.judge(steward, asked.url, asked.page, reach=Gate.HEAD if head else Gate.LOOKUP)
        if errors.withholds(verdict):
            raise errors.withheld_by(verdict)
        return _Asked(verdict.url, asked.page, path, head)

    def after(self, asked: _Asked, result: object) -> None:
        """Decide whether anybody gets what the function brought. Raises Refused and Undetermined."""
        brought = _brought(asked.path if self.names[2] else result)
        download = Download(self.steward(), asked.url, page=asked.page or "", limit=LOOKED_AT)
        if download.inquiry is not None and not asked.head:
            download.inquiry.lack(Gap(download.url, "not_fetched", note="the head of the answer was not seen"))
        verdict = run(download, _Brought(brought))
        if errors.withholds(verdict):
            if isinstance(brought, Path):
                brought.unlink(missing_ok=True)
            raise errors.withheld_by(verdict)
        if brought is not None:
            download.delivered(*_delivered(brought))


@dataclass(frozen=True, slots=True)
class _Brought:
    """The exchange whose answer the function has brought already."""

    brought: bytes | Path | None

    def send(self, _url: str) -> Head:
        return Head(_OK, NO_FIELDS)

    def read(self, limit: int) -> Content:
        content = _prefix(self.brought, limit)
        return Content(content or b"", len(content or b"") <= limit, gap="unsupported" if content is None else "")


def _signature(download: Callable[..., object], names: Iterable[str]) -> inspect.Signature:
    signature = inspect.signature(download)
    takes_any = any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values())
    for name in names:
        if name not in signature.parameters and not takes_any:
            msg = f"{download!r} has no parameter called {name!r}; there are {', '.join(signature.parameters)}"
            raise TypeError(msg)
    return signature


def _given(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments by their names, defaults among them. Raises TypeError as the call itself would."""
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return kwargs | bound.arguments


def _address(given: object) -> str:
    """Return the URL in an argument; urllib's Request carries one."""
    return str(getattr(given, "full_url", given) or "")


def _brought(result: object) -> bytes | Path | None:
    """Return the content or the file that a function brought, or None where it is neither."""
    if isinstance(result, bytes | bytearray | memoryview):
        return bytes(result)
    if isinstance(result, str | os.PathLike):
        path = Path(os.fsdecode(result))
        return path if path.is_file() else None
    return None


def _prefix(brought: bytes | Path | None, limit: int) -> bytes | None:
    if not isinstance(brought, Path):
        return brought
    with brought.open("rb") as file:
        return file.read(limit + 1)


def _delivered(brought: bytes | Path) -> tuple[int, str, str]:
    """Return size, SHA-256 in hex, and the file if there is one."""
    if isinstance(brought, bytes):
        return len(brought), hashlib.sha256(brought).hexdigest(), ""
    with brought.open("rb") as file:
        return brought.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest(), str(brought)


@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    """Settings for a steward of our own, which is made at the first call."""

    config: Config | None
    purpose: str | None
    ledger: str | Path | None

    def steward(self) -> Steward:
        return _held(self).steward


@functools.cache
def _held(own: _Own) -> Held:
    held = Held(None, own.config, own.purpose, own.ledger)
    atexit.register(held.shut)
    return held


def _waits(download: Callable[..., object]) -> bool:
    return inspect.iscoroutinefunction(download) or inspect.iscoroutinefunction(type(download).__call__)
