"""The addresses of the images a page shows or names as its own: by its tags, its previews, its structured data.

An image that is only linked to is not shown, and no style sheet is looked into.
"""

from __future__ import annotations

from collections.abc import Iterator

from consentcrawl.formats import json_ld
from consentcrawl.formats.html import Page

# The Open Graph protocol, and the cards of X: what stands for the page when it is shared.
_PREVIEWS = frozenset(
    {"og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src", "thumbnailurl", "image"}
)
# schema.org: the file of a media object, a smaller copy of it, and an image of anything.
_NAMED = frozenset({"contentUrl", "thumbnailUrl", "image"})
_ADDRESS = "url"
_IMAGES = ("ImageObject", "Photograph")


def addresses(page: Page) -> Iterator[str]:
    """Return the addresses as they stood, relative to the page's base; some are given more than once."""
    for image in page.images:
        yield image.src
    for meta in page.metas:
        if meta.content and (meta.property in _PREVIEWS or meta.name in _PREVIEWS):
            yield meta.content
    for link in page.links:
        if "image_src" in link.rel:
            yield link.href
    for script in json_ld.scripts(page):
        yield from _of_data(script)


def _of_data(script: str) -> Iterator[str]:
    for said in json_ld.properties(script):
        if said.name in _NAMED or (said.name == _ADDRESS and any(kind in said.of for kind in _IMAGES)):
            yield said.value
