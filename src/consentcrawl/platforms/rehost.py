"""Posts of re-hosts: what a post says of itself, and from where its work came.

A post without a source leaves the maker of its work unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from consentcrawl.core import ROBOTS_TXT, Asset, Evidence, Gap, Purpose, Said, Statement, disallow
from consentcrawl.platforms import addresses, ai_tags, maker_page
from consentcrawl.platforms.own_page import belongs
from consentcrawl.platforms.works import NO_SOURCE, OK, Works, lacking, visit


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

Posts = Callable[[Evidence], tuple[Sequence[Post], str]]
"""Gives the posts in an answer, and why it gave up, or an empty string."""


def names(number: str, *hashes: str) -> tuple[str, ...]:
    """Return the names of a post: its number, and that of its file by each MD5 that is given."""
    return (number, *(addresses.md5(digits) for digits in hashes if digits))


def read(works: Works, evidence: Evidence, asset: Asset, purpose: Purpose, posts: Posts) -> Iterator[Said]:
    """Read the asset's own post, which leads on to its sources; or the page that one of these led to."""
    if evidence.need.url == ROBOTS_TXT.url:
        yield works.default
        yield from works.unknown(asset)
    elif evidence.need.url in works.look_ups(asset):
        yield works.default
        yield from _posts(works, evidence, asset, posts)
    else:
        yield from maker_page.read(evidence, purpose)


def _posts(works: Works, evidence: Evidence, asset: Asset, posts: Posts) -> Iterator[Said]:
    found, gave_up = posts(evidence)
    asked = {*works.of(asset), *addresses.names(asset.url, works.forms)}
    mine = next((post for post in found if evidence.status == OK and not asked.isdisjoint(post.names)), None)
    for post in found:
        about = None if post is mine else works.key(post.names[0])
        yield from (disallow(use, words, post.where, about=about) for words in post.forbids for use in ai_tags.USES)
    sources = maker_page.source_pages(mine.sources, works.own_domains) if mine else ()
    if mine:
        yield from _files(works, mine, asset)
    yield from map(visit, sources)
    yield from lacking(evidence, own=mine is not None, gave_up=gave_up)
    if mine and not 0 < len(sources) < maker_page.MOST:
        yield Gap(evidence.url, NO_SOURCE, holds=True)


def _files(works: Works, post: Post, asset: Asset) -> Iterator[Statement]:
    """Yield which files are the post's, where it was looked up by its number, so that they lead to the same look-up."""
    numbers = [name for name in works.of(asset) if name in post.names and ":" not in name]
    named = [works.key(name) for name in post.names if name.startswith("md5:")]
    for file in (*named, *post.files):
        yield from (belongs(file, "record of the post", works.key(number)) for number in numbers)
