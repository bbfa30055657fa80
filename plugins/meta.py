"""Instagram and Facebook: what holds on the sites; an objection is private and about their own training."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from consentcrawl.core import ROBOTS_TXT, Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import Form, addresses, parameter, site_default

_HOSTS = (
    "instagram.com", "instagr.am", "cdninstagram.com", "facebook.com", "fb.com", "fbcdn.net",
    *(f"fbcdn-{kind}-{letter}-a.akamaihd.net" for kind in ("sphotos", "photos") for letter in "abcdefgh"),
)  # fmt: skip

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _shortcode(cache_key: str) -> str:
    """The short code of the number that a cache key holds in base64: the same number, in digits of base 64."""
    try:
        digits = b64decode(unquote(cache_key) + "==").decode("ascii")
    except ValueError:
        return ""
    if not re.fullmatch(r"[0-9]{1,24}", digits):
        return ""
    number, code = int(digits), ""
    while number:
        number, rest = divmod(number, len(_ALPHABET))
        code = _ALPHABET[rest] + code
    return code and f"instagram:{code}"


_FACEBOOK = r"(?:[\w-]+\.)?(?:facebook|fb)\.com"
_DEFAULT = site_default.beside(__file__)
_FORMS = (
    Form(
        r"(?:[\w-]+\.)?instagram\.com/(?:(?!share/)[\w.]+/)?(?:p|reels?|tv)/(?!audio/)([\w-]+)(?:/.*)?",
        "instagram:{}".format,
    ),
    Form(r"(?:www\.)?instagr\.am/p/([\w-]+)(?:/.*)?", "instagram:{}".format),
    Form(r"[\w.-]+\.(?:cdninstagram\.com|fbcdn\.net)/.+", _shortcode, r"[?&;]ig_cache_key=([^&.]+)"),
    Form(rf"{_FACEBOOK}/photo(?:\.php)?", "facebook:{}".format, parameter("fbid")),
    Form(rf"{_FACEBOOK}/[^/]+/photos/(?:[^/]+/)*(\d+)", "facebook:{}".format),
    Form(
        r"(?!instagram)[\w.-]+\.(?:fbcdn|akamaihd)\.net/(?:[^/]+/)*\d+_(\d+)_(?:\d+_){1,3}[no]\.\w+",
        "facebook:{}".format,
    ),
)


def _keys(asset: Asset) -> Iterable[str]:
    """Return the post or photo of a page, or of a file whose address names it."""
    return addresses.names(asset.url, _FORMS)


SPEC = Spec(
    "Meta site default",
    "2026-09",
    "https://www.facebook.com/terms",
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
