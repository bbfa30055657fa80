"""X: what holds on the site; the switch of a maker is private."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator

from consentcrawl.core import ROBOTS_TXT, Asset, Evidence, Gate, Need, Purpose, Said, Spec
from consentcrawl.platforms import Form, addresses, site_default

_HOSTS = (
    "x.com", "twitter.com", "twimg.com", "fxtwitter.com", "vxtwitter.com", "twittpr.com", "fixvx.com", "fixupx.com",
)  # fmt: skip

_SITE = r"(?:[\w-]+\.)?(?:twitter|x|fxtwitter|vxtwitter|twittpr|fixvx|fixupx)\.com"


def _snowflake(name: str) -> str:
    """The number of an image: the first eight bytes of its name (RFC 4648 §5)."""
    return f"media:{int.from_bytes(urlsafe_b64decode(name + '=')[:8])}"


_DEFAULT = site_default.beside(__file__)
_FORMS = (
    Form(rf"{_SITE}/(?:(?:i/web|[^/]+)/)?status(?:es)?/(\d+)(?:\.\w+)?(?:/.*)?"),
    Form(r"pbs\.twimg\.com/(?:media|tweet_video_thumb)/([\w-]{15})(?:[.:].*)?", _snowflake),
    Form(r"video\.twimg\.com/tweet_video/([\w-]{15})(?:[.:].*)?", _snowflake),
    Form(r"(?:video|pbs)\.twimg\.com/(?:ext_tw_video|amplify_video)(?:_thumb)?/(\d+)/.+", "media:{}".format),
)


def _keys(asset: Asset) -> Iterable[str]:
    """Return the work of a page or a file."""
    return [f"x:{name}" for name in addresses.names(asset.url, _FORMS)]


SPEC = Spec(
    "X site default",
    "2026-09",
    "https://x.com/tos",
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
