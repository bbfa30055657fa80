"""Reads the labelled works: one TOML file per theme, each work a table with what is found and what must come out."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.labelled.documents import answer, written_for
from tests.website import Answer

HERE = Path(__file__).parent
OUTCOMES = ("permit", "refuse", "undetermined")
KEYS = {
    "said", "outcome", "by", "why", "noted", "purpose", "policy", "token", "site", "url", "at", "asset", "page",
    "page_at", "robots", "ai_txt", "trust_txt", "tdmrep", "also", "dead", "list", "agreement",
}  # fmt: skip
# Where the documents of a site lie, and what they are when only their text is given.
PLACES = {
    "robots": ("/robots.txt", "text"),
    "ai_txt": ("/ai.txt", "text"),
    "trust_txt": ("/trust.txt", "text"),
    "tdmrep": ("/.well-known/tdmrep.json", "json"),
}
_LIST = ("kind", "value", "category")

Settings = tuple[str, tuple[str, ...], str, bool]
"""What a run is made with: the purpose, the words of the policy, the token, and whether the lists are configured."""


@dataclass(frozen=True)
class Work:
    """One labelled work: its name (theme and number), its host, and the table as it stands in its file."""

    name: str
    host: str
    data: dict[str, Any]

    @property
    def said(self) -> str:
        """The sentence of a person, and where it stands."""
        return f"{self.name}: {self.data['said']}"

    @property
    def outcome(self) -> str:
        """What must come out."""
        outcome: str = self.data["outcome"]
        return outcome

    @property
    def url(self) -> str:
        """The address of the asset."""
        return written_for(self.data.get("url", f"http://{self.host}{self._at}"), self.host)

    @property
    def page(self) -> str:
        """The address of the page that shows it, where the taker knows one."""
        return self._absolute(self.data.get("page_at", "/page.html")) if self.data.keys() & {"page", "page_at"} else ""

    @property
    def settings(self) -> Settings:
        """What it is asked with."""
        data = self.data
        policy = tuple(data.get("policy", ()))
        return data.get("purpose", "train-ai"), policy, data.get("token", "consentcrawl"), "list" in data

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """The rows of opt-out lists that it brings: kind, value, category."""
        rows = [{"category": "train", **row} for row in self.data.get("list", ())]
        return [(row["kind"], written_for(row["value"], self.host), row["category"]) for row in rows]

    @property
    def dead(self) -> list[str]:
        """The hosts at which nobody answers."""
        return [written_for(host, self.host) for host in self.data.get("dead", ())]

    def documents(self) -> Iterator[tuple[str, Answer]]:
        """Return what lies where: host and target, and what is answered."""
        data = self.data
        for name, (path, kind) in PLACES.items():
            if name in data:
                yield self.host + path, answer(data[name], kind, self.host)
        if "page" in data:
            yield self._place(self.page), answer(data["page"], "html", self.host)
        for place, document in data.get("also", {}).items():
            yield self._place(self._absolute(place)), answer(document, "html", self.host)
        if "url" not in data or "asset" in data:
            yield self._place(self.url), answer({"image": "jpeg", **self._asset}, "html", self.host)

    @property
    def _asset(self) -> dict[str, Any]:
        asset: str | dict[str, Any] = self.data.get("asset", {})
        return {"html": asset} if isinstance(asset, str) else asset

    @property
    def _at(self) -> str:
        return str(self.data.get("at", "/works/1.jpg"))

    def _absolute(self, place: str) -> str:
        return written_for(place if "://" in place else f"http://{self.host}{place}", self.host)

    @staticmethod
    def _place(url: str) -> str:
        return url.partition("://")[2]


def load() -> list[Work]:
    """Read every theme; a key that nobody knows is an error, for a misspelt word would label nothing."""
    return [work for path in sorted(HERE.glob("*.toml")) for work in _theme(path)]


def _theme(path: Path) -> Iterator[Work]:
    for number, data in enumerate(tomllib.loads(path.read_text("utf-8"))["work"], 1):
        name = f"{path.stem} {number}"
        assert data.keys() <= KEYS, f"{name}: unknown {data.keys() - KEYS}"
        assert data["outcome"] in OUTCOMES, name
        assert data["outcome"] != "refuse" or "by" in data, f"{name}: by which signal?"
        assert data["outcome"] != "undetermined" or "why" in data, f"{name}: for what reason?"
        site = data.get("site", f"{path.stem.replace('_', '-')}-{number}")
        yield Work(name, f"{site}.example", data)
