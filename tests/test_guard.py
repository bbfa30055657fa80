"""The guard: no private network is dialled, however it is spelled, and no name that leads there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.errors import BadPolicy
from consentcrawl.net import connect
from consentcrawl.net.connect import Deadline, dial, lookup
from consentcrawl.net.guard import ConnectTo, Guard, host_and_port, refuses
from consentcrawl.net.networks import address_of, is_closed
from consentcrawl.net.unreached import Unreached

# Literal addresses that may not be dialled, each with what it is.
CLOSED = {
    "unspecified": "0.0.0.0",  # noqa: S104 (an address, not bound)
    "this network": "0.1.2.3",
    "private 10 first": "10.0.0.0",
    "private 10 last": "10.255.255.255",
    "carrier NAT first": "100.64.0.1",
    "carrier NAT last": "100.127.255.254",
    "metadata, one cloud": "100.100.100.200",
    "loopback": "127.0.0.1",
    "loopback, other": "127.1.2.3",
    "loopback, last": "127.255.255.255",
    "host below a machine": "168.63.129.16",
    "link-local": "169.254.0.1",
    "metadata": "169.254.169.254",
    "metadata, containers": "169.254.170.2",
    "private 172 first": "172.16.0.1",
    "private 172 last": "172.31.255.255",
    "protocol assignments": "192.0.0.1",
    "metadata, another cloud": "192.0.0.192",
    "documentation 1": "192.0.2.1",
    "AS112": "192.31.196.1",
    "AMT": "192.52.193.1",
    "6to4 relay": "192.88.99.1",
    "private 192": "192.168.0.1",
    "private 192 last": "192.168.255.255",
    "AS112 direct": "192.175.48.1",
    "benchmark first": "198.18.0.1",
    "benchmark last": "198.19.255.255",
    "documentation 2": "198.51.100.7",
    "documentation 3": "203.0.113.7",
    "multicast": "224.0.0.1",
    "multicast last": "239.255.255.255",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "v6 unspecified": "::",
    "v6 loopback": "::1",
    "compatible loopback": "::127.0.0.1",
    "compatible public": "::8.8.8.8",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped private": "::ffff:10.0.0.1",
    "mapped metadata": "::ffff:169.254.169.254",
    "mapped public": "::ffff:8.8.8.8",
    "translated loopback": "::ffff:0:127.0.0.1",
    "NAT64 loopback": "64:ff9b::7f00:1",
    "NAT64 private": "64:ff9b::10.0.0.1",
    "NAT64 metadata": "64:ff9b::a9fe:a9fe",
    "NAT64 local use": "64:ff9b:1::7f00:1",
    "discard": "100::1",
    "discard dummy": "100:0:0:1::1",
    "Teredo": "2001::1",
    "Teredo, private server": "2001:0:a00:1::1",
    "Teredo, loopback client": "2001:0:808:808:0:0:80ff:fffe",
    "benchmark v6": "2001:2::1",
    "AMT v6": "2001:3::1",
    "ORCHID": "2001:10::1",
    "ORCHIDv2": "2001:20::1",
    "drone identifiers": "2001:30::1",
    "documentation v6": "2001:db8::1",
    "6to4 loopback": "2002:7f00:1::1",
    "6to4 private": "2002:a00:1::1",
    "6to4 metadata": "2002:a9fe:a9fe::",
    "6to4 public": "2002:808:808::1",
    "AS112 v6": "2620:4f:8000::1",
    "former 6bone": "3ffe::1",
    "documentation v6, new": "3fff::1",
    "not handed out": "4000::1",
    "segment routing": "5f00::1",
    "unique local fc": "fc00::1",
    "unique local fd": "fd00::1",
    "metadata v6": "fd00:ec2::254",
    "link-local v6": "fe80::1",
    "link-local metadata v6": "fe80::a9fe:a9fe",
    "site-local": "fec0::1",
    "multicast v6 node": "ff01::1",
    "multicast v6 link": "ff02::1",
    "multicast v6 global": "ff0e::1",
    "ISATAP loopback": "2606:4700::5efe:7f00:1",
    "ISATAP private": "2606:4700::5efe:10.0.0.1",
    "ISATAP global bit, private": "2606:4700::200:5efe:10.0.0.1",
    "last": "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
}

# URLs that may not be dialled, and the reason code.
URLS = {
    "decimal": ("http://2130706433/", "address"),
    "hexadecimal": ("http://0x7f000001/", "address"),
    "hexadecimal parts": ("http://0x7f.0x0.0x0.0x1/", "address"),
    "octal": ("http://0177.0.0.01/", "address"),
    "octal whole": ("http://017700000001/", "address"),
    "short": ("http://127.1/", "address"),
    "three parts": ("http://127.0.1/", "address"),
    "hexadecimal and short": ("http://0x7f.1/", "address"),
    "zero": ("http://0/", "address"),
    "zero hexadecimal": ("http://0x0/", "address"),
    "metadata decimal": ("http://2852039166/latest/meta-data/", "address"),
    "metadata hexadecimal": ("http://0xa9fea9fe/", "address"),
    "metadata octal": ("http://0251.0376.0251.0376/", "address"),
    "final dot": ("http://127.0.0.1./", "address"),
    "full-width digits": ("http://\uff11\uff12\uff17.0.0.1/", "address"),
    "circled digits": ("http://①②⑦.⓪.⓪.①/", "address"),
    "ideographic dots": ("http://127。0。0。1/", "address"),
    "port": ("http://127.0.0.1:8080/", "address"),
    "default port": ("https://127.0.0.1:443/", "address"),
    "user": ("http://example.com@127.0.0.1/", "bad_url"),
    "user, other way": ("http://127.0.0.1@example.com/", "bad_url"),
    "user and password": ("http://a:b@example.com/", "bad_url"),
    "backslash": ("http://example.com\\@127.0.0.1/", "bad_url"),
    "backslash, slash": ("http:\\\\127.0.0.1/", "bad_url"),
    "encoded dot": ("http://127%2e0.0.1/", "bad_url"),
    "encoded digit": ("http://%31%32%37.0.0.1/", "bad_url"),
    "tab in host": ("http://127.0.\t0.1/", "bad_url"),
    "newline in host": ("http://127.0.0.1\n/", "bad_url"),
    "zone": ("http://[fe80::1%25lo]/", "bad_url"),
    "zone, plain": ("http://[fe80::1%lo]/", "bad_url"),
    "brackets, loopback": ("http://[::1]/", "address"),
    "brackets, long": ("http://[0000:0:0:0:0:0:0:0001]:81/", "address"),
    "brackets, mapped": ("http://[::ffff:127.0.0.1]/", "address"),
    "brackets, mapped hexadecimal": ("http://[::ffff:7f00:1]/", "address"),
    "brackets, NAT64": ("http://[64:ff9b::127.0.0.1]/", "address"),
    "brackets, unspecified": ("http://[::]/", "address"),
    "localhost": ("http://localhost/", "address"),
    "localhost, case": ("http://LocalHost/", "address"),
    "localhost, dot": ("http://localhost./", "address"),
    "below localhost": ("http://a.b.localhost/", "address"),
    "localhost, full-width": ("http://\uff4cocalhost/", "address"),
    "localhost.localdomain": ("http://localhost.localdomain/", "address"),
    "localhost6": ("http://localhost6/", "address"),
    "ip6-localhost": ("http://ip6-localhost/", "address"),
    "metadata name": ("http://metadata.google.internal/computeMetadata/v1/", "address"),
    "metadata short": ("http://metadata/", "address"),
    "instance-data": ("http://instance-data/latest/", "address"),
    "mDNS": ("http://printer.local/", "address"),
    "home": ("http://router.home.arpa/", "address"),
    "router": ("http://fritz.lan/", "address"),
    "cluster": ("http://kubernetes.default.svc/", "address"),
    "container host": ("http://host.docker.internal/", "address"),
    "onion": ("http://abc.onion/", "address"),
    "port of SMTP": ("http://example.com:25/", "address"),
    "port of SSH": ("http://example.com:22/", "address"),
    "port of IRC": ("http://8.8.8.8:6667/", "address"),
    "port 0": ("http://example.com:0/", "bad_url"),
    "file": ("file:///etc/passwd", "bad_url"),
    "gopher": ("gopher://127.0.0.1:70/", "bad_url"),
    "no host": ("http:///127.0.0.1/", "bad_url"),
    "one slash": ("http:/127.0.0.1/", "bad_url"),
    "surrogate": ("http://\ud800/", "bad_url"),
    "empty": ("", "bad_url"),
}

OPEN = [
    "8.8.8.8",
    "1.1.1.1",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1",
    "2a00:1450:4001::1",
    "2606:4700::5efe:808:808",
]


@pytest.fixture(autouse=True)
def _no_dial(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test but those that say so must neither dial nor ask DNS."""
    dials: list[object] = []
    if "dials" not in request.node.name:
        monkeypatch.setattr(socket.socket, "connect", lambda _, to: dials.append(to))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *to, **_: dials.append(to))
    yield
    assert not dials


def answers(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name have these addresses; gives the list of names that are asked for."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def resolved(guard: Guard, host: str, port: int = 80) -> list[tuple[str, int]] | str:
    """What the guard gives to dial, or the reason why nothing."""
    try:
        return guard.resolve(host, port, Deadline.after(1))
    except Unreached as error:
        return error.reason


def test_ours_there_are_as_many_vectors_as_promised() -> None:
    assert len(CLOSED) + len(URLS) >= 130


@pytest.mark.parametrize("name", CLOSED)
def test_rfc6890_closed_addresses_are_refused_everywhere(name: str) -> None:
    address = CLOSED[name]
    url = f"http://[{address}]/" if ":" in address else f"http://{address}/"
    assert Guard().vet(address) == refuses(url) == resolved(Guard(), address) == "address"


@pytest.mark.parametrize("name", URLS)
def test_ours_urls_that_lead_inside_are_refused_without_a_look_up(name: str) -> None:
    url, reason = URLS[name]
    assert refuses(url) == reason


@pytest.mark.parametrize("address", OPEN)
def test_ours_public_addresses_are_open(address: str) -> None:
    url = f"https://[{address}]:8443/" if ":" in address else f"https://{address}:8443/"
    assert Guard().vet(address) is None
    assert refuses(url) is None
    assert resolved(Guard(), address, 8443) == [(address, 8443)]


@pytest.mark.parametrize("url", ["https://a.example/", "http://localhost.example/", "http://internal.example:8080/"])
def test_ours_public_names_are_open(url: str) -> None:
    assert refuses(url) is None


@pytest.mark.parametrize("text", ["", "a.example", "127.1", "0x7f.1", "8.8.8.8%lo", "fe80::1%lo", "8.8.8.8/32"])
def test_ours_what_is_no_literal_address_is_refused(text: str) -> None:
    assert Guard(["fe80::/10"]).vet(text) == "address"


@pytest.mark.parametrize("bad", [address for address in CLOSED.values() if not address.startswith("::")][::4])
def test_ours_one_closed_address_closes_the_name(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    asked = answers(monkeypatch, "8.8.8.8", bad, "1.1.1.1")
    assert resolved(Guard(), "rebind.example") == "address"
    assert asked == ["rebind.example"]


def test_ours_a_name_is_resolved_once_and_gives_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, "8.8.8.8", "2606:4700::1", "8.8.8.8")
    assert resolved(Guard(), "a.example", 443) == [("8.8.8.8", 443), ("2606:4700::1", 443)]
    assert asked == ["a.example"]


def test_ours_rebinding_a_thousand_rounds_never_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard()
    for turn in range(1000):
        bad = list(CLOSED.values())[turn % len(CLOSED)]
        monkeypatch.setattr("consentcrawl.net.guard.lookup", lambda *_, bad=bad: ["8.8.8.8", bad])
        assert resolved(guard, "rebind.example") == "address"


def test_ours_local_names_are_not_even_looked_up() -> None:
    assert resolved(Guard(), "localhost") == "address"


def test_ours_a_policy_opens_the_networks_it_names_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard(("127.0.0.0/8", "::1/128"))
    answers(monkeypatch, "127.0.0.1", "::1")
    assert guard.refuses("http://localhost:8080/") is None
    assert resolved(guard, "localhost", 8080) == [("127.0.0.1", 8080), ("::1", 8080)]
    assert guard.vet("::1") is guard.vet("127.9.9.9") is None
    assert guard.vet("10.0.0.1") == guard.vet("::ffff:127.0.0.1") == guard.vet("2002:7f00:1::") == "address"
    answers(monkeypatch, "10.0.0.1")
    assert resolved(guard, "localhost") == "address"


def test_rfc6052_nat64_named_by_the_policy_still_has_its_inner_address_vetted() -> None:
    guard = Guard(("64:ff9b::/96",))
    assert guard.vet("64:ff9b::8.8.8.8") is None
    assert guard.vet("64:ff9b::127.0.0.1") == "address"


@pytest.mark.parametrize("network", ["127.0.0.1/8", "x", "", "::1/129"])
def test_ours_a_network_that_is_none_is_a_bad_policy(network: str) -> None:
    with pytest.raises(BadPolicy):
        Guard((network,))


@pytest.mark.parametrize(
    ("text", "host", "port", "endpoint"),
    [
        ("a.example:443:127.0.0.1:8443", "a.example", 443, ("127.0.0.1", 8443)),
        ("A.Example.:443:127.0.0.1:8443", "a.example", 443, ("127.0.0.1", 8443)),
        (":443:127.0.0.1:8443", "b.example", 443, ("127.0.0.1", 8443)),
        ("a.example::127.0.0.1:", "a.example", 81, ("127.0.0.1", 81)),
        ("::[::1]:", "any.example", 81, ("::1", 81)),
        ("[::2]:80:[::1]:81", "::2", 80, ("::1", 81)),
        ("localhost:80:10.0.0.1:81", "localhost", 80, ("10.0.0.1", 81)),
    ],
)
def test_curl_connect_to_dials_elsewhere_for_its_own_mapping(
    text: str, host: str, port: int, endpoint: tuple[str, int]
) -> None:
    guard = Guard(connect_to=(ConnectTo.parse(text),))
    assert resolved(guard, host, port) == [endpoint]
    shown = f"[{host}]" if ":" in host else host
    assert guard.refuses(f"http://{shown}:{port}/") is None
    assert guard.vet(endpoint[0]) == "address"


def test_curl_connect_to_leaves_other_hosts_and_ports_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Guard(connect_to=(ConnectTo.parse("a.example:443:127.0.0.1:1"),))
    answers(monkeypatch, "127.0.0.1")
    assert resolved(guard, "a.example", 80) == resolved(guard, "b.example", 443) == "address"
    assert guard.refuses("http://127.0.0.1/") == "address"


@pytest.mark.parametrize(
    "text", ["", "a:80:b.example:80", "a:80:127.0.0.1", "a:x:127.0.0.1:1", "::::", "a:65536:127.0.0.1:1"]
)
def test_curl_connect_to_that_cannot_be_read_is_a_bad_policy(text: str) -> None:
    with pytest.raises(BadPolicy):
        ConnectTo.parse(text)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/", ("a.example", 443)),
        ("http://a.example:81/x:y", ("a.example", 81)),
        ("http://[::1]/", ("::1", 80)),
        ("https://[::1]:81/", ("::1", 81)),
    ],
)
def test_ours_host_and_port_of_a_canonical_url(url: str, expected: tuple[str, int]) -> None:
    assert host_and_port(url) == expected


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses())
def test_ours_vet_agrees_with_the_table_and_never_raises(address: object) -> None:
    literal = address_of(str(address))
    assert literal is not None
    assert (Guard().vet(str(address)) == "address") is is_closed(literal)


def test_ours_a_slow_look_up_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    answer, answered = threading.Event(), threading.Event()

    def late(*_: object, **__: object) -> list[object]:
        answer.wait(30)
        answered.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", late)
    with pytest.raises(Unreached, match="timeout"):
        lookup("slow.example", 80, Deadline.after(0.05))
    assert not answered.is_set()
    answer.set()


@pytest.mark.parametrize("error", [socket.gaierror("no such name"), UnicodeError("label too long")])
def test_ours_a_failed_look_up_is_a_dns_gap(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unreached, match="dns"):
        lookup("none.example", 80, Deadline.after(1))


def test_ours_an_empty_look_up_is_a_dns_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch)
    with pytest.raises(Unreached, match="dns"):
        lookup("none.example", 80, Deadline.after(1))


def test_ours_dials_the_next_address_when_one_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as open_, socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
        gone.close()
        endpoints = [("127.0.0.1", port), open_.getsockname()]
        with dial(endpoints, Deadline.after(1)) as link:
            assert link.getpeername() == open_.getsockname()


@pytest.mark.parametrize(("error", "reason"), [(OSError("refused"), "connect"), (TimeoutError(), "timeout")])
def test_ours_nothing_that_answers_is_a_gap(monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(connect, "_connected", fail)
    with pytest.raises(Unreached, match=reason):
        dial([("127.0.0.1", 1), ("::1", 1)], Deadline.after(1))


def test_ours_dial_ends_with_the_deadline() -> None:
    with pytest.raises(Unreached, match="timeout"):
        dial([("127.0.0.1", 1)], Deadline.after(-1))
    with pytest.raises(Unreached, match="connect"):
        dial([], Deadline.after(1))
