"""The one flow of a download: wait for look-ups, send, read a prefix of the content, and end with the verdict.

The flow is a generator that decides and does no input or output. ``run`` (threads) and ``run_async`` (tasks) drive it
with an exchange, which sends the request and reads the answer by one HTTP library; a library that calls back steps it
with ``advance_async``. Nothing of the content is handed over before the flow has ended.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Generator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from consentcrawl.core import (
    BODY,
    HEAD,
    NO_FIELDS,
    Evidence,
    Fields,
    Gate,
    Hop,
    Inquiry,
    Policy,
    Verdict,
    origin_of,
)
from consentcrawl.formats.url import BadUrl, canonical, same_site
from consentcrawl.ledger.recording import Delivered, Ended
from consentcrawl.ledger.recording.durable import durable
from consentcrawl.net.pace import Parked, Turn
from consentcrawl.net.reader import FOLLOWED
from consentcrawl.net.unpacking import unpacked
from consentcrawl.net.unreached import Unreached
from consentcrawl.sources.manifests import Manifests
from consentcrawl.steward import Steward

# How much of the content is read before any is handed over, by the beginning of its media type.
_PREFIX_LIMITS = {
    "text/event-stream": 4,  # it comes piece by piece without an end; a picture under this name is known by these
    "text/": 1024 * 1024,
    "application/xhtml": 1024 * 1024,
    "application/json": 64 * 1024,
    "application/zip": 64 * 1024,
    "audio/": 64 * 1024,
    "video/": 64 * 1024,
}
_UNKNOWN_TYPE = 16 * 1024 * 1024
_PARTIAL = 206
_NO_CONTENT = frozenset({204, 304})  # RFC 9110 §15.3.5, §15.4.5; a 205 may come with one all the same
_OTHER_HOST = "a Host field that names another place than the URL"
_RANGE = re.compile(r"bytes 0-([0-9]{1,18})/([0-9]{1,18})", re.IGNORECASE | re.ASCII).fullmatch
_CAUSES = 8
_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError)
"""Errors of a program, and not of a network."""


# Not frozen: a frozen one takes three times as long to make, and every download makes five.
@dataclass(slots=True)
class Wait:
    """Wait for ``futures``: look-ups, the origin's turn, or the entry in the ledger."""

    futures: Sequence[Future[Any]]


@dataclass(slots=True)
class Send:
    """Send the request for ``url``, the URL that was checked; answer with a ``Head``."""

    url: str


@dataclass(slots=True)
class Read:
    """Read the content to its end, or to a little beyond ``limit`` bytes; answer with a ``Content``."""

    limit: int


@dataclass(slots=True)
class Head:
    """The head of the answer. ``gap`` is a reason code where it is malformed; ``bodiless``: no content to judge."""

    status: int
    fields: Fields
    gap: str = ""
    bodiless: bool = False


@dataclass(slots=True)
class Content:
    """The content, or a prefix of it. ``ended``: nothing follows. ``decoded``: its content codings are undone.

    ``gap`` is a reason code where it could not be had as it was sent.
    """

    data: bytes
    ended: bool
    decoded: bool = False
    gap: str = ""


Step = Wait | Send | Read
Reply = Head | Content | None
Flow = Generator[Step, Reply, Verdict]


class Exchange(Protocol):
    """One request of an HTTP library and its answer; errors are the library's own."""

    def send(self, url: str) -> Head:
        """Send the request for ``url`` and return the head of the answer."""
        ...

    def read(self, limit: int) -> Content:
        """Return the content to its end, or to a little beyond ``limit`` bytes."""
        ...


class AsyncExchange(Protocol):
    """As ``Exchange``, for tasks."""

    async def send(self, url: str) -> Head:
        """Send the request for ``url`` and return the head of the answer."""
        ...

    async def read(self, limit: int) -> Content:
        """Return the content to its end, or to a little beyond ``limit`` bytes."""
        ...


class Download:
    """The inquiry about one URL, its flow, and what becomes of it.

    ``page`` is the page that shows the asset, where the caller knows it; else ``referer`` counts as that page when both
    are of the same site. ``host`` is the Host field that the caller sends. A URL that cannot be read, or a ``host``
    that names another place, ends the flow at once. ``reach``, ``settle`` and ``policy`` as for ``Steward.open``.
    ``limit`` takes the place of the number of bytes that are read of a content of its type. ``before_end`` may add gaps
    to the inquiry when nothing more is needed.
    """

    __slots__ = (
        "_before_end", "_decided", "_entry", "_flow", "_hops", "_limit", "_steward", "_turn",
        "fields", "inquiry", "status", "step", "url", "verdict",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 (keywords, each optional)
        self,
        steward: Steward,
        url: str,
        *,
        page: str = "",
        referer: str = "",
        host: str = "",
        hops: Sequence[Hop] = (),
        reach: Gate = Gate.BODY,
        settle: bool = True,
        policy: Policy | None = None,
        limit: int = 0,
        before_end: Callable[[Inquiry], None] | None = None,
    ) -> None:
        """Open the inquiry."""
        self._steward, self._hops, self._limit, self._before_end = steward, hops, limit, before_end
        self.status, self.fields = 0, NO_FIELDS
        self._decided: Verdict | None = None
        self._entry: Future[int] | None = None
        self._turn: Turn | None = None
        self.verdict: Verdict | None = None
        """The verdict, once the flow has ended."""
        self.inquiry: Inquiry | None = None
        """The inquiry; None where the URL cannot be read."""
        self.url = url
        """The canonical URL: what is checked is what is sent."""
        if not page and referer and _of_same_site(url, referer):
            page = referer
        try:
            inquiry = steward.open(url, page or None, reach=reach, settle=settle, policy=policy)
            _must_name(host, inquiry.asset.origin)
            self.inquiry, self.url = inquiry, inquiry.asset.url
        except BadUrl as error:
            self.verdict = steward.unreadable(url, error, policy=policy)
        self.step: Send | Read | Verdict | None = None
        """The step at which the flow stands; None before it has begun."""
        self._flow = self._steps()

    def go_on(self, reply: Reply = None) -> Step | Verdict:
        """Answer the step at which the flow stands; return the next one, or the verdict. Raises LedgerBroken."""
        try:
            return self._flow.send(reply)
        except StopIteration:
            assert self.verdict is not None  # noqa: S101 (it is set before the flow ends)
            return self.verdict

    def _steps(self) -> Flow:
        inquiry = self.inquiry
        if inquiry is None:
            assert self.verdict is not None  # noqa: S101 (set where there is no inquiry)
            return self.verdict
        if _awaits(inquiry, Gate.HEAD) or (yield from self._looked_up(inquiry, Gate.HEAD)):
            yield from self._sent(inquiry)
            if _awaits(inquiry, Gate.BODY) or (yield from self._looked_up(inquiry, Gate.BODY)):
                content = yield from self._content()
                body = self._tell_content(inquiry, content)
                if inquiry.needs():
                    yield from self._looked_up(inquiry, Gate.BODY, Manifests(body, inquiry.policy))
        if self.verdict is not None:  # abandoned while it waited
            return self.verdict
        if self._before_end is not None:
            self._before_end(inquiry)
        self._decided, self._entry = self._steward.finish(inquiry, self._hops)
        if self._entry is not None:
            yield Wait((self._entry,))
            self._entry.result()
        self.verdict = self._decided
        return self.verdict

    def _looked_up(self, inquiry: Inquiry, gate: Gate, *sources: Manifests) -> Generator[Step, Reply, bool]:
        """Wait for all look-ups; return whether the inquiry goes on to ``gate``."""
        for pending in self._steward.resolve(inquiry, *sources):
            yield Wait(pending)
        return _awaits(inquiry, gate)

    def _sent(self, inquiry: Inquiry) -> Generator[Step, Reply, None]:
        """Send the request in its origin's turn; an origin that must be left alone for too long is a gap."""
        self._turn = turn = self._steward.turn(inquiry.asset.origin)
        if turn is not None:
            yield Wait((turn,))
            if isinstance(parked := turn.exception(), Parked):
                inquiry.reach, at = Gate.HEAD, self._steward.clock()
                inquiry.tell(Evidence(HEAD, self.url, at=at, gap="parked", whole=False, note=str(parked)))
                return
        head = yield Send(self.url)
        assert isinstance(head, Head)  # noqa: S101 (the reply to Send)
        self._steward.end_turn(inquiry.asset.origin, turn, head)
        self._tell_head(inquiry, head)

    def _content(self) -> Generator[Step, Reply, Content]:
        """Return what is read of the content; a part is judged by the asset from its beginning, looked up for that."""
        if not self.partial:
            content = yield Read(self.prefix_limit)
            assert isinstance(content, Content)  # noqa: S101 (the reply to Read)
            return content
        beginning = self._steward.prefix(self.url, self.prefix_limit)
        yield Wait((beginning,))
        return content_of(beginning.result())

    @property
    def prefix_limit(self) -> int:
        """How many bytes of the content are read before any are handed over."""
        return self._limit or _prefix_limit(self.fields.first("content-type"))

    @property
    def partial(self) -> bool:
        """The answer is a part (RFC 9110 §15.3.7): what the asset says may stand in the rest of it."""
        if self.status != _PARTIAL:
            return False
        match = _RANGE(self.fields.first("content-range").strip())
        return match is None or int(match[1]) + 1 != int(match[2])

    @property
    def recorded(self) -> bool:
        """A ledger keeps the verdict, and takes what was delivered."""
        return self._entry is not None

    @property
    def entry(self) -> Future[int] | None:
        """The index of the verdict's entry in the ledger, to come; None without a ledger, and before the end."""
        return self._entry

    def abandon(self, error: BaseException) -> None:
        """End a download that broke off by ``error``: what was not told is a gap with its reason. Does not wait.

        The flow must stand still. A download that has ended already is left as it is.
        """
        inquiry = self.inquiry
        if inquiry is None or self.verdict is not None:
            return
        if self._decided is not None:  # it waited for the ledger alone
            self.verdict = self._decided
            return
        self._flow.close()  # else its frame would keep the content
        self._steward.end_turn(inquiry.asset.origin, self._turn)
        at, reason = self._steward.clock(), reason_of(error, inquiry.gate)
        for need in [need for need in inquiry.needs() if need in (HEAD, BODY)]:
            status = self.status or None
            inquiry.tell(Evidence(need, self.url, status=status, fields=self.fields, at=at, gap=reason, whole=False))
        self.verdict, self._entry = self._steward.finish(inquiry, self._hops)

    def delivered(self, size: int, digest: str, file: str = "") -> None:
        """Tell the ledger how many bytes were handed to the caller, and their SHA-256 in hex. Does not wait."""
        if (ended := self.delivery(size, digest, file)) is not None and self._steward.record is not None:
            self._steward.record.record_outcomes([ended])

    def delivery(self, size: int, digest: str, file: str = "") -> Ended | None:
        """Return what ``delivered`` tells the ledger, for a caller that tells it of many together; None without one."""
        if self.verdict is None or self._entry is None:
            return None
        return self.verdict, self._entry.result(), Delivered(self.status, size, digest, file)

    def _tell_head(self, inquiry: Inquiry, head: Head) -> None:
        self.status, self.fields = head.status, head.fields
        if head.gap or head.bodiless or not self._has_content():
            inquiry.reach = Gate.HEAD
        at = self._steward.clock()
        inquiry.tell(Evidence(HEAD, self.url, status=head.status, fields=head.fields, at=at, gap=head.gap))

    def _tell_content(self, inquiry: Inquiry, content: Content) -> Evidence:
        limit = self.prefix_limit
        data, gap, whole = content.data, content.gap, content.ended and len(content.data) <= limit
        if not content.decoded and (codings := self.fields.lines("content-encoding")):
            data, lost = unpacked(data, codings, limit + 1, whole=whole)
            whole, gap = whole and len(data) <= limit, gap or lost
        body = Evidence(
            BODY, self.url, status=self.status, fields=self.fields, content=data[:limit], at=self._steward.clock(),
            gap=gap, whole=whole,
        )  # fmt: skip
        inquiry.tell(body)
        return body

    def _has_content(self) -> bool:
        """An error page is content as well; that of a redirect is not the asset (RFC 9110 §15.4)."""
        leads_on = self.status in FOLLOWED and bool(self.fields.lines("location"))
        return self.status not in _NO_CONTENT and not leads_on


Advance = Callable[[Download, Reply], Awaitable[Send | Read | Verdict]]


def run(download: Download, exchange: Exchange) -> Verdict:
    """Run the flow to its end with ``exchange``. Blocks; raises LedgerBroken, and whatever the exchange raises.

    However it ends, the ledger has one entry about it.
    """
    try:
        step = advance(download) if download.step is None else download.step
        while not isinstance(step, Verdict):
            reply = exchange.send(step.url) if isinstance(step, Send) else exchange.read(step.limit)
            step = advance(download, reply)
    except BaseException as error:
        download.abandon(error)
        raise
    return step


async def run_async(download: Download, exchange: AsyncExchange, advance: Advance | None = None) -> Verdict:
    """Run the flow to its end, as ``run``. Cancelling the task ends the download; shared look-ups go on.

    ``advance`` takes the place of ``advance_async``, for a caller that judges large contents in threads.
    """
    go_on = advance or advance_async
    try:
        step = await go_on(download, None) if download.step is None else download.step
        while not isinstance(step, Verdict):
            reply = await (exchange.send(step.url) if isinstance(step, Send) else exchange.read(step.limit))
            step = await go_on(download, reply)
    except BaseException as error:
        download.abandon(error)
        raise
    return step


def advance(download: Download, reply: Reply = None) -> Send | Read | Verdict:
    """Answer the step at which a download stands; return the next one that is the caller's, or the verdict. Blocks."""
    step = download.go_on(reply)
    while isinstance(step, Wait):
        wait(step.futures)
        step = download.go_on()
    download.step = step
    return step


async def advance_async(download: Download, reply: Reply = None) -> Send | Read | Verdict:
    """Return the next step of the caller's, or the verdict, as ``advance``."""
    step = download.go_on(reply)
    while isinstance(step, Wait):
        for future in step.futures:
            await durable(future)
        step = download.go_on()
    download.step = step
    return step


def content_of(beginning: Evidence) -> Content:
    """Return as content what was looked up of an asset's beginning (``Steward.prefix``)."""
    # Another status is another document: an error page or a challenge says nothing about the asset.
    gap = beginning.gap or ("" if beginning.found else "bad_status")
    return Content(beginning.content, beginning.whole, decoded=True, gap=gap)


def reason_of(error: BaseException, gate: Gate) -> str:
    """Return the reason code for an answer that an error cut off, by that error and by those that caused it."""
    chain: BaseException | None = error
    for _ in range(_CAUSES):
        if isinstance(chain, Unreached):
            return chain.reason
        if isinstance(chain, TimeoutError):
            return "timeout"
        if chain is None:
            break
        chain = chain.__cause__ or chain.__context__
    if not isinstance(error, Exception) or gate is Gate.LOOKUP:
        return "not_fetched"  # cancelled, or interrupted
    if isinstance(error, _FAULTS):
        return "reader_failed"
    return "connect" if gate is Gate.HEAD else "truncated"


def _awaits(inquiry: Inquiry, gate: Gate) -> bool:
    needs = inquiry.needs()
    return bool(needs) and needs[0].gate is gate


@lru_cache(256)
def _prefix_limit(content_type: str) -> int:
    lowered = content_type.lower()
    return next((size for kind, size in _PREFIX_LIMITS.items() if lowered.startswith(kind)), _UNKNOWN_TYPE)


def _must_name(host: str, origin: str) -> None:
    """Raise BadUrl where a Host field names another origin: the asset is there, and not where its URL says.

    RFC 9110 §7.1: the target URI is made of that field; who can see two origins in one request asks about neither.
    """
    scheme, _, authority = origin.partition("//")
    if host and host != authority and origin_of(canonical(f"{scheme}//{host}/")) != origin:
        raise BadUrl(_OTHER_HOST, host)


def _of_same_site(url: str, referer: str) -> bool:
    """Return whether the referer counts as the page; one that is no URL does, so that the steward notes it as a gap."""
    try:
        return same_site(canonical(url), canonical(referer))
    except BadUrl:
        return True
