"""urllib.request: a handler of openers that asks before each request, after each head and before any content.

What urllib itself would do is done by urllib. Its proxies, cookies and credentials stay on the caller's own
request, and every redirect hop, and every answer of another handler, passes through here.
"""

from __future__ import annotations

import threading
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, Literal
from urllib.error import URLError
from urllib.request import BaseHandler, OpenerDirector, Request, build_opener
from weakref import WeakSet

from consentcrawl import errors
from consentcrawl.config import Config
from consentcrawl.core import Fields, Verdict
from consentcrawl.download import Download
from consentcrawl.drivers.shared.contents import told
from consentcrawl.drivers.shared.heads import gap_of_http_client
from consentcrawl.drivers.shared.held import Held
from consentcrawl.drivers.shared.http_answers import again, synthetic
from consentcrawl.formats.url import BadUrl
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

    def _ask(self, request: Request) -> tuple[Download | None, Verdict | None]:
        wire, steward = _wire(request), self.held.steward
        try:
            download = Download(steward, wire, referer=_field(request, "Referer"), host=_field(request, "Host"))
        except BadUrl as error:
            return None, steward.unreadable(wire, error)
        if download.url != wire:
            _rewrite(request, download.url)
        return download, download.before()

    def _judge(
        self,
        download: Download | None,
        request: Request,
        response: Any,  # noqa: ANN401 (any handler's answer)
    ) -> tuple[Any, Verdict | None]:
        verdict = None
        if download is None:  # another handler answered, such as a cache
            download, verdict = self._ask(request)
        if download is None or errors.withholds(verdict):
            return response, verdict
        fields = Fields(response.headers.raw_items())
        gap = gap_of_http_client(response.status, fields, response.headers)
        verdict = download.head(response.status, fields, gap=gap, bodiless=request.get_method() == "HEAD")
        length, start = getattr(response, "length", None), b""
        if verdict is None and download.partial:
            verdict = download.start()
        elif verdict is None:
            start, verdict = self._judge_content(download, response)
        if not start and not download.recorded:
            return response, verdict
        return again(download, response, start, length), verdict

    def _judge_content(self, download: Download, response: Any) -> tuple[bytes, Verdict]:  # noqa: ANN401 (as above)
        limit = download.looked_at
        try:
            start = response.read(limit + 1)
        except (HTTPException, OSError):
            download.ended()
            raise
        ended = len(start) <= limit
        content, whole, gap = told(download, start, ended=ended)
        if ended and getattr(response, "length", None):  # http.client says nothing when less came than was announced
            whole, gap = False, gap or "truncated"
        return start, download.body(content, whole=whole, gap=gap)

    def _end(self, verdict: Verdict, request: Request) -> HTTPResponse:
        if self.refusal == "raise":
            raise errors.withheld_by(verdict, Refused, Undetermined)
        answer = synthetic(verdict, request.full_url)
        setattr(answer, _JUDGED, True)
        return answer


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
_reached: WeakSet[OpenerDirector] = WeakSet()
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
