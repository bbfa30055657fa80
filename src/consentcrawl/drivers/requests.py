"""requests: an adapter that asks before each request, after each head and before any content is handed over.

Law: what requests itself would do is done by requests. Its retries, proxies, cookies and credentials stay on the
caller's own request, and every redirect hop passes through here as a request of its own.
"""

from __future__ import annotations

import io
import re
from typing import Any, Literal

import requests
from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest, Response
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse, HTTPResponse

from consentcrawl import errors
from consentcrawl.config import Config, configured
from consentcrawl.core import Fields, Verdict
from consentcrawl.download import Download
from consentcrawl.formats.url import BadUrl
from consentcrawl.net.unpacking import unpacked
from consentcrawl.steward import Steward
from consentcrawl.withheld import REASON, STATUS, fields_of, problem

_USERINFO = re.compile(r"//[^/?#@\\]*@").sub
_ODD = re.compile(r"[\r\n\0]").search

__all__ = ["ConsentAdapter", "Refused", "Undetermined", "session"]


class Refused(errors.Refused, requests.RequestException):
    """The asset may not be taken: a refusal that an existing ``except requests.RequestException`` catches."""


class Undetermined(errors.Undetermined, requests.RequestException):
    """It could not be found out whether the asset may be taken."""


class ConsentAdapter(HTTPAdapter):
    """An HTTPAdapter to mount on a session. ``refusal`` says whether a refusal raises or is a synthetic 451 response.

    Thread-safe as far as HTTPAdapter is; one steward may serve many adapters.
    """

    def __init__(self, steward: Steward, *, refusal: Literal["raise", "response"] = "raise", **more: Any) -> None:  # noqa: ANN401 (HTTPAdapter's own)
        """Ask ``steward``; ``more`` goes to HTTPAdapter."""
        super().__init__(**more)
        self.steward, self.refusal = steward, refusal

    def send(  # type: ignore[override]
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 (HTTPAdapter's own)
        **more: Any,  # noqa: ANN401 (HTTPAdapter's own)
    ) -> Response:
        """Send the request if its asset may be taken. Raises Refused, Undetermined, and whatever requests raises."""
        try:
            download = Download(self.steward, _wire_url(request), referer=request.headers.get("Referer") or "")
        except BadUrl as error:
            return self._end(self.steward.unreadable(str(request.url), error), request)
        request.url = download.url
        if errors.withholds(verdict := download.before()):
            return self._end(verdict, request)
        response = super().send(request, stream=True, **more)
        verdict = self._judge(download, response)
        if errors.withholds(verdict):
            response.close()
            return self._end(verdict, request)
        if not stream:
            response.content  # noqa: B018 (reading is keeping)
        return response

    def _judge(self, download: Download, response: Response) -> Verdict:
        fields = Fields(_pairs(response.raw))
        gap = _head_gap(response.raw)
        bodiless = response.request.method == "HEAD"
        verdict = download.head(response.status_code, fields, gap=gap, bodiless=bodiless)
        return self._judge_body(download, response) if verdict is None else verdict

    def _judge_body(self, download: Download, response: Response) -> Verdict:
        if download.partial:
            return download.start()
        raw, limit = response.raw, download.looked_at
        try:
            start = raw.read(limit + 1, decode_content=False)
        except (HTTPError, OSError) as error:
            download.ended()
            response.close()
            raise requests.ConnectionError(error, request=response.request) from error
        response.raw = _again(raw, start)
        codings = download.fields.lines("content-encoding")
        content, gap = unpacked(start, codings, limit + 1, whole=len(start) <= limit)
        return download.body(content[:limit], whole=max(len(start), len(content)) <= limit, gap=gap)

    def _end(self, verdict: Verdict, request: PreparedRequest) -> Response:
        if self.refusal == "raise":
            raise errors.withheld_by(verdict, Refused, Undetermined)
        return _synthetic(verdict, request)


def session(
    purpose: str | None = None,
    *,
    config: Config | None = None,
    steward: Steward | None = None,
    refusal: Literal["raise", "response"] = "raise",
) -> requests.Session:
    """Give a requests.Session whose every request asks first.

    ``purpose`` is a name of core.PURPOSES and overrides the configured one. Without ``config`` or ``steward`` the
    usual places are read (``consentcrawl.load``). Raises BadPurpose and BadPolicy.
    """
    steward = steward or Steward(configured(config, purpose))
    ours = requests.Session()
    ours.headers["User-Agent"] = steward.config.user_agent
    adapter = ConsentAdapter(steward, refusal=refusal)
    ours.mount("https://", adapter)
    ours.mount("http://", adapter)
    return ours


def _wire_url(request: PreparedRequest) -> str:
    """Give the URL that goes over the wire: without the caller's name and password, and requests drops a bare ``?``."""
    return _USERINFO("//", str(request.url), 1).removesuffix("?")


def _pairs(raw: BaseHTTPResponse) -> list[tuple[str, str]]:
    """Give every line of the head for itself; ``response.headers`` has joined them."""
    return list(raw.headers.iteritems())


def _head_gap(raw: BaseHTTPResponse) -> str:
    """Tell whether http.client dropped lines from the head or read it in its own way (it says so in ``defects``)."""
    original = getattr(raw, "_original_response", None)
    message = getattr(original, "msg", None)
    odd = (
        bool(getattr(message, "defects", ()))
        or raw.status < 200  # noqa: PLR2004 (RFC 9110 §15.2: an interim answer)
        or any(_ODD(name + value) for name, value in raw.headers.iteritems())
        or not _framed(raw)
    )
    return "bad_head" if odd else ""


def _framed(raw: BaseHTTPResponse) -> bool:
    """RFC 9112 §6.3: one Content-Length of digits, and not beside Transfer-Encoding."""
    lengths = set(raw.headers.getlist("content-length"))
    return (
        len(lengths) <= 1
        and all(n.isascii() and n.isdigit() for n in lengths)
        and not (lengths and raw.headers.getlist("transfer-encoding"))
    )


def _again(raw: HTTPResponse, start: bytes) -> HTTPResponse:
    """Give a response that reads ``start`` once more and then goes on where ``raw`` is."""
    headers = raw.headers.copy()
    headers.discard("transfer-encoding")  # http.client has undone the chunks
    return HTTPResponse(
        body=_Resumed(start, raw),
        headers=headers,
        status=raw.status,
        version=raw.version,
        reason=raw.reason,
        preload_content=False,
        decode_content=raw.decode_content,
        original_response=raw._original_response,  # noqa: SLF001 (requests takes cookies from it)
        request_method=getattr(raw, "_request_method", None),
        enforce_content_length=False,
    )


class _Resumed(io.RawIOBase):
    """A file that gives bytes already read, then those still to come, undecoded."""

    def __init__(self, start: bytes, rest: HTTPResponse) -> None:
        self._start, self._rest = io.BytesIO(start), rest

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        size = -1 if size is None else size
        first = self._start.read(size)
        if len(first) == size:
            return first
        return first + self._rest.read(None if size < 0 else size - len(first), decode_content=False)

    def close(self) -> None:
        self._rest.close()
        self._rest.release_conn()
        super().close()


def _synthetic(verdict: Verdict, request: PreparedRequest) -> Response:
    content = problem(verdict)
    response = Response()
    response.status_code, response.reason = STATUS, REASON
    response.url, response.request = str(request.url), request
    fields = HTTPHeaderDict(fields_of(verdict, content))
    response.headers.update(fields)
    response.raw = HTTPResponse(io.BytesIO(content), headers=fields, status=STATUS, preload_content=False)
    return response
