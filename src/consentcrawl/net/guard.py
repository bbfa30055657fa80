"""Where may be dialled: never into a private network, unless the policy names it (SSRF).

A name is resolved once, every address it has is vetted, and only a vetted address is dialled; one closed address
closes the name (DNS rebinding).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from consentcrawl.errors import BadPolicy
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.net.connect import Deadline, Endpoint, lookup
from consentcrawl.net.networks import Network, address_of, is_closed, networks
from consentcrawl.net.unreached import ADDRESS, BAD_URL, Unreached

_PORTS = {"http:": 80, "https:": 443}
_CONNECT_TO = re.compile(r"(\[[^\]]*\]|[^:\[\]]*):([0-9]{0,5}):(\[[^\]]+\]|[^:\[\]]+):([0-9]{0,5})").fullmatch
_PORT_END = 1 << 16

# Names that mean this machine or this network wherever they are asked: RFC 6761 §6.3, RFC 6762, RFC 8375, RFC 7686,
# the .internal of ICANN, and what clouds call their metadata service.
_LOCAL_NAMES = re.compile(
    r"(?:.+\.)?(?:localhost|localdomain|local|internal|home\.arpa|intranet|lan|onion|invalid)"
    r"|localhost[46]|ip6-(?:localhost|loopback|allnodes|allrouters)|loopback|broadcasthost"
    r"|metadata|instance-data|kubernetes|kubernetes\.default(?:\..+)?|host\.docker\.internal"
).fullmatch

# The WHATWG Fetch standard, "port blocking": ports of protocols that could mistake a request for a command.
_CLOSED_PORTS = frozenset(
    {
        *(1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109),
        *(110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530),
        *(531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045),
        *(4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080),
    }
)


def host_and_port(url: str) -> tuple[str, int]:
    """The host (an IPv6 address without brackets) and the port of a canonical URL."""
    scheme, _, authority, _ = url.split("/", 3)
    if authority[-1] == "]" or ":" not in authority:
        return authority.strip("[]"), _PORTS[scheme]
    host, _, port = authority.rpartition(":")
    return host.strip("[]"), int(port)


@dataclass(frozen=True, slots=True)
class ConnectTo:
    """Dial ``address`` instead of ``host``, as curl's ``--connect-to`` does; name, Host and TLS stay as they were.

    An empty ``host`` or a ``port`` of 0 matches any; a ``to_port`` of 0 keeps the port.
    """

    host: str
    port: int
    address: str
    to_port: int

    @classmethod
    def parse(cls, text: str) -> ConnectTo:
        """Read ``HOST:PORT:ADDR:PORT``; IPv6 in brackets. Raises BadPolicy when ADDR is no literal address."""
        parts = _CONNECT_TO(text)
        address = parts and address_of(parts[3])
        if parts is None or address is None or max(int(parts[2] or 0), int(parts[4] or 0)) >= _PORT_END:
            msg = f"{text!r} is not HOST:PORT:ADDR:PORT with a literal address"
            raise BadPolicy(msg)
        return cls(parts[1].strip("[]").lower().rstrip("."), int(parts[2] or 0), str(address), int(parts[4] or 0))

    def matches(self, host: str, port: int) -> bool:
        """Say whether a connection to ``host`` and ``port`` is sent elsewhere."""
        return self.host in ("", host) and self.port in (0, port)

    def endpoint(self, port: int) -> Endpoint:
        """Where to dial for a connection meant for ``port``."""
        return self.address, self.to_port or port


@dataclass(frozen=True, slots=True, init=False)
class Guard:
    """What may be dialled: the public Internet, the networks in ``allow``, and each ``connect_to`` mapping.

    ``allow`` takes networks as text (``"127.0.0.0/8"``). A policy that names any network also lets names such as
    ``localhost`` through; the addresses behind them are vetted all the same.
    """

    allow: tuple[Network, ...]
    connect_to: tuple[ConnectTo, ...]

    def __init__(self, allow: Iterable[str | Network] = (), connect_to: Iterable[ConnectTo] = ()) -> None:
        """Read the networks. Raises BadPolicy for one that is none."""
        try:
            object.__setattr__(self, "allow", networks(tuple(map(str, allow))))
        except ValueError as error:
            raise BadPolicy(str(error)) from None
        object.__setattr__(self, "connect_to", tuple(connect_to))

    def vet(self, address: str) -> str | None:
        """Return the reason code why a literal address may not be dialled, or None. What is no address is refused."""
        literal = address_of(address)
        return ADDRESS if literal is None or "%" in address or is_closed(literal, self.allow) else None

    def refuses(self, url: str) -> str | None:
        """Return the reason code why a URL may not be dialled, without asking DNS, or None: bad_url, address."""
        try:
            host, port = host_and_port(canonical(url))
        except BadUrl:
            return BAD_URL
        if self._elsewhere(host, port):
            return None
        if address_of(host):
            return self.vet(host) or _closed_port(port)
        return ADDRESS if _LOCAL_NAMES(host) and not self.allow else _closed_port(port)

    def resolve(self, host: str, port: int, deadline: Deadline) -> list[Endpoint]:
        """Resolve once, vet every address, and give the endpoints to dial; no second look-up may follow.

        Raises Unreached: address (one closed address is enough), dns, timeout.
        """
        if elsewhere := self._elsewhere(host, port):
            return [elsewhere]
        if _LOCAL_NAMES(host) and not self.allow:
            raise Unreached(ADDRESS, host)
        addresses = [host] if address_of(host) else lookup(host, port, deadline)
        for address in addresses:
            if reason := self.vet(address):
                raise Unreached(reason, f"{host} is {address}")
        return [(address, port) for address in addresses]

    def _elsewhere(self, host: str, port: int) -> Endpoint | None:
        """Where the user sends this connection: named by the user, so not vetted, and for this mapping only."""
        return next((to.endpoint(port) for to in self.connect_to if to.matches(host, port)), None)


def refuses(url: str) -> str | None:
    """Return the reason code why a URL may not be dialled under a policy that names no network, or None."""
    return _PUBLIC.refuses(url)


def _closed_port(port: int) -> str | None:
    """Return the reason code for a port on which no web server is asked."""
    return ADDRESS if port in _CLOSED_PORTS else None


_PUBLIC = Guard()
