"""URLs: one canonical form, and a refusal of what two parsers read differently.

Always ``canonical(canonical(u)) == canonical(u)``; what is compared with the rules is what is asked of the server.
"""

from __future__ import annotations

import re

import ada_url

LIMIT = 8192
"""The most characters a URL may have, before and after; RFC 9110 §4.1 asks for 8,000 at least."""
_HOST_LIMIT, _LABEL_LIMIT = 253, 63  # RFC 1035 §2.3.4

# A URL that is canonical as it stands: a lower-case name whose last label starts with a letter (so it is no number) or
# a dotted address, no default port, no percent sign, no dot segment. The rest takes the slow way and comes to the same.
_SEGMENT = r"[\w\-.~!$&'()*+,;=:@\[\]]"
_NAME = r"(?=[^/:]{1,253}[/:])(?:(?!xn--)[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9]{1,62}"
_NUMBER = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PORT = r":(?!80/|443/)(?:[1-9][0-9]{0,3}|[1-5][0-9]{4})"
_PLAIN = re.compile(
    rf"https?://(?:{_NAME}|{_NUMBER}(?:\.{_NUMBER}){{3}})(?:{_PORT})?"
    rf"(?:/(?!\.\.?(?:[/?]|\Z)){_SEGMENT}*)+(?:\?[\w\-.~!$&()*+,;=:@\[\]/?]*)?",
    re.ASCII,
).fullmatch

_SPLIT = re.compile(r"(https?)://([^/?#]*)([^#]*)", re.IGNORECASE).match  # RFC 3986 appendix B
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE).match  # RFC 3986 §3.1
_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]").search
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^\[\]:%@\\]+)(?::(?P<port>[0-9]{0,5}))?", re.IGNORECASE).fullmatch
_HOST = re.compile(r"\[[0-9a-f:]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.ASCII).fullmatch
_NOT_PLAIN = re.compile(r"%[0-9A-Fa-f]{2}|[^\w\-.~!$&'()*+,;=:@\[\]/?]", re.ASCII)
_UNRESERVED = re.compile(r"[\w\-.~]", re.ASCII).fullmatch  # RFC 3986 §2.3
_USERINFO = re.compile(r"//.*@", re.DOTALL)
_SHOWN = 200
_ANY_PORT = 80

_LONG = "longer than 8,192 characters"
_CONTROL = "a control character or lone surrogate inside"
_NOT_WEB = "not an absolute http or https URL"
_BACKSLASH = "a backslash before the path"
_NO_HOST = "no host"
_MALFORMED = "a malformed host or port"
_NO_NAME = "a host that cannot be a name"
_NOT_IN_AUTHORITY = (
    ("\\", _BACKSLASH),
    ("@", "a user name or password inside"),
    ("%", "a percent sign in the host"),
)


class BadUrl(ValueError):
    """A URL that cannot be read in one way only; ``reason`` is a short sentence.

    The message shows the URL escaped, cut, and without what stands before an ``@``.
    """

    def __init__(self, reason: str, url: str = "") -> None:
        """Say why, and about which URL."""
        self.reason = reason
        self.shown = ascii(_USERINFO.sub("//…@", url)[:_SHOWN])[1:-1].replace("\\u2026", "...")
        super().__init__(reason, self.shown)

    def __str__(self) -> str:
        """Return the reason and the URL in one line."""
        return f"{self.reason}: {self.shown}" if self.shown else self.reason


def canonical(url: str) -> str:
    """Return the one form of an absolute http(s) URL, read as WHATWG does and then made normal by RFC 3986 §6.2.2.

    Scheme and host in lower case, names as A-labels without a final dot, numbers for a host as the IPv4 address they
    mean, no default port, no fragment, no dot segments (``%2e`` is a dot); unreserved characters plain, all others that
    may not stand there percent-encoded in upper case; ``%2F`` and an empty query stay. Spaces (U+0020) at the ends are
    dropped, as every parser does; any other control or white space character is refused, at the ends too.

    Raises BadUrl: another scheme, userinfo, no or a malformed host, a port that is none, a backslash or a percent
    sign in the authority, control characters, lone surrogates, more than 8,192 characters.
    """
    if len(url) <= LIMIT and _PLAIN(url):
        return url
    return _canonical(url)


def join(base: str, reference: str) -> str:
    r"""Resolve a reference from a document or a Location field against ``base`` and give the canonical URL.

    White space around it is dropped (HTML "URL potentially surrounded by spaces"). Raises BadUrl as ``canonical``
    does, and for forms that only some parsers take as relative: ``https:x``, ``/\host``, ``\\host``.
    """
    base, reference = canonical(base), reference.strip(" \t\n\f\r")
    if _SCHEME(reference):
        return canonical(reference)
    if reference.startswith("//"):
        return canonical(base[: base.index("/")] + reference)
    _refuse_unreadable(reference)
    if reference[:2] in ("/\\", "\\/", "\\\\"):
        raise BadUrl(_BACKSLASH, reference)
    return canonical(ada_url.join_url(base, reference.partition("#")[0]))


def same_site(a: str, b: str) -> bool:
    """Say whether two canonical URLs lie under one registrable domain, whatever their scheme and port.

    An approximation without the Public Suffix List: the last two labels count; three where the last two are a common
    second level under a country (``co.uk``) or one of a few hosting suffixes (``github.io``). Addresses and one-label
    names are the same site only when equal. Two customers of a hosting suffix unknown here count as one site.
    """
    return _site_of(a) == _site_of(b)


def _canonical(url: str) -> str:
    """Take the slow way; must agree with the fast one wherever that one answers."""
    if len(url) > LIMIT:
        raise BadUrl(_LONG, url)
    _refuse_unreadable(url)
    trimmed = url.strip(" ")
    split = _SPLIT(trimmed)
    if split is None:
        raise BadUrl(_NOT_WEB, url)
    scheme, authority, target = split.groups()
    _refuse_authority(authority, url)
    try:
        href = ada_url.normalize_url(f"{scheme}://{authority}{target}")
    except ValueError:
        raise BadUrl(_NO_NAME, url) from None
    scheme, authority, target = _SPLIT(href).groups()  # type: ignore[union-attr]
    whole = f"{scheme}://{_host(authority, url)}{_NOT_PLAIN.sub(_normal, target)}"
    if len(whole) > LIMIT:  # percent-encoding makes nine out of one
        raise BadUrl(_LONG, url)
    return whole


def _refuse_unreadable(text: str) -> None:
    """Refuse what some parsers drop and others send (controls), and what has no UTF-8 form (surrogates)."""
    if _UNREADABLE(text):
        raise BadUrl(_CONTROL, text)


def _refuse_authority(authority: str, url: str) -> None:
    r"""Refuse an authority at which parsers part: ``a\@b``, ``a@b``, ``a%2eb``, ``[::1]x``."""
    for sign, reason in _NOT_IN_AUTHORITY:
        if sign in authority:
            raise BadUrl(reason, url)
    if not authority:
        raise BadUrl(_NO_HOST, url)
    read = _AUTHORITY(authority)
    if read is None or not 0 < int(read["port"] or _ANY_PORT) < 1 << 16:
        raise BadUrl(_MALFORMED, url)


def _host(authority: str, url: str) -> str:
    """Check the host that WHATWG read, and drop the final dot of a name: the same name, fully qualified."""
    host, port = _AUTHORITY(authority).group("host", "port")  # type: ignore[union-attr]
    host = host.removesuffix(".")
    too_long = len(host) > _HOST_LIMIT or max(map(len, host.split("."))) > _LABEL_LIMIT
    if not _HOST(host) or (too_long and host[0] != "["):
        raise BadUrl(_NO_NAME, url)
    return f"{host}:{port}" if port else host


def _normal(match: re.Match[str]) -> str:
    """Return the normal form of one percent triplet or one character that may not stand in a path or query."""
    text = match[0]
    if len(text) == 1:
        return "".join(f"%{octet:02X}" for octet in text.encode())
    char = chr(int(text[1:], 16))
    return char if _UNRESERVED(char) else text.upper()


def _site_of(url: str) -> str:
    """The registrable domain of a canonical URL, as far as the rule above knows it."""
    authority = url.partition("://")[2].partition("/")[0]
    if authority.startswith("["):
        return authority.partition("]")[0]
    host = authority.partition(":")[0]
    labels = host.split(".")
    if labels[-1].isdigit():
        return host
    suffix = ".".join(labels[-2:])
    country = len(labels[-1]) == len("uk") and labels[-2:-1] and labels[-2] in _SECOND_LEVELS
    return ".".join(labels[-3:]) if country or suffix in _HOSTING else suffix


_SECOND_LEVELS = frozenset(
    {"ac", "co", "com", "edu", "go", "gob", "gouv", "gov", "gr", "ltd", "mil", "ne", "net", "nom", "or", "org", "sch"}
)
_HOSTING = frozenset(
    {
        *("blogspot.com", "github.io", "gitlab.io", "herokuapp.com", "neocities.org", "netlify.app", "pages.dev"),
        *("tumblr.com", "vercel.app", "web.app", "weebly.com", "wixsite.com", "wordpress.com", "workers.dev"),
    }
)
