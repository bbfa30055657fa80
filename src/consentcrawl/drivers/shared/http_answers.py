"""Answers of http.client that are read again from their beginning, or that no server sent.

What the caller gets is an HTTPResponse as http.client makes it, with the head as it came.
"""

from __future__ import annotations

from http.client import HTTPMessage, HTTPResponse
from io import BufferedReader, BytesIO
from typing import Any

from consentcrawl.core import Verdict
from consentcrawl.download import Download
from consentcrawl.drivers.shared.contents import HandedOut, Resumed
from consentcrawl.drivers.shared.withheld import REASON, STATUS, fields_of, problem

_HTTP_1_1 = 11


def again(download: Download, response: Any, start: bytes, length: int | None) -> HTTPResponse:  # noqa: ANN401 (any handler's answer)
    """Return an answer that reads ``start`` once more and goes on where ``response`` is.

    ``length`` is how many bytes of content the response had at first, None where it was not announced.
    """
    content: Resumed | BytesIO
    if download.recorded:
        content = Resumed(start, response.read1, response.close, HandedOut(download))
    elif isinstance(response, HTTPResponse) and response.isclosed():
        content = BytesIO(start)
    else:
        content = Resumed(start, response.read1, response.close)
    return _answer(response, BufferedReader(content), length)


def synthetic(verdict: Verdict, url: str) -> HTTPResponse:
    """Return the 451 that stands in the place of what is withheld."""
    content = problem(verdict)
    return _answer(_Head(verdict, content, url), BufferedReader(BytesIO(content)), len(content))


class _Source:
    """What http.client takes for a socket."""

    def __init__(self, content: BufferedReader) -> None:
        self._content = content

    def makefile(self, _mode: str) -> BufferedReader:
        return self._content


class _Head:
    """The head of an answer that no server sent."""

    status, reason, version = STATUS, REASON, _HTTP_1_1

    def __init__(self, verdict: Verdict, content: bytes, url: str) -> None:
        self.headers, self.url = HTTPMessage(), url
        for name, value in fields_of(verdict, content):
            self.headers[name] = value


def _answer(like: Any, content: BufferedReader, length: int | None) -> HTTPResponse:  # noqa: ANN401 (any handler's answer)
    """Return an answer with the head of another one, that reads ``content``."""
    answer: Any = HTTPResponse(_Source(content))  # type: ignore[arg-type]
    answer.chunked, answer.will_close, answer.length = False, True, length
    answer.headers, answer.status, answer.code = like.headers, like.status, like.status
    answer.reason = answer.msg = getattr(like, "reason", "")
    answer.version, answer.url = getattr(like, "version", _HTTP_1_1), like.url
    ours: HTTPResponse = answer
    return ours
