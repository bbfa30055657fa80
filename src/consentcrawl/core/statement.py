"""A statement: one preference for one category about one asset, with the quote it rests on and where it stood.

Law: a statement without the words it rests on cannot be made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, Unpack

from consentcrawl.core.vocabulary import Category, Preference

QUOTE_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What was said about one category.

    ``about`` is another key (a canonical URL or a work key) or None for the asset asked about. ``under`` names a key
    of the policy and the values under which the statement counts; otherwise it is a note. Within one ``family`` only
    the statements of the highest ``rank`` count (TDMRep supersedes within itself). ``names`` is a further key that the
    asset goes by: the project of a file, the post of an upload.
    """

    category: Category
    preference: Preference
    quote: str
    where: str
    note: str = ""
    about: str | None = None
    under: tuple[str, ...] = ()
    family: str = ""
    rank: int = 0
    names: str = ""

    def __post_init__(self) -> None:
        """Refuse to be made without words; keep the quote to a length a person can read."""
        if not self.quote:
            msg = "a statement needs the words it rests on"
            raise ValueError(msg)
        if len(self.quote) > QUOTE_LIMIT:
            object.__setattr__(self, "quote", self.quote[: QUOTE_LIMIT - 1] + "…")


class _More(TypedDict, total=False):
    """What else a statement may carry: the fields of ``Statement`` by their names."""

    about: str | None
    under: tuple[str, ...]
    family: str
    rank: int
    names: str


class _Noted(_More, total=False):
    """The same, and a note for a person."""

    note: str


def allow(category: Category, quote: str, where: str, **more: Unpack[_Noted]) -> Statement:
    """State that ``category`` is allowed, in the words of ``quote``."""
    return Statement(category=category, preference=Preference.ALLOWED, quote=quote, where=where, **more)


def disallow(category: Category, quote: str, where: str, **more: Unpack[_Noted]) -> Statement:
    """State that ``category`` is disallowed, in the words of ``quote``."""
    return Statement(category=category, preference=Preference.DISALLOWED, quote=quote, where=where, **more)


def remark(category: Category, quote: str, where: str, note: str, **more: Unpack[_More]) -> Statement:
    """Note something that was said and does not decide."""
    return Statement(category=category, preference=Preference.UNKNOWN, quote=quote, where=where, note=note, **more)
