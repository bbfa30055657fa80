"""One download as a driver sees it: before the request, after the head, after the content.

Each step gives the verdict that ends the download, or None to go on; nothing is delivered before the last one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from concurrent.futures import Future
from functools import lru_cache

from consentcrawl.core import BODY, HEAD, NO_FIELDS, Evidence, Fields, Gate, Hop, Need, Verdict, origin_of
from consentcrawl.formats.url import BadUrl, canonical, same_site
from consentcrawl.ledger.recording import Delivered, Ended
from consentcrawl.ledger.recording.durable import durable
from consentcrawl.net.reader import FOLLOWED
from consentcrawl.sources import manifests
from consentcrawl.steward import Steward

# How much of the content is looked at, by the beginning of its media type; an unknown type may be an image.
_LOOKED_AT = {
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


class Download:
    """The inquiry about one URL, and what a driver does about it. Raises BadUrl for the URL.

    ``page`` is the page that shows the asset, where the caller knows it; else ``referer`` counts as that page when both
    are of the same site. ``host`` is the Host field that the caller sends: BadUrl where it names another place.
    """

    __slots__ = ("_entry", "_hops", "_inquiry", "_steward", "fields", "status", "verdict")

    def __init__(  # noqa: PLR0913 (keywords, each optional)
        self,
        steward: Steward,
        url: str,
        *,
        page: str = "",
        referer: str = "",
        host: str = "",
        hops: Sequence[Hop] = (),
    ) -> None:
        """Open the inquiry."""
        self._steward, self._hops = steward, hops
        if not page and referer and _of_same_site(url, referer):
            page = referer
        self._inquiry = steward.open(url, page or None)
        _must_name(host, self._inquiry.asset.origin)
        self.status, self.fields = 0, NO_FIELDS
        self._entry: Future[int] | None = None
        self.verdict: Verdict | None = None
        """The verdict, once it has ended."""

    @property
    def url(self) -> str:
        """The canonical URL: what is checked is what is sent."""
        return self._inquiry.asset.url

    def before(self) -> Verdict | None:
        """Meet the LOOKUP gate. Blocks."""
        if not self._awaits(Gate.HEAD):
            self._steward.look_up(self._inquiry)
        return None if self._awaits(Gate.HEAD) else self._close()

    async def before_async(self) -> Verdict | None:
        """Meet the LOOKUP gate."""
        if not self._awaits(Gate.HEAD):
            await self._steward.look_up_async(self._inquiry)
        return None if self._awaits(Gate.HEAD) else await self._close_async()

    def head(self, status: int, fields: Fields, *, gap: str = "", bodiless: bool = False) -> Verdict | None:
        """Tell the head of the answer; ``gap`` when it was malformed, ``bodiless`` when it answers a HEAD request.

        A permit means that there is no content to judge. Blocks where the head names documents to look up.
        """
        self._tell_head(status, fields, gap, bodiless=bodiless)
        if not self._awaits(Gate.BODY):
            self._steward.look_up(self._inquiry)
        return None if self._awaits(Gate.BODY) else self._close()

    async def head_async(self, status: int, fields: Fields, *, gap: str = "", bodiless: bool = False) -> Verdict | None:
        """Tell the head of the answer, as ``head``."""
        self._tell_head(status, fields, gap, bodiless=bodiless)
        if not self._awaits(Gate.BODY):
            await self._steward.look_up_async(self._inquiry)
        return None if self._awaits(Gate.BODY) else await self._close_async()

    @property
    def looked_at(self) -> int:
        """How many bytes of the content are looked at before any are delivered."""
        return _looked_at(self.fields.first("content-type"))

    @property
    def partial(self) -> bool:
        """The answer is a part (RFC 9110 §15.3.7): what the asset says may stand in the rest of it."""
        if self.status != _PARTIAL:
            return False
        match = _RANGE(self.fields.first("content-range").strip())
        return match is None or int(match[1]) + 1 != int(match[2])

    def body(self, content: bytes, *, whole: bool, gap: str = "") -> Verdict:
        """Tell the content, or a prefix of it, with content codings undone. Blocks where it leads on."""
        body = self._tell_body(content, gap, whole=whole)
        while self._inquiry.needs():
            self._steward.look_up(self._inquiry)
            if not (needs := self._of_content()):
                break
            for need in needs:
                self._inquiry.tell(manifests.answer(need, body, self._steward.policy))
        return self._close()

    async def body_async(self, content: bytes, *, whole: bool, gap: str = "") -> Verdict:
        """Tell the content, as ``body``."""
        body = self._tell_body(content, gap, whole=whole)
        while self._inquiry.needs():
            await self._steward.look_up_async(self._inquiry)
            if not (needs := self._of_content()):
                break
            for need in needs:
                self._inquiry.tell(await manifests.answer_async(need, body, self._steward.policy))
        return await self._close_async()

    def start(self) -> Verdict:
        """Judge a part by the asset from its beginning, which is looked up for that. Blocks."""
        content, whole, gap = self._beginning()
        return self.body(content, whole=whole, gap=gap)

    async def start_async(self) -> Verdict:
        """Judge a part, as ``start``."""
        content, whole, gap = await asyncio.to_thread(self._beginning)
        return await self.body_async(content, whole=whole, gap=gap)

    def ended(self) -> Verdict:
        """Return the verdict of a download that has ended, or end one that broke off: what was not told is a gap."""
        return self._close()

    async def ended_async(self) -> Verdict:
        """Return the verdict, as ``ended``."""
        return await self._close_async()

    @property
    def recorded(self) -> bool:
        """A ledger keeps the verdict, and wants to know what was delivered."""
        return self._entry is not None

    def delivered(self, size: int, digest: str, file: str = "") -> None:
        """Tell the ledger how many bytes were handed to the caller, and their SHA-256 in hex. Does not wait."""
        if (ended := self.delivery(size, digest, file)) is not None and self._steward.record is not None:
            self._steward.record.record_outcomes([ended])

    def delivery(self, size: int, digest: str, file: str = "") -> Ended | None:
        """Return what ``delivered`` tells the ledger, for who tells it of many together; None without a ledger."""
        if self.verdict is None or self._entry is None:
            return None
        return self.verdict, self._entry.result(), Delivered(self.status, size, digest, file)

    def _beginning(self) -> tuple[bytes, bool, str]:
        beginning = self._steward.reader.prefix(self.url, self.looked_at)
        # Another status is another document: an error page or a challenge says nothing about the asset.
        gap = beginning.gap or ("" if beginning.found else "bad_status")
        return beginning.content, beginning.whole, gap

    def _awaits(self, gate: Gate) -> bool:
        needs = self._inquiry.needs()
        return bool(needs) and needs[0].gate is gate

    def _tell_head(self, status: int, fields: Fields, gap: str, *, bodiless: bool) -> None:
        self.status, self.fields = status, fields
        if gap or bodiless or not self._has_content():
            self._inquiry.reach = Gate.HEAD
        at = self._steward.clock()
        self._inquiry.tell(Evidence(HEAD, self.url, status=status, fields=fields, at=at, gap=gap))

    def _tell_body(self, content: bytes, gap: str, *, whole: bool) -> Evidence:
        body = Evidence(
            BODY, self.url, status=self.status, fields=self.fields, content=content, at=self._steward.clock(), gap=gap,
            whole=whole,
        )  # fmt: skip
        self._inquiry.tell(body)
        return body

    def _of_content(self) -> list[Need]:
        """Return the needs that are met from the content itself, by its manifest."""
        return [need for need in self._inquiry.needs() if manifests.meets(need)]

    def _has_content(self) -> bool:
        """An error page is content as well; that of a redirect is not the asset (RFC 9110 §15.4)."""
        leads_on = self.status in FOLLOWED and bool(self.fields.lines("location"))
        return self.status not in _NO_CONTENT and not leads_on

    def _close(self) -> Verdict:
        """End the inquiry once: what is only observed goes on after its verdict."""
        if self.verdict is not None:
            return self.verdict
        verdict, self._entry = self._steward.end(self._inquiry, self._hops)
        if self._entry is not None:
            self._entry.result()
        self.verdict = verdict
        return verdict

    async def _close_async(self) -> Verdict:
        if self.verdict is not None:
            return self.verdict
        verdict, self._entry = self._steward.end(self._inquiry, self._hops)
        if self._entry is not None:
            await durable(self._entry)
        self.verdict = verdict
        return verdict


@lru_cache(256)
def _looked_at(content_type: str) -> int:
    lowered = content_type.lower()
    return next((size for kind, size in _LOOKED_AT.items() if lowered.startswith(kind)), _UNKNOWN_TYPE)


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
