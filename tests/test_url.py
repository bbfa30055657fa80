"""URLs: the spellings of one address come to one form, and what two parsers read differently is refused."""

from __future__ import annotations

import pickle
import random
from urllib.parse import urlsplit

import ada_url
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consentcrawl.formats import url as module
from consentcrawl.formats.url import LIMIT, BadUrl, canonical, join, same_site

A = "https://a.example"

# (spelling, canonical form); most targets are ways to write /private/x that a rule against /private/ must still meet.
SPELLINGS = [
    # RFC 3986 §6.2.2.1: case
    ("HTTPS://a.example/x", f"{A}/x"),
    ("https://A.EXAMPLE/x", f"{A}/x"),
    ("hTTps://A.Example/X", f"{A}/X"),
    (f"{A}/%c3%a4", f"{A}/%C3%A4"),
    (f"{A}/private%2fx", f"{A}/private%2Fx"),
    (f"{A}/private%2Fx", f"{A}/private%2Fx"),
    (f"{A}/a%5cb", f"{A}/a%5Cb"),
    # RFC 3986 §6.2.2.2: unreserved characters are decoded, reserved ones are not
    (f"{A}/%70rivate/x", f"{A}/private/x"),
    (f"{A}/%70%72%69%76%61%74%65/x", f"{A}/private/x"),
    (f"{A}/p%72ivate/x", f"{A}/private/x"),
    (f"{A}/%7Euser", f"{A}/~user"),
    (f"{A}/%7euser", f"{A}/~user"),
    (f"{A}/a%2Db", f"{A}/a-b"),
    (f"{A}/a%5Fb", f"{A}/a_b"),
    (f"{A}/a%2Eb", f"{A}/a.b"),
    (f"{A}/%30%39%41%5A", f"{A}/09AZ"),
    (f"{A}/a%3Fb", f"{A}/a%3Fb"),
    (f"{A}/a%23b", f"{A}/a%23b"),
    (f"{A}/a%3ab", f"{A}/a%3Ab"),
    (f"{A}/a%40b", f"{A}/a%40b"),
    (f"{A}/a%3Bb%26c%3Dd%2Be%2Cf%24g%21h%2Ai%27j%28k%29l", f"{A}/a%3Bb%26c%3Dd%2Be%2Cf%24g%21h%2Ai%27j%28k%29l"),
    (f"{A}/a%20b", f"{A}/a%20b"),
    (f"{A}/a%00b", f"{A}/a%00b"),
    (f"{A}/a%0d%0ab", f"{A}/a%0D%0Ab"),
    (f"{A}/%25", f"{A}/%25"),
    (f"{A}/%2570rivate/x", f"{A}/%2570rivate/x"),
    (f"{A}/%252e%252e/x", f"{A}/%252e%252e/x"),
    (f"{A}/?%61=%62", f"{A}/?a=b"),
    (f"{A}/?q=%2F%3f", f"{A}/?q=%2F%3F"),
    # malformed triplets: the sign itself is encoded, once
    (f"{A}/100%", f"{A}/100%25"),
    (f"{A}/%zz", f"{A}/%25zz"),
    (f"{A}/%4", f"{A}/%254"),
    (f"{A}/%%341", f"{A}/%2541"),
    (f"{A}/%u0061", f"{A}/%25u0061"),
    (f"{A}/?100%", f"{A}/?100%25"),
    (f"{A}/%%", f"{A}/%25%25"),
    # RFC 3986 §6.2.2.3: dot segments, in every spelling
    (f"{A}/./private/x", f"{A}/private/x"),
    (f"{A}/private/./x", f"{A}/private/x"),
    (f"{A}/a/../private/x", f"{A}/private/x"),
    (f"{A}/../private/x", f"{A}/private/x"),
    (f"{A}/../../../private/x", f"{A}/private/x"),
    (f"{A}/a/b/../../private/x", f"{A}/private/x"),
    (f"{A}/a/%2e%2e/private/x", f"{A}/private/x"),
    (f"{A}/a/%2E%2E/private/x", f"{A}/private/x"),
    (f"{A}/a/.%2e/private/x", f"{A}/private/x"),
    (f"{A}/a/%2e./private/x", f"{A}/private/x"),
    (f"{A}/%2e/private/x", f"{A}/private/x"),
    (f"{A}/private/%2E/x", f"{A}/private/x"),
    (f"{A}/private/x/..", f"{A}/private/"),
    (f"{A}/private/x/.", f"{A}/private/x/"),
    (f"{A}/private/x/%2e%2e", f"{A}/private/"),
    (f"{A}/..", f"{A}/"),
    (f"{A}/.", f"{A}/"),
    (f"{A}/..?q", f"{A}/?q"),
    (f"{A}/...", f"{A}/..."),
    (f"{A}/.../x", f"{A}/.../x"),
    (f"{A}/.hidden", f"{A}/.hidden"),
    (f"{A}/..hidden/x", f"{A}/..hidden/x"),
    (f"{A}/a./x", f"{A}/a./x"),
    (f"{A}/a/..%2fprivate/x", f"{A}/a/..%2Fprivate/x"),
    (f"{A}/a/..;/private/x", f"{A}/a/..;/private/x"),
    (f"{A}/?/../x", f"{A}/?/../x"),
    (f"{A}/a//../private/x", f"{A}/a/private/x"),
    # slashes
    (f"{A}//private/x", f"{A}//private/x"),
    (f"{A}/private//x", f"{A}/private//x"),
    (f"{A}/a\\b", f"{A}/a/b"),
    (f"{A}/a\\..\\private/x", f"{A}/private/x"),
    (f"{A}/?a\\b", f"{A}/?a%5Cb"),
    (f"{A}/private;v=1/x", f"{A}/private;v=1/x"),
    # empty path, empty query, fragment
    (A, f"{A}/"),
    (f"{A}/", f"{A}/"),
    (f"{A}?", f"{A}/?"),
    (f"{A}?q", f"{A}/?q"),
    (f"{A}/a?", f"{A}/a?"),
    (f"{A}/a", f"{A}/a"),
    (f"{A}/a??", f"{A}/a??"),
    (f"{A}/a#", f"{A}/a"),
    (f"{A}/a#b", f"{A}/a"),
    (f"{A}/a?#b", f"{A}/a?"),
    (f"{A}/a?b#c", f"{A}/a?b"),
    (f"{A}#c", f"{A}/"),
    (f"{A}/a#b?c", f"{A}/a"),
    (f"{A}/#/private/x", f"{A}/"),
    # RFC 3986 §6.2.3: ports
    ("https://a.example:443/x", f"{A}/x"),
    ("http://a.example:80/x", "http://a.example/x"),
    ("http://a.example:080/x", "http://a.example/x"),
    ("https://a.example:/x", f"{A}/x"),
    ("https://a.example:80/x", "https://a.example:80/x"),
    ("http://a.example:443/x", "http://a.example:443/x"),
    ("http://a.example:8080/x", "http://a.example:8080/x"),
    ("http://a.example:00081", "http://a.example:81/"),
    ("http://a.example:65535/", "http://a.example:65535/"),
    # characters that may not stand there (RFC 3986 §3.3, §3.4)
    (f"{A}/a b", f"{A}/a%20b"),
    (f"{A}/a+b", f"{A}/a+b"),
    (f"{A}/ä", f"{A}/%C3%A4"),
    (f"{A}/a\u0308", f"{A}/a%CC%88"),
    (f"{A}/日本", f"{A}/%E6%97%A5%E6%9C%AC"),
    (f"{A}/\U0001f600", f"{A}/%F0%9F%98%80"),
    (f"{A}/\u202ex", f"{A}/%E2%80%AEx"),
    (f"{A}/\ufeffx", f"{A}/%EF%BB%BFx"),
    (f"{A}/?ä", f"{A}/?%C3%A4"),
    (f'{A}/<a>"{{}}|^`', f"{A}/%3Ca%3E%22%7B%7D%7C%5E%60"),
    (f'{A}/?<a>"{{}}|^`', f"{A}/?%3Ca%3E%22%7B%7D%7C%5E%60"),
    (f"{A}/a'b", f"{A}/a'b"),
    (f"{A}/?a'b", f"{A}/?a%27b"),
    (f"{A}/a[1]?b[]=2", f"{A}/a[1]?b[]=2"),
    (f"{A}/a*b$c", f"{A}/a*b$c"),
    (f"{A}/http://b.example/", f"{A}/http://b.example/"),
    (f"{A}/a@b", f"{A}/a@b"),
    (f"{A}/?a@b:c", f"{A}/?a@b:c"),
    (f" {A}/x", f"{A}/x"),
    (f"{A}/x  ", f"{A}/x"),
    # hosts: A-labels, final dot, numbers
    ("https://a.example./x", f"{A}/x"),
    ("https://faß.example/", "https://xn--fa-hia.example/"),
    ("https://FASS.example/", "https://fass.example/"),
    ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
    ("https://bu\u0308cher.example/", "https://xn--bcher-kva.example/"),
    ("https://XN--BCHER-KVA.example/", "https://xn--bcher-kva.example/"),
    ("https://\uff41.example/x", f"{A}/x"),
    ("https://a。example/x", f"{A}/x"),
    ("https://a\uff0eexample/x", f"{A}/x"),
    ("https://a｡example/x", f"{A}/x"),
    ("https://a\u00ad.example/x", f"{A}/x"),
    ("https://a\u200b.example/x", f"{A}/x"),
    ("https://ⓐ.example/x", f"{A}/x"),
    ("https://a_b.example/", "https://a_b.example/"),
    ("https://-a-.example/", "https://-a-.example/"),
    ("http://localhost", "http://localhost/"),
    ("http://1.2.3.4/", "http://1.2.3.4/"),
    ("http://127.1/", "http://127.0.0.1/"),
    ("http://127.0.1/", "http://127.0.0.1/"),
    ("http://2130706433/", "http://127.0.0.1/"),
    ("http://0x7f.1/", "http://127.0.0.1/"),
    ("http://0X7F000001/", "http://127.0.0.1/"),
    ("http://0177.0.0.1/", "http://127.0.0.1/"),
    ("http://017700000001/", "http://127.0.0.1/"),
    ("http://127.0.0.1./", "http://127.0.0.1/"),
    ("http://①②⑦.0.0.1/", "http://127.0.0.1/"),
    ("http://127。0。0。1/", "http://127.0.0.1/"),
    ("http://0/", "http://0.0.0.0/"),
    ("http://0xffffffff/", "http://255.255.255.255/"),
    ("http://[::1]/", "http://[::1]/"),
    ("http://[0:0:0:0:0:0:0:1]:80/", "http://[::1]/"),
    ("http://[::FFFF:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
    ("http://[2001:DB8::0:1]:8080/x", "http://[2001:db8::1]:8080/x"),
    ("http://1.2.3.example/", "http://1.2.3.example/"),
    ("http://x." + "a" * 63 + "/", "http://x." + "a" * 63 + "/"),
]

REFUSED = [
    # other schemes, and forms that only WHATWG takes for absolute
    *("", " ", "/x", "x", "//a.example/x", "a.example/x", "ftp://a.example/", "file:///etc/passwd", "data:,x"),
    *("javascript:alert(1)", "ws://a.example/", "https:a.example", "https:/a.example", "https:\\\\a.example/", "https://"),
    *("https:///a.example/", "https:////a.example/", "http", "http:", "gopher://a.example/", "view-source:https://a/"),
    # userinfo, and the readings of it
    *("https://u@a.example/", "https://u:p@a.example/", "https://@a.example/", "https://:@a.example/"),
    *("https://a.example@b.example/", "https://a.example:80@b.example/", "https://a.example%40b.example/"),
    *("https://a.example\\@b.example/", "https://a.example\\b.example/", "https://a.example\\", "https:/\\a.example/"),
    *("https://a.example\uff20b.example/", "https://a.example\uff0fb.example/"),
    # controls, inside and at the ends
    *("https://a.example/\n", "\thttps://a.example/", "https://a.example/a\tb", "https://a.example/a\r\nX: y"),
    *("https://a.ex\nample/", "ht\ntps://a.example/", "https://a.example/\x00", "https://a.example/\x7f", "\0https://a/"),
    *("https://a.example/\x85", "https://a.example/#\n", "https://a.example/\ud800", "https://a.example/?\udfff"),
    # hosts that are none
    *("https:// /", "https://a b.example/", "https://a..example/", "https://.a.example/", "https://a.example../"),
    *("https://./", "https://../", "https://a%2eexample/", "https://a%2Fexample/", "https://%61.example/", "https://%/"),
    *("https://a%zz.example/", "https://a<b.example/", "https://a|b.example/", "https://a*b.example/", "https://a,b/"),
    *("https://a!b.example/", "https://a'b.example/", "https://a(b.example/", "https://a=b.example/", "https://a;b/"),
    *(f"https://{'a' * 64}.example/", f"https://{'a.' * 127}example/", "https://a℀b.example/", "https://\u00ad/"),
    *("http://256.1.1.1/", "http://1.2.3.4.5/", "http://a.1/", "http://0x100000000/", "http://1.2.3.08/", "http://a.0x1/"),
    # brackets
    *("http://[::1/", "http://::1/", "http://[::1]x/", "http://[]/", "http://[1.2.3.4]/", "http://[a.example]/"),
    *("http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[::1]]/", "http://[[::1]/", "http://[v1.x]/"),
    *("http://[::1::]/", "http://[1:2:3:4:5:6:7:8:9]/"),
    # ports
    *("http://a.example:0/", "http://a.example:65536/", "http://a.example:99999/", "http://a.example:080080/"),
    *("http://a.example:-1/", "http://a.example:+80/", "http://a.example:8o/", "http://a.example:80:80/"),
    *("http://a.example:٣/", "http://a.example: 80/", "http://:80/", "http://[::1]:x/"),
    # length
    f"https://a.example/{'a' * LIMIT}", f"https://a.example/{'ä' * 2000}",
]  # fmt: skip

# Arbitrary and near-URL text.
PARTS = st.sampled_from(
    [
        *(
            "http://",
            "https://",
            "HTTP:",
            "//",
            "/",
            "\\",
            "a.example",
            "A",
            "xn--a",
            "é",
            "1",
            "0x7f",
            ".",
            "..",
            "%2e",
            "%",
        ),
        *(
            "%2F",
            "%61",
            "@",
            ":",
            ":80",
            ":443",
            "?",
            "#",
            "[",
            "]",
            "[::1]",
            " ",
            "\t",
            "'",
            "~",
            "-",
            "_",
            "|",
            "ß",
            "。",
        ),
    ]
)
TEXTS = st.lists(PARTS, max_size=12).map("".join) | st.text(max_size=20)
URLS = st.builds("".join, st.tuples(st.sampled_from(["http://", "https://"]), TEXTS)) | TEXTS
PLAIN = st.from_regex(r"\Ahttps?://[a-z0-9.x_-]{1,12}(?:/[\w.~!'*()\[\];:@=-]{0,6}){0,3}(?:\?[\w.'/?&=-]{0,8})?\Z")


def accepted(url: str) -> str | None:
    """The canonical form, or None."""
    try:
        return canonical(url)
    except BadUrl:
        return None


@pytest.mark.parametrize(("spelling", "form"), SPELLINGS)
def test_rfc3986_6_2_spellings_come_to_one_form(spelling: str, form: str) -> None:
    assert canonical(spelling) == form
    assert canonical(form) == form


@pytest.mark.parametrize("url", REFUSED)
def test_ours_what_cannot_be_read_in_one_way_is_refused(url: str) -> None:
    with pytest.raises(BadUrl) as caught:
        canonical(url)
    assert caught.value.reason


def test_ours_there_are_as_many_spellings_as_promised() -> None:
    assert len(SPELLINGS) + len(REFUSED) >= 150


@settings(max_examples=300, deadline=None)
@given(URLS)
@example("http://a.example/" + "ä" * 900)
def test_ours_canonical_is_idempotent_and_raises_nothing_else(url: str) -> None:
    form = accepted(url)
    if form is not None:
        assert canonical(form) == form


@settings(max_examples=300, deadline=None)
@given(PLAIN | URLS)
def test_ours_fast_way_agrees_with_slow_way(url: str) -> None:
    if module._PLAIN(url):
        assert module._canonical(url) == url


@settings(max_examples=300, deadline=None)
@given(URLS)
def test_ours_whatwg_and_urlsplit_read_the_same_host(url: str) -> None:
    form = accepted(url)
    if form is None:
        return
    split = urlsplit(url.strip(" "))
    authority = split.netloc.rpartition("@")[2]
    alone = urlsplit(ada_url.normalize_url(f"{split.scheme}://{authority}/"))
    assert split.username is None
    assert (alone.hostname or "").removesuffix(".") == urlsplit(form).hostname
    assert alone.port == urlsplit(form).port


@settings(max_examples=300, deadline=None)
@given(URLS)
def test_rfc9112_3_2_a_canonical_target_can_be_sent_as_it_is(url: str) -> None:
    form = accepted(url) or "http://a/"
    assert form.isascii()
    assert form.isprintable()
    assert not set(' "<>\\^`{|}#') & set(form)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("", "https://a.example/b/c?d"),
        ("#x", "https://a.example/b/c?d"),
        ("?y", "https://a.example/b/c?y"),
        ("?", "https://a.example/b/c?"),
        ("e", "https://a.example/b/e"),
        ("./e", "https://a.example/b/e"),
        ("../e", "https://a.example/e"),
        ("../../../e", "https://a.example/e"),
        ("/e%7e", "https://a.example/e~"),
        ("//B.example/e", "https://b.example/e"),
        ("http://b.example:80/e", "http://b.example/e"),
        ("HTTPS://b.example", "https://b.example/"),
        (" \n\te.jpg\r\n ", "https://a.example/b/e.jpg"),
        ("1:2", "https://a.example/b/1:2"),
        ("ä b.jpg", "https://a.example/b/%C3%A4%20b.jpg"),
        ("e\\f", "https://a.example/b/e/f"),
        ("e?f/../g", "https://a.example/b/e?f/../g"),
        (";x", "https://a.example/b/;x"),
        ("..", "https://a.example/"),
    ],
)
def test_rfc3986_5_4_references_are_resolved(reference: str, expected: str) -> None:
    assert join("https://a.example/b/c?d", reference) == expected


@pytest.mark.parametrize(
    "reference",
    [
        *(
            "data:image/png;base64,AA",
            "javascript:void(0)",
            "mailto:x@a.example",
            "https:e",
            "https:/e",
            "blob:x",
            "//",
        ),
        *("/\\b.example/", "\\\\b.example/", "\\/b.example/", "///b.example/", "//u@b.example/", "//b.example:x/"),
        *("e\nf", "e\tf", "#\x00", "e\ud800", "/" + "e" * LIMIT),
    ],
)
def test_ours_references_that_lead_elsewhere_by_a_trick_are_refused(reference: str) -> None:
    with pytest.raises(BadUrl):
        join("https://a.example/b/c?d", reference)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_ours_join_gives_canonical_urls_or_bad_url(reference: str) -> None:
    try:
        joined = join("https://a.example/b/c?d", reference)
    except BadUrl:
        return
    assert canonical(joined) == joined


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("https://a.example/", "http://b.a.example:81/x", True),
        ("https://a.example/", "https://b.example/", False),
        ("https://a.co.uk/", "https://b.co.uk/", False),
        ("https://a.co.uk/", "https://x.a.co.uk/", True),
        ("https://a.com.br/", "https://b.com.br/", False),
        ("https://x.t.co/", "https://t.co/", True),
        ("https://a.github.io/", "https://b.github.io/", False),
        ("https://a.github.io/", "https://x.a.github.io/", True),
        ("https://github.io/", "https://a.github.io/", False),
        ("http://1.2.3.4/", "http://1.2.3.4:81/", True),
        ("http://1.2.3.4/", "http://9.2.3.4/", False),
        ("http://[::1]/", "http://[::1]:81/", True),
        ("http://[::1]/", "http://[::2]/", False),
        ("http://localhost/", "http://localhost:81/", True),
        ("http://uk/", "http://co.uk/", False),
    ],
)
def test_ours_same_site_is_an_approximation_by_labels(a: str, b: str, same: bool) -> None:  # noqa: FBT001 (a table cell)
    assert same_site(a, b) is same
    assert same_site(b, a) is same


def spelled(dice: random.Random, path: str) -> str:
    """One of the endless spellings of a path: triplets, dot segments, backslashes."""
    parts: list[str] = []
    for segment in path.split("/"):
        parts += [part for _ in range(dice.randrange(3)) for part in dice.choice(DETOURS)]
        parts.append("".join(dice.choice([char, f"%{ord(char):02X}", f"%{ord(char):02x}"]) for char in segment))
    return "/" + dice.choice(["/", "\\"]).join(parts)


DETOURS = (["."], ["%2e"], ["x", ".."], ["y", "%2E."], ["q", ".%2e"], ["z", "w", "..", "%2e%2E"])


def test_ours_ten_thousand_spellings_of_one_address_come_to_one_form() -> None:
    dice = random.Random(9309)  # noqa: S311 (no secret here)
    for _ in range(10_000):
        origin = dice.choice(
            ["https://a.example", "HTTPS://A.example.", "https://a.example:443", "https://\uff41.example"]
        )
        url = origin + spelled(dice, "private/x~1.jpg") + dice.choice(["", "#x"])
        assert canonical(url) == "https://a.example/private/x~1.jpg"


def test_ours_message_shows_no_password_and_no_control_character() -> None:
    with pytest.raises(BadUrl) as caught:
        canonical("https://user:secret@a.example/\x1b[31m\nx")
    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(BadUrl("why", "x" * 9000))) < 250
    assert str(BadUrl("why")) == "why"


def test_ours_bad_url_crosses_processes() -> None:
    error = BadUrl("why", "https://a b/")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 (made right here)
