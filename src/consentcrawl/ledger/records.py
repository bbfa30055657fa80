"""How verdicts and outcomes are written down: compactly, and with every URL that names a work in the personal part.

What an entry says in the clear names no work; with its personal part it says all that the verdict said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from json.encoder import encode_basestring as quoted  # as ensure_ascii=False has it
from typing import Any

from consentcrawl.core import Gap, Ground, Policy, Statement, Verdict, origin_of
from consentcrawl.ledger.entry import LIMIT, BadEntry, commitment, encode, personal_part
from consentcrawl.ledger.salts import salt

Record = tuple[Mapping[str, Any], Sequence[str]]
"""A record, and the URLs of its personal part."""

_SITE_WIDE = frozenset({"/robots.txt", "/ai.txt", "/trust.txt"})
_WELL_KNOWN = "/.well-known/"
_MOST = 40
FEWER = (_MOST, 8, 1)
"""How many grounds and gaps are tried to be written down, until an entry is short enough."""
_LONGEST_URL, _LONGEST_TEXT = 8192, 2048


def verdict_record(verdict: Verdict, evidence: Iterable[str] = (), most: int = _MOST) -> Record:
    """The verdict; ``evidence`` are the SHA-256 digests, in hex, of the documents it rested on.

    A source is written as the place of its URL in the personal part, unless it speaks for a whole site. Of very many
    grounds and gaps ``most`` are kept, those that decide before the others, and ``left_out`` counts the rest.
    """
    urls = [_clean_url(verdict.url)]
    kept = _kept(verdict, most)
    record: dict[str, Any] = {
        "kind": "verdict",
        "at": milliseconds(verdict.decided_at),
        "outcome": str(verdict.outcome),
        "purpose": verdict.purpose,
        "gate": verdict.gate.name.lower(),
        "enforced": verdict.enforced,
        "policy": verdict.policy,
        "version": verdict.version,
    }
    more = {
        "evidence": list(evidence),
        "grounds": [_ground(ground, urls) for ground in kept],
        "gaps": [_gap(gap, urls) for gap in verdict.gaps[:most]],
        "hops": [[_place(hop.url, urls), hop.status] for hop in verdict.hops[-most:]],
        "agreement": verdict.agreement,
        "page": _place(verdict.page, urls) if verdict.page else "",
        "left_out": len(verdict.grounds) - len(kept) + max(0, len(verdict.gaps) - most),
    }
    return record | {key: value for key, value in more.items() if value}, urls


def outcome_record(  # noqa: PLR0913 (one row, named)
    url: str, *, at: float, verdict: int, status: int, size: int, digest: str, file: str = ""
) -> Record:
    """What became of a permitted download: status, byte count and SHA-256 of what was delivered.

    ``verdict`` is the index of the verdict's entry, ``file`` where the bytes were put (personal, as the URL is).
    """
    record = {"kind": "outcome", "at": milliseconds(at), "verdict": verdict, "status": status, "size": size}
    urls = [_clean_url(url), _clean_url(file)] if file else [_clean_url(url)]
    return record | {"sha256": digest}, urls


def outcome_entry(  # noqa: PLR0913 (one row, named)
    url: str, *, at: float, verdict: int, status: int, size: int, digest: str, file: str = ""
) -> tuple[bytes, bytes]:
    """The entry of an outcome and the personal part beside it: ``with_personal(*outcome_record(...))``, but fast.

    To the same bytes: a test holds the two together.
    """
    beside = personal_part([_clean_url(url), _clean_url(file)] if file else [_clean_url(url)], salt())
    entry = (
        f'{{"at":{milliseconds(at)},"kind":"outcome","personal":"{commitment(beside)}","sha256":{quoted(digest)},'
        f'"size":{size},"status":{status},"verdict":{verdict}}}'
    )
    return entry.encode(), beside


def policy_record(policy: Policy, at: float) -> Record:
    """The policy that verdicts after this entry were made under: its hash and its text."""
    text = {key: getattr(policy, key) for key in policy.__slots__}
    plain = {key: sorted(value) if isinstance(value, frozenset) else value for key, value in text.items()}
    return {"kind": "policy", "at": milliseconds(at), "sha256": policy.digest, "policy": plain}, ()


def as_verdict(record: Mapping[str, Any], urls: Sequence[str]) -> dict[str, Any]:
    """The verdict's JSON out of an entry and its personal part; erased URLs are empty strings."""

    def url(place: object) -> str:
        return place if isinstance(place, str) else urls[place] if isinstance(place, int) and place < len(urls) else ""

    said = {key: record[key] for key in ("outcome", "purpose", "gate", "enforced", "policy", "version")}
    return said | {
        "url": url(0),
        "decided_at": record["at"],
        "grounds": [ground | {"source": url(ground["source"])} for ground in record.get("grounds", ())],
        "gaps": [gap | {"need": url(gap["need"])} for gap in record.get("gaps", ())],
        "hops": [{"url": url(place), "status": status} for place, status in record.get("hops", ())],
    }


def milliseconds(seconds: float) -> int:
    """Seconds as whole milliseconds: entries have no fractions."""
    return round(seconds * 1000)


def with_personal(record: Mapping[str, Any], urls: Sequence[str]) -> tuple[bytes, bytes]:
    """The entry of a record, and the personal part that lies beside it: empty where there are no URLs."""
    if not urls:
        return encode(record), b""
    beside = personal_part(urls, salt())
    return encode({**record, "personal": commitment(beside)}), beside


def verdict_entry(verdict: Verdict, evidence: Sequence[str] = ()) -> tuple[bytes, bytes]:
    """The entry of a verdict and the personal part beside it: ``with_personal(*verdict_record(...))``, but fast.

    An everyday verdict is written without a detour, in a fifth of the time and to the same bytes (a test holds the two
    together): this is what the ledger costs every verdict.
    """
    if verdict.gaps or verdict.hops or verdict.agreement or verdict.page or len(verdict.grounds) > _MOST:
        return _fitting(verdict, evidence)
    urls = [_clean_url(verdict.url)]
    before, after = _written(verdict, evidence, urls)
    beside = personal_part(urls, salt())
    entry = f"{before}{commitment(beside)}{after}".encode()
    return (entry, beside) if len(entry) <= LIMIT else _fitting(verdict, evidence)


def _fitting(verdict: Verdict, evidence: Sequence[str]) -> tuple[bytes, bytes]:
    """The entry with as many grounds and gaps as fit into one: a verdict is written down whatever strangers wrote."""
    for most in FEWER[:-1]:
        with suppress(BadEntry):
            return with_personal(*verdict_record(verdict, evidence, most))
    return with_personal(*verdict_record(verdict, evidence, FEWER[-1]))


def _written(verdict: Verdict, evidence: Sequence[str], urls: list[str]) -> tuple[str, str]:
    """The entry of an everyday verdict before and after its commitment."""
    gate, outcome, after = _frame(
        verdict.gate.name, verdict.outcome.value, verdict.policy, verdict.purpose, verdict.version
    )
    enforced = "true" if verdict.enforced else "false"
    digests = ',"evidence":["' + '","'.join(evidence) + '"]' if evidence else ""
    grounds = ""
    if verdict.grounds:
        grounds = f',"grounds":[{",".join([_written_ground(ground, urls) for ground in verdict.grounds])}]'
    before = f'{{"at":{milliseconds(verdict.decided_at)},"enforced":{enforced}{digests}{gate}{grounds}{outcome}'
    return before, after


@lru_cache(256)
def _frame(gate: str, outcome: str, policy: str, purpose: str, version: str) -> tuple[str, str, str]:
    """What most verdicts of a run have in common."""
    return (
        f',"gate":{quoted(gate.lower())}',
        f',"kind":"verdict","outcome":{quoted(outcome)},"personal":"',
        f'","policy":{quoted(policy)},"purpose":{quoted(purpose)},"version":{quoted(version)}}}',
    )


def _written_ground(ground: Ground, urls: list[str]) -> str:
    before, after = _written_words(ground.statement)
    source = _written_site_wide(ground.source) or _place(ground.source, urls)
    return f'{before},"signal":{quoted(ground.signal)},"source":{source}{after}'


@lru_cache(4096)
def _written_words(said: Statement) -> tuple[str, str]:
    """What was said, before and after the signal and the source: the same for all the assets of a site."""
    note = f'"note":{quoted(_clean(said.note))},' if said.note else ""
    where = f',"where":{quoted(_clean(said.where))}' if said.where else ""
    before = f'{{"category":"{said.category.value}",{note}"preference":"{said.preference.value}"'
    return f'{before},"quote":{quoted(_clean(said.quote))}', f"{where}}}"


def _kept(verdict: Verdict, most: int) -> Sequence[Ground]:
    """The grounds that are written down: all, or of very many those that decide and some others."""
    if len(verdict.grounds) <= most:
        return verdict.grounds
    return sorted(verdict.grounds, key=lambda ground: ground not in verdict.deciding)[:most]


def _ground(ground: Ground, urls: list[str]) -> dict[str, Any]:
    said = {key: _clean(value) for key, value in ground.as_json().items() if value}
    return said | {"source": _place(ground.source, urls)}


def _clean(text: str) -> str:
    """A stranger's words, cut, without what UTF-8 cannot say: a verdict is written down whatever they wrote."""
    return _cut(text if text.isascii() else text.encode("utf-8", "replace").decode())


def _gap(gap: Gap, urls: list[str]) -> dict[str, Any]:
    return {key: _clean(value) for key, value in gap.as_json().items()} | {"need": _place(gap.need, urls)}


@lru_cache(4096)
def _written_site_wide(url: str) -> str:
    """The URL where it names no work, as JSON; else nothing."""
    path = url[len(origin_of(url)) :]
    site_wide = path in _SITE_WIDE or (path.startswith(_WELL_KNOWN) and "?" not in path)
    return quoted(_clean_url(url)) if site_wide else ""


def _place(url: str, urls: list[str]) -> str | int:
    """The URL itself where it names no work, else its place in the personal part."""
    if _written_site_wide(url):
        return _clean_url(url)
    url = _clean_url(url)
    if url not in urls:
        urls.append(url)
    return urls.index(url)


def _clean_url(url: str) -> str:
    """A URL as it is, unless it is none: then what no URL holds is escaped, and what is too long is cut."""
    short = len(url) <= _LONGEST_TEXT
    if url.isascii() and (short or (len(url) <= _LONGEST_URL and url.isprintable())):
        return url
    return _cut(url.encode("unicode_escape").decode())


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
