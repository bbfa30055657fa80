"""How verdicts and outcomes are written down: compactly, and with every URL that names a work in the personal part.

What an entry says in the clear names no work; with its personal part it says all that the verdict said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring as quoted  # as ensure_ascii=False has it
from typing import Any

from consentcrawl.core import Gap, Ground, Policy, Statement, Verdict, origin_of
from consentcrawl.ledger.entry import LIMIT, BadEntry, Part, commitment, decode, encode, personal_part, urls_of
from consentcrawl.ledger.salts import salt

Record = tuple[Mapping[str, Any], Sequence[str]]
"""A record, and the URLs of its personal part."""

_SITE_WIDE = frozenset({"/robots.txt", "/ai.txt", "/trust.txt"})
_WELL_KNOWN = "/.well-known/"
_FEWER = (40, 8, 1)  # grounds and gaps, until the entry is short enough
_LONGEST_URL, _LONGEST_TEXT = 8192, 2048


def verdict_entry(verdict: Verdict, evidence: Sequence[str] = ()) -> Part:
    """Return the entry of a verdict and the personal part beside it.

    ``evidence`` are the SHA-256 digests, in hex, of the documents it rested on. A source is written as the place of
    its URL in the personal part, unless it speaks for a whole site. Of very many grounds and gaps only as many are kept
    as fit, those that decide before the others, and ``left_out`` counts the rest.

    Written as text and not by way of a dict, in a fifth of the time: this is what the ledger costs every verdict.
    """
    for most in _FEWER:
        urls = [_clean_url(verdict.url)]
        before, after = _verdict_text(verdict, evidence, urls, most)
        try:
            personal = personal_part(urls, salt())
        except BadEntry:
            continue
        entry = f"{before}{commitment(personal)}{after}".encode()
        # A row of a segment holds these URLs as JSON within JSON, which is at most twice as long.
        if len(entry) <= LIMIT and (2 * len(personal) <= LIMIT or most == _FEWER[-1]):
            return entry, personal
    msg = f"the entry of a verdict does not fit into {LIMIT} bytes"
    raise BadEntry(msg)


def outcome_entry(  # noqa: PLR0913 (one row, named)
    url: str, *, at: float, verdict: int, status: int, size: int, digest: str, file: str = ""
) -> Part:
    """Return the entry of what became of a permitted download, and the personal part beside it.

    Status, byte count and SHA-256 are those of what was delivered. ``verdict`` is the index of the verdict's entry,
    ``file`` where the bytes were put (personal, as the URL is).
    """
    personal = personal_part([_clean_url(url), _clean_url(file)] if file else [_clean_url(url)], salt())
    entry = (
        f'{{"at":{milliseconds(at)},"kind":"outcome","personal":"{commitment(personal)}","sha256":{quoted(digest)},'
        f'"size":{size},"status":{status},"verdict":{verdict}}}'
    )
    return entry.encode(), personal


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


def with_personal(record: Mapping[str, Any], urls: Sequence[str]) -> Part:
    """Return the entry of a record, and the personal part that lies beside it: empty where there are no URLs."""
    if not urls:
        return encode(record), b""
    personal = personal_part(urls, salt())
    return encode({**record, "personal": commitment(personal)}), personal


def verdict_record(verdict: Verdict, evidence: Sequence[str] = ()) -> Record:
    """Return what the entry of a verdict says, and its URLs, as they are read back."""
    entry, personal = verdict_entry(verdict, evidence)
    record = decode(entry)
    del record["personal"]
    return record, urls_of(personal)


def _verdict_text(verdict: Verdict, evidence: Sequence[str], urls: list[str], most: int) -> tuple[str, str]:
    """Return the entry before and after its commitment, keys in order (RFC 8785 §3.2.3), and add its URLs to ``urls``.

    ``urls`` begins with that of the asset.
    """
    gate, outcome, after = _frame(
        verdict.gate.name, verdict.outcome.value, verdict.policy, verdict.purpose, verdict.version
    )
    grounds = verdict.grounds
    written = f',"grounds":[{",".join([_ground(ground, urls) for ground in _kept(verdict, most)])}]' if grounds else ""
    rare = verdict.gaps or verdict.hops or verdict.page or verdict.agreement or len(grounds) > most
    agreement, gaps, hops, left_out, page = _rare(verdict, urls, most) if rare else ("", "", "", "", "")
    enforced = "true" if verdict.enforced else "false"
    digests = ',"evidence":["' + '","'.join(evidence) + '"]' if evidence else ""
    before = (
        f'{{{agreement}"at":{milliseconds(verdict.decided_at)},"enforced":{enforced}{digests}{gaps}{gate}{written}{hops}'
        f',"kind":"verdict"{left_out}{outcome}{page},"personal":"'
    )
    return before, after


def _rare(verdict: Verdict, urls: list[str], most: int) -> tuple[str, str, str, str, str]:
    """Return the parts that most verdicts do not have: agreement, gaps, hops, how many are left out, page."""
    left_out = max(0, len(verdict.grounds) - most) + max(0, len(verdict.gaps) - most)
    gaps = ",".join([_gap(gap, urls) for gap in verdict.gaps[:most]])
    hops = ",".join([f"[{_place(hop.url, urls)},{hop.status}]" for hop in verdict.hops[-most:]])
    return (
        f'"agreement":{quoted(_clean(verdict.agreement))},' if verdict.agreement else "",
        f',"gaps":[{gaps}]' if gaps else "",
        f',"hops":[{hops}]' if hops else "",
        f',"left_out":{left_out}' if left_out else "",
        f',"page":{_place(verdict.page, urls)}' if verdict.page else "",
    )


@lru_cache(256)
def _frame(gate: str, outcome: str, policy: str, purpose: str, version: str) -> tuple[str, str, str]:
    """What most verdicts of a run have in common."""
    return (
        f',"gate":{quoted(gate.lower())}',
        f',"outcome":{quoted(outcome)}',
        f'","policy":{quoted(policy)},"purpose":{quoted(purpose)},"version":{quoted(version)}}}',
    )


def _ground(ground: Ground, urls: list[str]) -> str:
    before, after = _words(ground.statement)
    return f'{before},"signal":{quoted(ground.signal)},"source":{_place(ground.source, urls)}{after}'


@lru_cache(4096)
def _words(said: Statement) -> tuple[str, str]:
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


def _clean(text: str) -> str:
    """A stranger's words, cut, without what UTF-8 cannot say: a verdict is written down whatever they wrote."""
    return _cut(text if text.isascii() else text.encode("utf-8", "replace").decode())


def _gap(gap: Gap, urls: list[str]) -> str:
    note = f',"note":{quoted(_clean(gap.note))}' if gap.note else ""
    return f'{{"need":{_place(gap.need, urls)}{note},"reason":{quoted(gap.reason)}}}'


@lru_cache(4096)
def _site_wide(url: str) -> str:
    """The URL where it names no work, as JSON; else nothing."""
    path = url[len(origin_of(url)) :]
    site_wide = path in _SITE_WIDE or (path.startswith(_WELL_KNOWN) and "?" not in path)
    return quoted(_clean_url(url)) if site_wide else ""


def _place(url: str, urls: list[str]) -> str:
    """Return, as JSON, the URL itself where it names no work, else its place in the personal part."""
    if site_wide := _site_wide(url):
        return site_wide
    url = _clean_url(url)
    if url not in urls:
        urls.append(url)
    return str(urls.index(url))


def _clean_url(url: str) -> str:
    """A URL as it is, unless it is none: then what no URL holds is escaped, and what is too long is cut."""
    short = len(url) <= _LONGEST_TEXT
    if url.isascii() and (short or (len(url) <= _LONGEST_URL and url.isprintable())):
        return url
    return _cut(url.encode("unicode_escape").decode())


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
