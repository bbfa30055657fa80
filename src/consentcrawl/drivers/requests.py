"""requests: an adapter that asks before each request, after each head and before any content is handed over.

What requests itself would do is done by requests. Its retries, proxies, cookies and credentials stay on the
caller's own request, and every redirect hop passes through here as a request of its own.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from email.message import Message
from functools import partial
from pathlib import Path
from typing import Any, Literal

import requests
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest, Response
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse, HTTPResponse

from consentcrawl import errors
from consentcrawl.config import Config
from consentcrawl.core import Fields, Verdict
from consentcrawl.download import Content, Download, Head, run
from consentcrawl.drivers.shared.contents import HandedOut
from consentcrawl.drivers.shared.heads import gap_of, gap_of_http_client
from consentcrawl.drivers.shared.held import Held
from consentcrawl.drivers.shared.urllib3_contents import again
from consentcrawl.drivers.shared.withheld import REASON, STATUS, fields_of, problem
from consentcrawl.steward import Steward

_USERINFO = re.compile(r"//[^/?#@\\]*@").sub

__all__ = ["ConsentAdapter", "Refused", "Undetermined", "session"]


class Refused(errors.Refused, requests.RequestException):
    """The asset may not be taken: a refusal that an existing ``except requests.RequestException`` catches."""


class Undetermined(errors.Undetermined, requests.RequestException):
    """It could not be found out whether the asset may be taken."""


class ConsentAdapter(HTTPAdapter):
    """An HTTPAdapter to mount on a session. ``refusal`` says whether a refusal raises or is a synthetic 451 response.

    Thread-safe as far as HTTPAdapter is; one steward may serve many adapters.
    """

    __attrs__ = (*HTTPAdapter.__attrs__, "held", "refusal")  # goes along when a session is pickled

    def __init__(
        self,
        steward: Steward | Held,
        *,
        refusal: Literal["raise", "response"] = "raise",
        **more: Any,  # noqa: ANN401 (HTTPAdapter's own)
    ) -> None:
        """Ask ``steward``; ``more`` goes to HTTPAdapter."""
        super().__init__(**more)
        self.held = steward if isinstance(steward, Held) else Held(steward)
        self.refusal = refusal

    def close(self) -> None:
        """Close the connections, and shut the steward if ``session`` made it."""
        super().close()
        self.held.shut()

    def send(  # type: ignore[override]
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 (HTTPAdapter's own)
        **more: Any,  # noqa: ANN401 (HTTPAdapter's own)
    ) -> Response:
        """Send the request if its asset may be taken. Raises Refused, Undetermined, and whatever requests raises."""
        download = Download(
            self.held.steward, _wire_url(request), referer=_field(request, "Referer"), host=_field(request, "Host")
        )
        exchange = _Exchange(partial(super().send, request, stream=True, **more), request)
        try:
            verdict = run(download, exchange)
        except BaseException:
            exchange.close()
            raise
        if errors.withholds(verdict):
            exchange.close()
            if self.refusal == "raise":
                raise errors.withheld_by(verdict, Refused, Undetermined)
            return _synthetic(verdict, request)
        response = exchange.response
        if response is None:  # a refusal is only noted
            response = exchange.sent(download.url)
        if download.recorded:
            response.raw = again(response.raw, b"", HandedOut(download))
        if not stream:
            response.content  # noqa: B018 (reading is keeping)
        return response


class _Exchange:
    """One request of an adapter, and its answer."""

    def __init__(self, send: Callable[[], Response], request: PreparedRequest) -> None:
        self._send, self._request = send, request
        self.response: Response | None = None

    def sent(self, url: str) -> Response:
        self._request.url = url
        self.response = self._send()
        return self.response

    def send(self, url: str) -> Head:
        response = self.sent(url)
        fields = Fields(_pairs(response.raw))
        gap, bodiless = _head_gap(response.raw, fields), self._request.method == "HEAD"
        return Head(response.status_code, fields, gap, bodiless)

    def read(self, limit: int) -> Content:
        response = self.response
        assert response is not None  # noqa: S101 (sent before it is read)
        try:
            start = response.raw.read(limit + 1, decode_content=False)
        except (HTTPError, OSError) as error:
            raise requests.ConnectionError(error, request=self._request) from error
        ended = len(start) <= limit
        lost = ended and bool(response.raw.length_remaining)  # urllib3 says so at the next read only
        response.raw = again(response.raw, start)
        return Content(start, ended and not lost, gap="truncated" if lost else "")

    def close(self) -> None:
        if self.response is not None:
            self.response.close()


def session(
    purpose: str | None = None,
    *,
    config: Config | None = None,
    steward: Steward | None = None,
    ledger: str | Path | None = None,
    refusal: Literal["raise", "response"] = "raise",
) -> requests.Session:
    """Return a requests.Session whose every request asks first.

    ``purpose`` is a name of core.PURPOSES and overrides the configured one; ``ledger`` is the directory where verdicts
    and what they rest on are kept. Without ``config`` or ``steward`` the usual places are read (``consentcrawl.load``).
    A ``steward`` that is given stays open when the session is closed. Raises BadPurpose, BadPolicy and LedgerBroken.
    """
    held = Held(steward, config, purpose, ledger)
    ours = requests.Session()
    ours.headers["User-Agent"] = held.config.user_agent
    adapter = ConsentAdapter(held, refusal=refusal)
    ours.mount("https://", adapter)
    ours.mount("http://", adapter)
    return ours


def _field(request: PreparedRequest, name: str) -> str:
    """Return a field of the caller's; requests takes fields as bytes as well."""
    value: str | bytes = request.headers.get(name) or ""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _wire_url(request: PreparedRequest) -> str:
    """Return URL that goes over the wire: without the caller's name and password, and requests drops a bare ``?``."""
    return _USERINFO("//", str(request.url), 1).removesuffix("?")


def _pairs(raw: BaseHTTPResponse) -> list[tuple[str, str]]:
    """Return every line of the head for itself; ``response.headers`` has joined them."""
    return list(raw.headers.iteritems())


def _head_gap(raw: BaseHTTPResponse, fields: Fields) -> str:
    """Return the reason code of a head that is odd. urllib3-future, which reads heads itself, tells of no defects."""
    original = getattr(raw, "_original_response", None)
    message = getattr(original, "msg", None)
    return (
        gap_of_http_client(raw.status, fields, message) if isinstance(message, Message) else gap_of(raw.status, fields)
    )


def _synthetic(verdict: Verdict, request: PreparedRequest) -> Response:
    content = problem(verdict)
    response = Response()
    response.status_code, response.reason = STATUS, REASON
    response.url, response.request = str(request.url), request
    fields = HTTPHeaderDict(fields_of(verdict, content))
    response.headers.update(fields)
    response.raw = HTTPResponse(io.BytesIO(content), headers=fields, status=STATUS, preload_content=False)
    return response
