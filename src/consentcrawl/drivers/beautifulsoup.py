"""BeautifulSoup: takes out of a soup the images that may not be taken, and says which and why.

It asks nothing of the images themselves; what the page says is read from the soup, and what cannot be judged goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from bs4.formatter import HTMLFormatter

from consentcrawl import errors
from consentcrawl.config import Config
from consentcrawl.core import Evidence, Fields, Gate, Need, Verdict
from consentcrawl.download import Content, Download, Head, content_of, run
from consentcrawl.drivers.shared import withheld
from consentcrawl.drivers.shared.held import Held
from consentcrawl.drivers.shared.soup_places import places, sweep
from consentcrawl.formats.url import BadUrl, canonical, join
from consentcrawl.steward import Steward

__all__ = ["Removed", "Report", "keep_permitted"]


@dataclass(frozen=True, slots=True)
class Removed:
    """An address that was taken out: as it stood, the tag and attribute where it stood, and the verdict about it."""

    address: str
    where: str
    verdict: Verdict

    @property
    def why(self) -> str:
        """One sentence for a person: the maker's words and where they stand."""
        return withheld.detail(self.verdict)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found: the verdict about the page itself, one about each address, and what was taken out.

    The verdict about an address reaches to the LOOKUP gate: what the file and its head say is not known yet.
    """

    page: Verdict
    verdicts: tuple[Verdict, ...]
    removed: tuple[Removed, ...]


def keep_permitted(  # noqa: PLR0913 (keywords, each optional)
    soup: BeautifulSoup,
    page_url: str,
    *,
    steward: Steward | None = None,
    purpose: str | None = None,
    config: Config | None = None,
    ledger: str | Path | None = None,
    fields: Sequence[tuple[str, str]] = (),
) -> Report:
    """Take every image, video and sound that may not be taken out of ``soup``, the page at ``page_url``.

    ``fields`` are the header fields that the page came with. Without ``steward`` one is made of ``config``, or of what
    the usual places say, and shut again; ``ledger`` is the directory where it keeps its verdicts. A soup of parts
    (``parse_only``) lacks what the page says: then the page is looked up. Blocks; raises BadUrl for ``page_url``,
    BadPurpose, BadPolicy and LedgerBroken.
    """
    url = canonical(page_url)
    held = Held(steward, config, purpose, ledger)
    try:
        page = _Page(soup, url, fields, held.steward)
        removed = _take_out(soup, page)
    finally:
        held.shut()
    return Report(page.verdict, tuple(page.known.values()), tuple(removed))


class _AsItStood(HTMLFormatter):
    """Writes tags as they stood, as far as a soup remembers that: what is quoted are the maker's words."""

    def __init__(self) -> None:
        super().__init__(HTMLFormatter.REGISTRY["minimal"].entity_substitution, void_element_close_prefix="")

    def attributes(self, tag: Tag) -> Iterable[tuple[str, Any]]:
        return tag.attrs.items()


class _Page:
    """What a page says, and the verdicts about what it shows."""

    def __init__(self, soup: BeautifulSoup, url: str, fields: Sequence[tuple[str, str]], steward: Steward) -> None:
        self._url, self._steward = url, steward
        self._content = b"" if soup.parse_only else soup.encode("utf-8", formatter=_AsItStood())
        told = [(name, value) for name, value in fields if name.lower() not in ("content-type", "content-encoding")]
        self._fields = Fields([*told, ("Content-Type", "text/html; charset=utf-8")])
        base = soup.find("base", href=True)
        self._base = (_joined(url, str(base["href"])) if isinstance(base, Tag) else "") or url
        self._told: dict[Need, Evidence] = {}
        self.known: dict[str, Verdict] = {}
        self.verdict = run(Download(steward, canonical(url)), self)

    def prepare(self, addresses: Iterable[str]) -> None:
        """Look up together what platforms answer together."""
        self._steward.prepare(filter(None, (_joined(self._base, address) for address in addresses)))

    def about(self, address: str) -> Verdict:
        """Judge an address as it stands; an image that is written into the page is judged with it."""
        if address[:5].lower() == "data:":
            return self.verdict
        if address not in self.known:
            self.known[address] = self._judge(address)
        return self.known[address]

    def send(self, _url: str) -> Head:
        """Return the head that the scraper had."""
        return Head(200, self._fields)

    def read(self, limit: int) -> Content:
        """Return the page as it stands; a soup of a part of it is judged by the page itself, which is looked up."""
        if self._content:
            return Content(self._content, ended=True, decoded=True)
        return content_of(self._steward.prefix(self._url, limit).result())

    def _judge(self, address: str) -> Verdict:
        try:
            inquiry = self._steward.open(join(self._base, address), self._url, reach=Gate.LOOKUP)
        except BadUrl as error:
            return self._steward.unreadable(address, error)
        for need in inquiry.needs():
            if need.url == self._url and self._content:
                inquiry.tell(self._evidence(need))
        self._steward.look_up(inquiry)
        return self._steward.decide(inquiry)

    def _evidence(self, need: Need) -> Evidence:
        """Return the page as the answer to a need; the same one for all, so that it is read once."""
        if need not in self._told:
            self._told[need] = Evidence(
                need, self._url, status=200, fields=self._fields, content=self._content, at=self._steward.clock()
            )
        return self._told[need]


def _take_out(soup: BeautifulSoup, page: _Page) -> list[Removed]:
    found = list(places(soup))
    named = [place.addresses for place in found]
    page.prepare(dict.fromkeys(address for addresses in named for address in addresses))
    removed, touched = [], []
    for place, addresses in zip(found, named, strict=True):
        gone = {address: verdict for address in addresses if errors.withholds(verdict := page.about(address))}
        if gone:
            place.drop(gone)
            touched.append(place.tag)
            where = f"{place.tag.name} {place.attribute}".strip()
            removed += [Removed(address, where, verdict) for address, verdict in gone.items()]
    sweep(touched)
    return removed


def _joined(base: str, address: str) -> str:
    try:
        return join(base, address)
    except BadUrl:
        return ""
