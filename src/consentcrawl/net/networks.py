"""Which networks are not the public Internet, in a table of our own, and which IPv4 address an IPv6 address carries.

An address that carries another one is as closed as both of them. Python's ``is_global`` calls multicast, NAT64,
6to4 and others global, and so is not asked.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# IANA IPv4 Special-Purpose Address Registry (RFC 6890), multicast (RFC 5771), reserved (RFC 1112 §4).
_CLOSED_V4 = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # shared, carrier NAT; cloud metadata of some
    "127.0.0.0/8",  # loopback
    "168.63.129.16/32",  # the host below a virtual machine
    "169.254.0.0/16",  # link-local, cloud metadata
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments, cloud metadata of some
    "192.0.2.0/24",  # documentation
    "192.31.196.0/24",  # AS112
    "192.52.193.0/24",  # AMT relays
    "192.88.99.0/24",  # 6to4 relays
    "192.168.0.0/16",  # private
    "192.175.48.0/24",  # AS112
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, broadcast
)
# Only 2000::/3 is handed out as global unicast (RFC 4291 §2.4); the rest of the table is what is special inside it.
_CLOSED_V6 = (
    "::/3",  # unspecified, loopback, mapped, compatible, translated, NAT64, discard
    "2001::/23",  # Teredo, benchmarks, ORCHID and other protocol assignments
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4
    "2620:4f:8000::/48",  # AS112
    "3ffe::/16",  # the former 6bone
    "3fff::/20",  # documentation
    "4000::/2",  # not handed out; 5f00::/16 is for segment routing
    "8000::/1",  # not handed out; unique local, link-local, site-local, multicast
)
_CLOSED: dict[int, tuple[Network, ...]] = {
    4: tuple(map(IPv4Network, _CLOSED_V4)),
    6: tuple(map(IPv6Network, _CLOSED_V6)),
}

# Prefixes that carry an IPv4 address, and how many bits to the right of it stand. RFC 4291 §2.5.5 (compatible,
# mapped), RFC 2765 (translated), RFC 6052 and RFC 8215 (NAT64), RFC 3056 (6to4).
_CARRIERS = (
    (IPv6Network("::/96"), 0),
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("64:ff9b:1::/48"), 0),
    (IPv6Network("2002::/16"), 80),
)
_TEREDO = IPv6Network("2001::/32")  # RFC 4380 §4: the client's address stands there inverted
_ISATAP = 0x00005EFE  # RFC 5214 §6.1; the bit 0x0200_0000 says "globally unique"
_MASK = 0xFFFFFFFF


def address_of(text: str) -> Address | None:
    """The address that ``text`` spells, a zone left off, or None when it is a name."""
    try:
        return ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None


def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks that ``texts`` spell. Raises ValueError for one that is none, or that has host bits set."""
    return tuple(map(ip_network, texts))


def is_closed(address: Address, allowed: tuple[Network, ...] = ()) -> bool:
    """Say whether an address, or one that it carries, lies in a closed network that ``allowed`` does not name."""
    return any(_lies_in(one, _CLOSED[one.version]) and not _lies_in(one, allowed) for one in _with_carried(address))


def _lies_in(address: Address, among: tuple[Network, ...]) -> bool:
    """Say whether one of the networks holds the address; another version never does."""
    return any(address in network for network in among)


def _with_carried(address: Address) -> list[Address]:
    """The address, and every IPv4 address it carries."""
    if isinstance(address, IPv4Address):
        return [address]
    bits = int(address)
    carried = [bits >> shift & _MASK for prefix, shift in _CARRIERS if address in prefix and bits > 1]
    if address in _TEREDO:
        carried += [bits >> 64 & _MASK, ~bits & _MASK]
    if bits >> 32 & 0xFDFFFFFF == _ISATAP:
        carried.append(bits & _MASK)
    return [address, *map(IPv4Address, carried)]
