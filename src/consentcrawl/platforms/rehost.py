"""Posts of re-hosts: what a post says of itself, and from where its work came.

A post without a source leaves it open whose work it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from consentcrawl.platforms import addresses, ai_tags, answer, maker_page
from consentcrawl.platforms.answer import Answer, Found
from consentcrawl.platforms.works import NO_SOURCE, Asset, Works


@dataclass(frozen=True, slots=True)
class Post:
    """One post: every name it goes by (``md5:…`` is that of its file), and the sources it gives.

    ``forbids`` are words by which its maker keeps the work from being posted, ``where`` they stand; ``files`` are keys
    of files that are not named by their MD5.
    """

    names: tuple[str, ...]
    sources: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()
    where: str = "tags of the post"
    files: tuple[str, ...] = ()


MOST = 100
"""The most posts of one answer that are read."""

Reader = Callable[[Answer], tuple[Sequence[Post], str]]
"""Gives the posts in an answer, and why it gave up, or an empty string."""


def names(number: str, *hashes: str) -> tuple[str, ...]:
    """The names of a post: its number, and that of its file by each MD5 that is told."""
    return (number, *(addresses.md5(digits) for digits in hashes if digits))


def read(works: Works, evidence: Answer, asset: Asset, token: str, posts: Reader) -> Found:
    """Read the asset's own post, which leads on to its sources; or the page that one of these led to."""
    if evidence.need.url == "/robots.txt":
        return Found(gaps=works.lacking(asset))
    if evidence.need.url not in works.look_ups(asset):
        return maker_page.read(evidence, token)
    found, gave_up = posts(evidence)
    asked = {*works.of(asset), *addresses.names(asset.url, works.forms)}
    mine = next((post for post in found if evidence.status == answer.OK and not asked.isdisjoint(post.names)), None)
    tags = tuple(_forbidden(works, found, mine))
    gaps = answer.gaps(evidence, own=mine is not None, gave_up=gave_up)
    if mine is None:
        return Found(tags=tags, gaps=gaps)
    sources = maker_page.source_pages(mine.sources, works.home)
    if not sources or len(sources) >= maker_page.MOST:
        gaps = (*gaps, (evidence.url, NO_SOURCE))
    return Found(own=True, tags=tags, files=tuple(_files(works, mine, asset)), sources=sources, gaps=gaps)


def _forbidden(works: Works, posts: Sequence[Post], mine: Post | None) -> Iterator[tuple[str, str, str, str | None]]:
    for post in posts:
        about = None if post is mine else f"{works.platform}:{post.names[0]}"
        yield from ((use, words, post.where, about) for words in post.forbids for use in ai_tags.USES)


def _files(works: Works, post: Post, asset: Asset) -> Iterator[tuple[str, str, str]]:
    """Files are taught where the post was looked up by its number, so that they lead to the same look-up."""
    numbers = [name for name in works.of(asset) if name in post.names and ":" not in name]
    named = [f"{works.platform}:{name}" for name in post.names if name.startswith("md5:")]
    for file in (*named, *post.files):
        yield from ((file, "record of the post", f"{works.platform}:{number}") for number in numbers)
