"""fsspec: a filesystem for http and https that asks first, for whatever reads through fsspec.

What fsspec itself would do is done by fsspec. What it asks about one file in one open (HEAD, GET, ranges) is one
decision as far as the answers are of one representation; a part of another one is judged anew.
"""

from __future__ import annotations

import errno
import logging
import weakref
from pathlib import Path
from typing import Any

from consentcrawl.drivers.shared.extras import installed_by

with installed_by("fsspec"):
    import fsspec
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, hdrs
from fsspec.implementations.http import HTTPFileSystem
from multidict import CIMultiDict
from yarl import URL

from consentcrawl import errors
from consentcrawl.config import Config
from consentcrawl.core import Fields, Verdict
from consentcrawl.download import Content, Download, Head, run_async
from consentcrawl.drivers import aiohttp as of_aiohttp
from consentcrawl.drivers.shared.file_session import FileSession
from consentcrawl.drivers.shared.held import Held
from consentcrawl.drivers.shared.representations import Decided, Representation
from consentcrawl.formats.url import canonical
from consentcrawl.steward import Steward

__all__ = ["ConsentFileSystem", "Refused", "Undetermined", "filesystem", "install", "uninstall"]

_SCHEMES = ("http", "https")
_log = logging.getLogger(__name__)


class Refused(errors.Refused, PermissionError):
    """The file may not be taken: a refusal that an existing ``except OSError`` catches; its errno is EACCES."""

    def __init__(self, verdict: Verdict) -> None:
        """Carry the verdict."""
        super().__init__(verdict)
        self.errno = errno.EACCES


class Undetermined(errors.Undetermined, PermissionError):
    """It could not be found out whether the file may be taken; its errno is EACCES."""

    def __init__(self, verdict: Verdict) -> None:
        """Carry the verdict."""
        super().__init__(verdict)
        self.errno = errno.EACCES


class ConsentFileSystem(HTTPFileSystem):  # type: ignore[misc]  # fsspec has no types
    """fsspec's HTTPFileSystem, whose every request asks first.

    ``consent`` holds the steward; without it, what ``install`` was given or the usual settings decide.
    """

    installed: Held | None = None
    client_kwargs: dict[str, Any]
    _session: FileSession | None

    def __init__(self, *args: Any, consent: Held | None = None, **more: Any) -> None:  # noqa: ANN401 (fsspec's own)
        """Take what HTTPFileSystem takes."""
        super().__init__(*args, **more)
        self.kwargs.pop("consent", None)
        self._held = consent or self.installed or Held()
        if consent is not None or self.installed is None:
            weakref.finalize(self, self._held.shut)

    def __reduce__(self) -> tuple[Any, ...]:
        """Take the settings along to another process, where nothing may have been installed."""
        make, (cls, args, options) = super().__reduce__()
        return make, (cls, args, {**options, "consent": self._held})

    async def set_session(self) -> FileSession:
        """Return the session, and make it first if there is none. Raises TypeError for one that would not ask."""
        if self._session is None:
            asking = _Decisions(self._held)
            made = await self.get_client(loop=self.loop, **self._client_kwargs(asking))
            if asking not in made._middlewares:  # noqa: SLF001 (told nowhere else)
                await made.close()
                msg = "this get_client drops middlewares=, and with them the consent"
                raise TypeError(msg)
            self._session = FileSession(made, (Refused, Undetermined))
            if not self.asynchronous:
                weakref.finalize(self, self.close_session, self.loop, made)
        return self._session

    def _client_kwargs(self, asking: _Decisions) -> dict[str, Any]:
        headers = CIMultiDict(self.client_kwargs.get("headers") or {})
        headers.setdefault(hdrs.USER_AGENT, self._held.config.user_agent)
        middlewares = (*self.client_kwargs.get("middlewares", ()), asking)
        return {**self.client_kwargs, "headers": headers, "middlewares": middlewares}

    def close(self) -> None:
        """Close the connections, and the steward if it is its own."""
        session, self._session = self._session, None
        if session is not None:
            self.close_session(self.loop, session)
        if self._held is not self.installed:
            self._held.shut()

    async def _info(self, url: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 (fsspec's own)
        try:
            info: dict[str, Any] = await super()._info(url, **more)
        except FileNotFoundError as error:
            if isinstance(error.__cause__, errors.Withheld):
                raise error.__cause__ from None
            raise
        return info

    async def _exists(self, path: str, strict: bool = False, **more: Any) -> bool:  # noqa: ANN401, FBT001, FBT002 (fsspec's own)
        try:
            return bool(await super()._exists(path, strict=strict, **more))
        except errors.Withheld as error:
            if strict:
                raise
            return _hidden(error)

    async def _isdir(self, path: str) -> bool:
        try:
            return bool(await super()._isdir(path))
        except errors.Withheld as error:
            return _hidden(error)


def filesystem(
    purpose: str | None = None,
    *,
    config: Config | None = None,
    steward: Steward | None = None,
    ledger: str | Path | None = None,
    **more: Any,  # noqa: ANN401 (HTTPFileSystem's own)
) -> ConsentFileSystem:
    """Return a filesystem for http and https whose every request asks first; ``more`` goes to HTTPFileSystem.

    ``purpose`` is a name of core.PURPOSES and overrides the configured one; ``ledger`` is the directory where verdicts
    and what they rest on are kept. Without ``config`` or ``steward`` the usual places are read (``consentcrawl.load``).
    A ``steward`` that is given stays open when the filesystem is closed. Raises BadPurpose, BadPolicy and LedgerBroken.
    """
    return ConsentFileSystem(consent=Held(steward, config, purpose, ledger), skip_instance_cache=True, **more)


_before: dict[str, type] = {}


def install(
    purpose: str | None = None,
    *,
    config: Config | None = None,
    steward: Steward | None = None,
    ledger: str | Path | None = None,
) -> None:
    """Let ``fsspec.open``, and all that finds its filesystem by a URL, ask first. Arguments as for ``filesystem``.

    A filesystem that was made before stays as it is. ``uninstall`` takes it back.
    """
    uninstall()
    ConsentFileSystem.installed = Held(steward, config, purpose, ledger)
    for scheme in _SCHEMES:
        _before[scheme] = fsspec.get_filesystem_class(scheme)
        fsspec.register_implementation(scheme, ConsentFileSystem, clobber=True)


def uninstall() -> None:
    """Return fsspec back the filesystems that it had before ``install``."""
    installed, ConsentFileSystem.installed = ConsentFileSystem.installed, None
    for scheme, known in _before.items():
        fsspec.register_implementation(scheme, known, clobber=True)
    _before.clear()
    if installed is not None:
        ConsentFileSystem.clear_instance_cache()
        installed.shut()


def _hidden(error: errors.Withheld) -> bool:
    """Say that it is not there, as os.path.exists does of what may not be read; and write the reason to the log."""
    _log.warning("Withheld: %s", error)
    return False


class _Decisions:
    """A client middleware that asks once about one representation, whatever parts of it are read."""

    def __init__(self, held: Held) -> None:
        self._held, self._decided = held, Decided()
        self._asking = of_aiohttp.ConsentMiddleware(held)

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        """Send the request if its file may be taken."""
        asked = f"{request.url} {request.headers.get(hdrs.REFERER, '')}"  # the page has a say too
        if (verdict := self._decided.withheld(asked)) is not None:
            raise _error(verdict)
        judged = self._decided.permitted(asked) if hdrs.RANGE in request.headers else None
        if judged is None:
            return await self._ask(request, handler, asked)
        request.url = URL(canonical(str(request.url)), encoded=True)
        response = await handler(request)
        try:
            now = _representation(response)
            if now is None or not now.is_of(judged):
                return await self._ask(request, _having(response), asked)
            if now.says != judged.says:
                await self._ask_head(request, response)
        except BaseException:
            response.close()
            raise
        return response

    async def _ask(self, request: ClientRequest, handler: ClientHandlerType, asked: str) -> ClientResponse:
        try:
            response = await self._asking(request, handler)
        except errors.Withheld as error:
            self._decided.withhold(asked, error.verdict)
            raise
        representation = _representation(response)
        if representation is not None and request.method == hdrs.METH_GET:
            self._decided.permit(asked, representation)
        return response

    async def _ask_head(self, request: ClientRequest, response: ClientResponse) -> None:
        """Judge the head of another part by itself: what its content says is known."""
        download = Download(self._held.steward, str(request.url), referer=request.headers.get(hdrs.REFERER, ""))
        verdict = await run_async(download, _Head(response))
        if errors.withholds(verdict):
            raise _error(verdict)


class _Head:
    """The exchange that tells the head of an answer alone."""

    def __init__(self, response: ClientResponse) -> None:
        self._response = response

    async def send(self, _url: str) -> Head:
        return Head(self._response.status, Fields(self._response.headers.items()), bodiless=True)

    async def read(self, _limit: int) -> Content:
        return Content(b"", ended=False, gap="not_fetched")


def _representation(response: ClientResponse) -> Representation | None:
    return Representation.of(response.status, Fields(response.headers.items()))


def _having(response: ClientResponse) -> ClientHandlerType:
    async def handler(_: ClientRequest) -> ClientResponse:
        return response

    return handler


def _error(verdict: Verdict) -> errors.Withheld:
    """Return the error that aiohttp lets through; the session turns it into that of a file."""
    return errors.withheld_by(verdict, of_aiohttp.Refused, of_aiohttp.Undetermined)
