"""Brings what verdicts rest on into the evidence store, and says which digests an entry names.

An entry may be written once ``sync`` made durable what it names; what was kept once costs a few look-ups in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

from consentcrawl.core import Evidence, Gate, Ground, Verdict
from consentcrawl.core.evidence import Pairs
from consentcrawl.ledger.evidence import Document, EvidenceStore, evidence_list
from consentcrawl.ledger.evidence.evidence_list import LookedUp
from consentcrawl.ledger.evidence.own_answers import JSON, fields_of, is_work, own, pieces, rests_on
from consentcrawl.ledger.evidence.warc import head_digest

_MOST_LISTS, _MOST_SOURCES = 50_000, 200_000
_SHORTEST_SECRET = 8  # a user's number would be found everywhere


class _Mark:
    """Stands for one piece of evidence without holding on to its content."""

    __slots__ = ("item",)

    def __init__(self) -> None:
        self.item: LookedUp | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """A list of look-ups that is kept: the digests to name, the addresses in it, and how many they are."""

    digests: tuple[str, ...] = ()
    urls: frozenset[str] = frozenset()
    look_ups: int = 0


class EvidenceKeeper:
    """What one ledger has kept. One thread at a time may ``keep``."""

    def __init__(self, store: EvidenceStore, secrets: Mapping[str, str]) -> None:
        """Keep in ``store``, with the name of a key in the place of each of ``secrets`` that is found."""
        self._store, self._secrets = store, _spelt(secrets)
        self._lists: dict[tuple[_Mark, ...], _Kept] = {}
        self._sources: dict[str, tuple[str, ...]] = {}  # the digests of what told of other assets, by URL
        self._marking = self._mark  # one object: it is a key

    def keep(self, verdict: Verdict, evidence: Sequence[Evidence], learnt: Sequence[Ground] = ()) -> tuple[str, ...]:
        """Put into the store what a verdict rests on, durable after ``sync``, and return the digests to name.

        Raises OSError when that fails.
        """
        marks = self._marks(evidence)
        kept = self._lists.get(marks) or self._keep_look_ups(marks, evidence)
        if not (verdict.grounds or verdict.gaps or learnt):
            return kept.digests
        digests, urls = kept.digests, kept.urls
        for each in own(evidence) if len(evidence) > kept.look_ups else ():
            if rests_on(verdict, learnt, each):
                found = self._own(each)
                digests, urls = (*digests, *found), urls | {each.url}
                if _teaches(each, verdict, learnt):
                    self._remember(each.url, found)
        elsewhere = sorted({ground.source for ground in verdict.grounds}.difference(urls))
        learnt_from = (digest for url in elsewhere for digest in self._sources.get(url, ()))
        return tuple(dict.fromkeys((*digests, *learnt_from)))

    def sync(self) -> None:
        """Return once everything that was put is durable. Raises OSError when that fails."""
        self._store.sync()

    def close(self) -> None:
        """Make everything durable and give the files back."""
        self._store.close()

    def _marks(self, evidence: Iterable[Evidence]) -> tuple[_Mark, ...]:
        """What stands for the look-ups of one inquiry: everything that others may share."""
        mark = self._marking
        return tuple([each.parsed(mark) for each in evidence if each.need.gate is Gate.LOOKUP])

    def _mark(self, _content: bytes) -> _Mark:
        return _Mark()

    def _keep_look_ups(self, marks: tuple[_Mark, ...], evidence: Sequence[Evidence]) -> _Kept:
        if len(self._lists) > _MOST_LISTS:
            self._lists.clear()  # what comes again is kept anew
        kept = self._lists[marks] = self._list([each for each in evidence if each.need.gate is Gate.LOOKUP])
        return kept

    def _list(self, look_ups: list[Evidence]) -> _Kept:
        """Keep the documents of look-ups, and the list of them."""
        if not look_ups:
            return _Kept()
        items = [self._item(each) for each in look_ups]
        at = max(each.at for each in look_ups)
        digest = self._store.note("look-ups", evidence_list.MEDIA_TYPE, evidence_list.written(items), at)
        for item in items:
            self._remember(item.url, [digest])
        # In the list a key of the taker is taken out of an address; a ground names it as it was.
        urls = {item.url for item in items} | {each.url for each in look_ups}
        return _Kept((digest,), frozenset(urls), len(items))

    def _item(self, each: Evidence) -> LookedUp:
        mark = each.parsed(self._marking)
        if mark.item is None:
            mark.item = self._looked_up(each)
        return mark.item

    def _looked_up(self, each: Evidence) -> LookedUp:
        at, url = round(each.at * 1000), self._text(each.url)
        if each.status is None:
            return LookedUp(url, None, at, each.gap, self._text(each.note))
        digest, head, note = "", "", self._text(each.note)
        content = self._clean(each.content)
        if not each.need.url.startswith(("http://", "https://", "/")):
            digest = self._store.note(each.need.url, JSON, content, each.at)
        elif is_work(content):
            note = f"an image, which is not kept; its SHA-256 is {sha256(content).hexdigest()}"
        else:
            fields = self._fields(each)
            digest = self._store.put(url, each.status, fields, content, each.at)
            head = head_digest(Document(url, each.status, fields, b"", each.at))
        return LookedUp(url, each.status, at, each.gap, note, digest, head, each.whole)

    def _own(self, each: Evidence) -> list[str]:
        found = [(piece.name, piece.media_type, self._clean(piece.content)) for piece in pieces(each)]
        return [self._store.note(name, media_type, content, each.at) for name, media_type, content in found]

    def _remember(self, url: str, digests: Sequence[str]) -> None:
        """Remember what came from an address: another asset's verdict may rest on it."""
        if len(self._sources) > _MOST_SOURCES:
            self._sources.clear()
        self._sources[url] = tuple(digests)

    def _fields(self, each: Evidence) -> Pairs:
        return tuple((name, self._text(value)) for name, value in fields_of(each))

    def _clean(self, content: bytes) -> bytes:
        """The content without the taker's keys, should an answer repeat them."""
        for secret, name in self._secrets:
            content = content.replace(secret.encode(), name.encode())
        return content

    def _text(self, text: str) -> str:
        for secret, name in self._secrets:
            text = text.replace(secret, name)
        return text


def _spelt(secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """Each secret as it is and as it stands in a URL, longest first, with what is written in its place."""
    long = {name: value for name, value in secrets.items() if len(value) >= _SHORTEST_SECRET}
    spelt = {spelling: f"{{{name}}}" for name, value in long.items() for spelling in (value, quote(value, safe=""))}
    return sorted(spelt.items(), key=lambda each: -len(each[0]))


def _teaches(each: Evidence, verdict: Verdict, learnt: Sequence[Ground]) -> bool:
    """Return whether an answer said something about other assets, whose verdicts may rest on it."""
    grounds = (*learnt, *(ground for ground in verdict.grounds if ground.statement.about))
    return any(ground.source == each.url for ground in grounds)
