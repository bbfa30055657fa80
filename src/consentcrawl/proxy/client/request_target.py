"""Which URL a request is about: from its target, its Host field, and the tunnel it came through.

Target, Host and tunnel name the same authority, or nothing is asked (RFC 9112 §3.2, §3.3).
"""

from __future__ import annotations

import re

from consentcrawl.core import origin_of
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.proxy.client.request_head import BadRequest, Fault, RequestHead

_ABSOLUTE = re.compile(r"(https?)://([^/?#]*)(.*)", re.IGNORECASE).fullmatch
_WRITTEN = re.compile(r"[0-9A-Za-z.:_\[\]-]+").fullmatch
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+):([0-9]{1,5})").fullmatch


def url_of(head: RequestHead, tunnel: str = "") -> str:
    """Return the URL that is asked for; ``tunnel`` is the origin a tunnel leads to. Raises BadRequest.

    What cannot be a URL at all is given as it was written: the inquiry says what is wrong with it.
    """
    if "#" in head.target:
        raise BadRequest(Fault.FRAGMENT)  # RFC 9112 §3.2: no form has one
    absolute = _ABSOLUTE(head.target)
    if absolute is None:
        return _of_origin_form(head, tunnel)
    scheme, authority, _ = absolute.groups()
    if "@" in authority:
        raise BadRequest(Fault.USERINFO)  # RFC 9110 §4.2.4
    _agree(head, scheme.lower(), authority)
    if tunnel and origin(scheme.lower(), authority) != tunnel:
        raise BadRequest(Fault.OTHER_TUNNEL)
    return head.target


def authority_of(head: RequestHead) -> str:
    """Return the ``host:port`` that a CONNECT asks for, as written. Raises BadRequest.

    Its Host field is not looked at: clients put the proxy there, and nothing of a CONNECT is passed on.
    """
    if not _AUTHORITY(head.target):
        raise BadRequest(Fault.CONNECT)  # RFC 9112 §3.2.3
    return head.target


def origin(scheme: str, authority: str) -> str:
    """Return the canonical origin. Raises BadRequest for an authority that is none."""
    if not _WRITTEN(authority):
        raise BadRequest(Fault.AUTHORITY)
    try:
        return origin_of(canonical(f"{scheme}://{authority}/"))
    except BadUrl:
        raise BadRequest(Fault.AUTHORITY) from None


def _of_origin_form(head: RequestHead, tunnel: str) -> str:
    if not head.target.startswith("/"):
        raise BadRequest(Fault.NO_URL)
    if not tunnel:
        raise BadRequest(Fault.NOT_ABSOLUTE)
    scheme, _, authority = tunnel.partition("://")
    _agree(head, scheme, authority)
    return tunnel + head.target


def _agree(head: RequestHead, scheme: str, authority: str) -> None:
    """Refuse a Host field that names another authority than the target."""
    said = head.fields.first("host")
    if said and said != authority and origin(scheme, said) != origin(scheme, authority):
        raise BadRequest(Fault.OTHER_HOST)
