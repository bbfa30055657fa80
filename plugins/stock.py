"""Adobe Stock, Shutterstock and Getty Images: what holds on the sites; the switches of contributors are private."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consentcrawl.core import ROBOTS_TXT, Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import Form, addresses, site_default

_HOSTS = (
    "stock.adobe.com", "ftcdn.net", "shutterstock.com", "istockphoto.com", "gettyimages.com", "gettyimages.ae",
    "gettyimages.at", "gettyimages.be", "gettyimages.ca", "gettyimages.ch", "gettyimages.co.jp", "gettyimages.co.uk",
    "gettyimages.com.au", "gettyimages.com.br", "gettyimages.com.mx", "gettyimages.de", "gettyimages.dk",
    "gettyimages.es", "gettyimages.fi", "gettyimages.fr", "gettyimages.hk", "gettyimages.ie", "gettyimages.in",
    "gettyimages.it", "gettyimages.nl", "gettyimages.no", "gettyimages.pt", "gettyimages.se",
)  # fmt: skip

_GETTY = r"gettyimages\.[a-z]{2,3}(?:\.[a-z]{2})?"
_DEFAULT = site_default.beside(__file__)
_FORMS = (
    Form(
        r"stock\.adobe\.com/(?:[a-z]{2}/)?(?!contributor/|collections/|search/)[\w-]{3,}/[^/]+/(\d+)",
        "adobestock:{}".format,
    ),
    Form(r"stock\.adobe\.com/(?:[a-z]{2}/)?(\d+)", "adobestock:{}".format),
    Form(r"[\w-]+\.ftcdn\.net/.+_[FW]_(\d+)_\w+\.\w+", "adobestock:{}".format),
    Form(
        r"(?:www\.|image\.)?shutterstock\.com/(?:[\w-]+/)?image-[\w-]+/(?:[^/]*-)?(\d+)(?:\.\w+)?",
        "shutterstock:{}".format,
    ),
    Form(
        r"(?:image\.shutterstock\.com|(?:www\.)?shutterstock\.com/shutterstock)/.*-(\d+)\.\w+", "shutterstock:{}".format
    ),
    Form(rf"(?:www\.)?{_GETTY}/(?:detail|license)/(?:[^/]+/)*(\d+)(?:-.*)?", "gettyimages:{}".format),
    Form(rf"media\.{_GETTY}/id/(\d+)/.+", "gettyimages:{}".format),
    Form(rf"media\.{_GETTY}/(?:photos|vectors|videos)/.+-id(\d+)", "gettyimages:{}".format),
    Form(r"media\.istockphoto\.com/id/(\d+)/.+", "istock:{}".format),
    Form(r"media\.istockphoto\.com/(?:photos|vectors|illustrations|videos)/.+-id(\d+)", "istock:{}".format),
    Form(r"(?:www\.)?istockphoto\.com/.+-gm(\d+)-\d+", "istock:{}".format),
)


def _keys(asset: Asset) -> Iterable[str]:
    """Return the work of a page or a file."""
    return addresses.names(asset.url, _FORMS)


SPEC = Spec(
    "Stock site default",
    "2026-09",
    "https://www.shutterstock.com/license",
    (Gate.LOOKUP,),
    "nothing of its own",
    hosts=_HOSTS,
    keys=_keys,
)


def needs(asset: Asset, purpose: Purpose) -> Iterable[Need]:  # noqa: ARG001 (as the protocol has it)
    """Ask for nothing more than is asked anyway: there is no place where a maker's choice could be read."""
    return [ROBOTS_TXT]


def read(evidence: Evidence, asset: Asset, purpose: Purpose) -> Iterator[Said]:  # noqa: ARG001 (as the protocol has it)
    """Note what holds on the site; it decides nothing."""
    yield _DEFAULT
