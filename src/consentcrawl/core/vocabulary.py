"""The closed words: categories of use, preferences, gates, outcomes, purposes, and why something could not be known.

Law: a preference has three values and is never read as a Boolean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Preference(StrEnum):
    """What a statement says about one category (AIPREF vocabulary, "Combining")."""

    ALLOWED = "allowed"
    DISALLOWED = "disallowed"
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        """Raise TypeError: three values do not fit into two."""
        msg = "a preference has three values: compare it"
        raise TypeError(msg)


class Category(StrEnum):
    """What somebody may want to do with an asset."""

    ACQUIRE = "acquire"
    TDM = "tdm"
    TRAIN = "train"
    TRAIN_GENERATIVE = "train-generative"
    TRAIN_OTHER = "train-other"
    AI_USE = "ai-use"
    SEARCH = "search"


# Each category and everything that contains it: a statement about one of these speaks about the first.
# ai-use lies outside tdm (AIPREF vocabulary): signals that mean both state both.
WITHIN: dict[Category, frozenset[Category]] = {
    Category.ACQUIRE: frozenset({Category.ACQUIRE}),
    Category.TDM: frozenset({Category.TDM}),
    Category.TRAIN: frozenset({Category.TRAIN, Category.TDM}),
    Category.TRAIN_GENERATIVE: frozenset({Category.TRAIN_GENERATIVE, Category.TRAIN, Category.TDM}),
    Category.TRAIN_OTHER: frozenset({Category.TRAIN_OTHER, Category.TRAIN, Category.TDM}),
    Category.AI_USE: frozenset({Category.AI_USE}),
    Category.SEARCH: frozenset({Category.SEARCH}),
}


class Gate(IntEnum):
    """How far a download has come when something is decided."""

    LOOKUP = 0
    """Nothing was asked of the asset's own URL yet."""
    HEAD = 1
    """Status and fields are in, the content is not."""
    BODY = 2
    """The content is in (or a bounded prefix of it)."""


class Outcome(StrEnum):
    """How a verdict ends."""

    PERMIT = "permit"
    REFUSE = "refuse"
    UNDETERMINED = "undetermined"

    def __bool__(self) -> bool:
        """Raise TypeError: an outcome has three values."""
        msg = "an outcome has three values: compare it"
        raise TypeError(msg)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What the asset is for: the taker's product token (RFC 9309 §2.2.1) and the categories intended.

    ``heeds`` is every category whose disallowance refuses this purpose: the intended ones and all that contain them.
    """

    name: str
    token: str
    intends: frozenset[Category]
    heeds: frozenset[Category] = field(init=False)

    def __post_init__(self) -> None:
        """Work out what the purpose heeds."""
        object.__setattr__(self, "heeds", frozenset().union(*(WITHIN[c] for c in self.intends)))


PURPOSES: dict[str, frozenset[Category]] = {
    "train-ai": frozenset({Category.ACQUIRE, Category.TRAIN_GENERATIVE}),
    "train-any": frozenset({Category.ACQUIRE, Category.TRAIN_GENERATIVE, Category.TRAIN_OTHER}),
    "tdm": frozenset({Category.ACQUIRE, Category.TDM}),
    "ai-use": frozenset({Category.ACQUIRE, Category.AI_USE}),
    "search": frozenset({Category.ACQUIRE, Category.SEARCH}),
    "archive": frozenset({Category.ACQUIRE}),
}

# Why something could not be known, each with its sentence for people.
REASONS: dict[str, str] = {
    "bad_url": "the address cannot be read in one way only",
    "bad_head": "the head of the answer is malformed",
    "bad_status": "the answer's status says nothing about the document",
    "blocked": "the site answered with a challenge, a login or a page for browsers only",
    "body_limit": "the document is longer than is read",
    "body_ratio": "the document unpacks to far more than was sent",
    "truncated": "the answer ended before it was complete",
    "encoding": "the content coding or character set is not one that can be read",
    "timeout": "no complete answer came in time",
    "dns": "the name of the host could not be resolved",
    "address": "the address lies in a network that connections may not go to",
    "connect": "the connection was refused or broke",
    "tls": "the secure connection could not be made",
    "redirects": "the redirects were too many or led nowhere",
    "page_refused": "the page may not be looked up: its robots.txt disallows it",
    "parked": "the origin asks for a longer pause than is waited for",
    "not_fetched": "the look-up was not made",
    "unreachable": "the server did not answer or answered with an error",
    "gone": "the work's page is gone",
    "access_refused": "access to the asset was refused",
    "robots_limit": "the robots.txt is longer than is read, and the rest could matter",
    "robots_budget": "comparing the rules with the path took more steps than are allowed",
    "html_limit": "the page is longer than is read, and a tag could stand in the rest",
    "json_limit": "the JSON document is too large or too deep",
    "doctype": "the XML document declares a document type, which can hide what it says",
    "xml_limit": "the XML document is too large or too deep",
    "image_limit": "the image has more parts than are read",
    "malformed": "the document does not follow its standard",
    "unsupported": "the document has a form that cannot be read",
    "readers_disagree": "a second, independent reader finds a disallowance where the first finds none",
    "depth": "the look-ups led on for too long or in a circle",
    "no_key": "the look-up needs a key that is not configured",
    "no_source": "the page is not the maker's own and names no source",
    "reader_failed": "a reader stopped without an answer",
}
