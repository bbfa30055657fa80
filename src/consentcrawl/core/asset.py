"""An asset: a file at a URL, with the page that showed it if known, and every name it goes by.

Law: the URL is canonical (``formats.url.canonical``) before an asset is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_AFTER_SCHEME = len("https://")


def origin_of(url: str) -> str:
    """Scheme, host and port of a canonical URL: the authority that a robots.txt binds (RFC 9309 §2.3)."""
    end = url.find("/", _AFTER_SCHEME)
    return url if end < 0 else url[:end]


def host_of(url: str) -> str:
    """The host of a canonical URL, without port; an IPv6 address keeps its brackets."""
    host = origin_of(url).partition("://")[2]
    return host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its canonical URL, the canonical URL of its page or None, and its work keys.

    ``origin`` and ``target`` (path and query, what RFC 9309 patterns are compared with) are cut from the URL once.
    """

    url: str
    page: str | None = None
    work_keys: tuple[str, ...] = ()
    origin: str = field(init=False, compare=False)
    target: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Cut origin and target from the URL."""
        origin = origin_of(self.url)
        object.__setattr__(self, "origin", origin)
        object.__setattr__(self, "target", self.url[len(origin) :] or "/")

    @property
    def host(self) -> str:
        """The host name, without port."""
        return host_of(self.url)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every name under which something may have been learnt about this asset."""
        return (self.url, *self.work_keys)
