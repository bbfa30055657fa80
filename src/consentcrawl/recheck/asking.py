"""The asking again: each asset as it was asked before, in its origin's turn, and where a run broke off it goes on.

Every answer is in the ledger before it counts, so that an interrupted run loses none.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from consentcrawl.config import Config
from consentcrawl.core import Gate, Verdict, origin_of
from consentcrawl.dataset.ordered import in_order
from consentcrawl.drivers.dry_run import judge
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.ledger.evidence import EvidenceStore, NoEvidence
from consentcrawl.ledger.files import OS_FILES, write_whole
from consentcrawl.ledger.recording import Record
from consentcrawl.ledger.recording.stored import EVIDENCE
from consentcrawl.net.pace import MINIMUM_SECONDS, Pace
from consentcrawl.recheck.register import Permitted
from consentcrawl.recheck.revalidation import RevalidatingReader
from consentcrawl.steward import Steward

STATE_FILE = "recheck.json"
_POLICY_FILES = frozenset({"/robots.txt", "/ai.txt", "/trust.txt"})
_LISTS_KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that has begun: when (in milliseconds), after how many entries, and what was asked of it.

    It lies in a file beside the ledger until the run is over; without the file a run begins anew and asks again.
    """

    at: int
    entries: int
    asked: str

    @classmethod
    def of(cls, directory: Path, entries: int, asked: str) -> Begun:
        """Return the run that goes on, or begin one that was asked the same way and is not over yet."""
        with suppress(OSError, ValueError, TypeError):
            kept = cls(**json.loads((directory / STATE_FILE).read_text("utf-8")))
            if kept.asked == asked and 0 <= kept.entries <= entries:
                return kept
        begun = cls(round(time.time() * 1000), entries, asked)
        write_whole(OS_FILES, directory / STATE_FILE, json.dumps(asdict(begun)).encode())
        return begun

    @staticmethod
    def over(directory: Path) -> None:
        """The run is over; the next begins anew."""
        (directory / STATE_FILE).unlink(missing_ok=True)


class Asking:
    """One steward that asks again, with what was kept of policy files."""

    def __init__(self, config: Config, directory: Path, record: Record) -> None:
        """Ask by ``config`` and write to ``record``; documents are kept in the ledger in ``directory``."""
        self.pace = Pace(minimum=MINIMUM_SECONDS)
        self._store = EvidenceStore(directory / EVIDENCE)
        self._reader = RevalidatingReader(config.reader())
        self._steward = Steward(replace(config, pace="robots"), reader=self._reader, record=record, pace=self.pace)
        self._read: set[str] = set()

    def close(self) -> None:
        """Let go of the steward and its ledger."""
        self._steward.close()

    def answers(
        self, permitted: Iterable[Permitted], gate: Gate | None, workers: int
    ) -> Generator[tuple[Permitted, Verdict], None, None]:
        """Ask about each, to the gate that its permit reached or to another one; gives them in order."""

        def ask(each: Permitted) -> Verdict:
            reach = each.gate if gate is None else gate
            return judge(self._steward, each.url, each.page or None, reach=reach)

        rows = (self._recalled(each) for each in permitted)
        return in_order(rows, _origin, ask, workers=workers, give_up=self.pace.stop)

    def _recalled(self, each: Permitted) -> Permitted:
        """Remember the policy files that a permit rested on."""
        for digest in each.evidence:
            if digest not in self._read:
                if len(self._read) >= _LISTS_KEPT:
                    self._read.clear()
                self._read.add(digest)
                self._remember(digest)
        return each

    def _remember(self, digest: str) -> None:
        """Keep the policy files of a list of look-ups; what is not there any more is asked for as if never kept."""
        with suppress(NoEvidence, OSError, ValueError):
            for looked_up, document in self._store.behind([digest]):
                if looked_up.url.startswith(("https://", "http://")) and _is_policy_file(looked_up.url):
                    self._reader.keep(looked_up, document)


def _is_policy_file(url: str) -> bool:
    path = urlsplit(url).path
    return path in _POLICY_FILES or path.startswith("/.well-known/")


def _origin(each: Permitted) -> str:
    """Whose worker an asset is for."""
    try:
        return origin_of(canonical(each.url))
    except BadUrl:
        return ""
