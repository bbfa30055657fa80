"""urllib.request: a handler of openers that asks before each request, after each head and before any content.

What urllib itself would do is done by urllib. Its proxies, cookies and credentials stay on the caller's own
request, and every redirect hop, and every answer of another handler, passes through here.
"""

from __future__ import annotations

import threading
import weakref
from contextlib import suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, Literal
from urllib.error import URLError
from urllib.request import BaseHandler, OpenerDirector, Request, build_opener

from consentcrawl import errors
from consentcrawl.config import Config
from consentcrawl.core import Fields, Verdict
from consentcrawl.download import Content, Download, Head, advance, run
from consentcrawl.drivers.shared.heads import gap_of_http_client
from consentcrawl.drivers.shared.held import Held
from consentcrawl.drivers.shared.http_answers import again, synthetic
from consentcrawl.steward import Steward

__all__ = ["ConsentHandler", "Refused", "Undetermined", "install", "opener", "uninstall"]

Refusal = Literal["raise", "response"]

_ASKED = "_consentcrawl_asked"
_JUDGED = "_consentcrawl_judged"


class Refused(errors.Refused, URLError):
    """The asset may not be taken: a refusal that an existing ``except URLError`` or ``except OSError`` catches."""


class Undetermined(errors.Undetermined, URLError):
    """It could not be found out whether the asset may be taken."""


class ConsentHandler(BaseHandler):
    """A handler for ``urllib.request.build_opener``.

    ``refusal`` says whether a refusal raises, or is a synthetic 451, which urllib raises as its HTTPError. Safe for
    threads; one steward may serve many handlers, and one handler many openers.
    """

    handler_order = 90  # before the proxies (100), which change the request, and redirects and cookies (500)

    def __init__(self, steward: Steward | Held, *, refusal: Refusal = "raise") -> None:
        """Ask ``steward``."""
        self.held = steward if isinstance(steward, Held) else Held(steward)
        self.refusal = refusal

    def http_request(self, request: Request) -> Request:
        """Meet the LOOKUP gate; what is sent is the URL as it was judged."""
        asked = getattr(request, _ASKED, None)
        if isinstance(asked, Download) and request.has_proxy() and asked.url == _wire(request):
            return request  # for a proxy of another scheme, urllib opens the request once more
        download, verdict = self._ask(request)
        setattr(request, _ASKED, self._end(verdict, request) if errors.withholds(verdict) else download)
        return request

    def http_open(self, request: Request) -> HTTPResponse | None:
        """Answer in the place of the server what is withheld; leave the rest to the other handlers."""
        asked = getattr(request, _ASKED, None)
        return asked if isinstance(asked, HTTPResponse) else None

    def http_response(self, request: Request, response: Any) -> Any:  # noqa: ANN401 (any handler's answer)
        """Meet the gates HEAD and BODY."""
        asked: Download | None = request.__dict__.pop(_ASKED, None)
        if hasattr(response, _JUDGED):
            return response
        try:
            response, verdict = self._judge(asked, request, response)
        except BaseException:
            response.close()
            raise
        if errors.withholds(verdict):
            response.close()
            response = self._end(verdict, request)
        setattr(response, _JUDGED, True)
        return response

    https_request, https_open, https_response = http_request, http_open, http_response

    def _ask(self, request: Request) -> tuple[Download, Verdict | None]:
        """Open a download; return it, and its verdict where it has ended before the request."""
        wire = _wire(request)
        download = Download(self.held.steward, wire, referer=_field(request, "Referer"), host=_field(request, "Host"))
        if download.url != wire:
            _rewrite(request, download.url)
        # urllib does not call back where no answer comes.
        weakref.finalize(request, _abandon, download).atexit = False
        step = advance(download)
        return download, step if isinstance(step, Verdict) else None

    def _judge(self, download: Download | None, request: Request, response: Any) -> tuple[Any, Verdict | None]:  # noqa: ANN401 (any handler's answer)
        """Return the response, to be read from its beginning, and the verdict."""
        if download is None:  # another handler answered, such as a cache
            download, verdict = self._ask(request)
            if errors.withholds(verdict):
                return response, verdict
        exchange = _Exchange(request, response)
        verdict = run(download, exchange)
        if errors.withholds(verdict) or (exchange.start is None and not download.recorded):
            return response, verdict
        return again(download, response, exchange.start or b"", exchange.length), verdict

    def _end(self, verdict: Verdict, request: Request) -> HTTPResponse:
        if self.refusal == "raise":
            raise errors.withheld_by(verdict, Refused, Undetermined)
        answer = synthetic(verdict, request.full_url)
        setattr(answer, _JUDGED, True)
        return answer


class _Exchange:
    """The answer that urllib's own handlers had; ``start`` is what was read of its content."""

    def __init__(self, request: Request, response: Any) -> None:  # noqa: ANN401 (any handler's answer)
        self._request, self._response = request, response
        self.length: int | None = getattr(response, "length", None)
        self.start: bytes | None = None

    def send(self, _url: str) -> Head:
        response = self._response
        fields = Fields(response.headers.raw_items())
        gap = gap_of_http_client(response.status, fields, response.headers)
        return Head(response.status, fields, gap, bodiless=self._request.get_method() == "HEAD")

    def read(self, limit: int) -> Content:
        self.start = start = self._response.read(limit + 1)
        ended = len(start) <= limit
        if ended and getattr(self._response, "length", None):  # http.client is silent when less came than announced
            return Content(start, ended=False, gap="truncated")
        return Content(start, ended)


def _abandon(download: Download) -> None:
    with suppress(errors.LedgerBroken):
        download.abandon(ConnectionError())


def opener(
    purpose: str | None = None,
    *handlers: BaseHandler | type[BaseHandler],
    config: Config | None = None,
    steward: Steward | None = None,
    ledger: str | Path | None = None,
    refusal: Refusal = "raise",
) -> OpenerDirector:
    """Return an opener whose every request asks first; ``handlers`` as for ``urllib.request.build_opener``.

    ``purpose`` is a name of core.PURPOSES and overrides the configured one; ``ledger`` is the directory where verdicts
    and what they rest on are kept. Without ``config`` or ``steward`` the usual places are read (``consentcrawl.load``).
    A ``steward`` that is given stays open when the opener is closed. Raises BadPurpose, BadPolicy and LedgerBroken.
    """
    held = Held(steward, config, purpose, ledger)
    ours = build_opener(ConsentHandler(held, refusal=refusal), *handlers)
    ours.addheaders = [("User-agent", held.config.user_agent)]
    ours.close = held.shut  # type: ignore[method-assign]  # urllib's own does nothing
    return ours


_installed: ConsentHandler | None = None
_reached: weakref.WeakSet[OpenerDirector] = weakref.WeakSet()
_installing = threading.RLock()
_urllibs_open = OpenerDirector.open


def install(
    purpose: str | None = None,
    *,
    config: Config | None = None,
    steward: Steward | None = None,
    ledger: str | Path | None = None,
    refusal: Refusal = "raise",
) -> None:
    """Let every opener of this process ask first: that of ``urlopen``, also with a ``context``, and private ones.

    Arguments as for ``opener``; the User-Agent stays the program's own. ``uninstall`` takes it back.
    """
    global _installed  # noqa: PLW0603 (urllib is global too)
    with _installing:
        uninstall()
        _installed = ConsentHandler(Held(steward, config, purpose, ledger), refusal=refusal)
        OpenerDirector.open = _open  # type: ignore[method-assign]


def uninstall() -> None:
    """Leave urllib as it was before ``install``; what is under way is still asked about."""
    global _installed
    with _installing:
        installed, _installed = _installed, None
        if OpenerDirector.open is _open:
            OpenerDirector.open = _urllibs_open  # type: ignore[method-assign]
        if installed is not None:
            for reached in list(_reached):
                _place(reached, installed, there=False)
            _reached.clear()
            installed.held.shut()


def _open(self: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401 (urllib's own)
    if self not in _reached:
        with _installing:
            if _installed is not None and not any(isinstance(handler, ConsentHandler) for handler in self.handlers):
                _place(self, _installed, there=True)
                _reached.add(self)
    return _urllibs_open(self, *args, **more)


def _place(there_in: OpenerDirector, handler: ConsentHandler, *, there: bool) -> None:
    """Put a handler in its place, or take it out, while other threads go through the lists as they were."""

    def changed(handlers: list[Any]) -> list[Any]:
        others = [other for other in handlers if other is not handler]
        return sorted([handler, *others]) if there else others

    inside: Any = there_in
    inside.handlers = changed(inside.handlers)
    for table in (inside.process_request, inside.handle_open, inside.process_response):
        for scheme in ("http", "https"):
            table[scheme] = changed(table.get(scheme, []))


def _wire(request: Request) -> str:
    """Return the URL that goes over the wire."""
    return request.full_url.partition("#")[0]


def _field(request: Request, name: str) -> str:
    """Return a field of the caller's; http.client takes fields as bytes as well."""
    value: str | bytes = request.get_header(name) or ""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _rewrite(request: Request, url: str) -> None:
    """Let the request go to ``url``; setting it forgets a proxy that the caller has set by hand."""
    _, mark, fragment = request.full_url.partition("#")
    proxied: Any = request
    proxy = (request.host, request.type) if request.has_proxy() else None
    request.full_url = url + mark + fragment
    if proxy is not None:
        proxied.set_proxy(*proxy)
