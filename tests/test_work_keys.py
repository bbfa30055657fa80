"""Work keys: the work that a URL shows, from the URL alone."""

from __future__ import annotations

import base64
import csv
import json
import os
import random
import re
import string
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consentcrawl.core import Asset, host_of, name_of
from consentcrawl.discovery import Hosts, hosts_of, keys_among, signals, work_keys
from consentcrawl.formats.url import BadUrl, canonical
from consentcrawl.platforms import addresses
from tests import vector_files
from tests.cpu import at_most

CORPUS = os.environ.get("CONSENTCRAWL_CORPUS")
HEX = "0123456789abcdef"
BASE36 = string.digits + string.ascii_lowercase
BASE58 = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
BASE64 = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def _corpus() -> Iterator[tuple[str, str]]:
    path = Path(CORPUS or "") / "platform_urls.tsv"
    if CORPUS and path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                expected = row["expected_work_id"]
                yield row["url"], "" if expected == "-" else f"{row['platform']}:{expected}"


@pytest.mark.skipif(not CORPUS, reason="CONSENTCRAWL_CORPUS is not set")
def test_ours_every_address_of_the_corpus_has_its_key() -> None:
    rows = list(_corpus())
    assert len(rows) >= 175
    assert {url: work_keys(url) for url, _ in rows} == {url: (key,) if key else () for url, key in rows}


# The grammars, turned round: each makes an address and the key that it must have.
Case = tuple[str, str]
R = random.Random


def _digits(r: R, least: int = 4, most: int = 9) -> str:
    return str(r.randrange(10 ** (least - 1), 10**most))


def _letters(r: R, alphabet: str, length: int) -> str:
    return "".join(r.choices(alphabet, k=length))


def _written(number: int, alphabet: str) -> str:
    text = ""
    while number:
        number, rest = divmod(number, len(alphabet))
        text = alphabet[rest] + text
    return text


def _uuid(r: R) -> str:
    return "-".join(_letters(r, HEX, n) for n in (8, 4, 4, 4, 12))


def _word(r: R) -> str:
    return _letters(r, string.ascii_letters, r.randrange(3, 9))


def _deviantart(r: R) -> Case:
    number = r.randrange(36, 36**6)
    digits, word, user = _written(number, BASE36), _word(r), _word(r)
    file = f"d{r.choice('def')}{_uuid(r)[2:]}/d{digits}-{_uuid(r)}"
    cdn = "images-wixmp-ed30a86b8c4ca887773594c2.wixmp.com"
    claims = json.dumps({"obj": [[{"path": f"/f/{file}.png"}]]}).encode()
    token = f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.x"
    made = r.choice(
        (
            f"https://www.deviantart.com/{user}/art/{word}-{number}",
            f"https://www.deviantart.com/{user}/art/{number}?q=1",
            f"https://www.DeviantArt.com/view/{number}/",
            f"https://{user.lower()}.deviantart.com/art/{word}-{word}-{number}",
            f"https://www.deviantart.com/view-full.php?x=1&id={number}",
            f"http://fav.me/d{digits}",
            f"https://{cdn}/f/{file}.jpg",
            f"https://{cdn}/intermediary/f/{file}.png",
            f"https://{cdn}/i/{file}.png/v1/fit/w_1,h_2,q_70,strp/{word}_by_{user}_d{digits}-fullview.jpg?token=a.b.c",
            f"https://img-deviantart.wixmp.com/v/mp4/{file}.720p.x.mp4",
            f"https://api-da.wixmp.com/_api/download/file?downloadToken={token}",
        )
    )
    return made, f"deviantart:{number}"


def _artstation(r: R) -> Case:
    number, project = r.randrange(1, 10**9), _letters(r, BASE58, r.choice((5, 6)))
    nine = f"{number:09}"
    path = "/".join((nine[:3], nine[3:6], nine[6:]))
    host = r.choice(("cdn", "cdna", "cdnb", "cdnb3", "CDNA")) + ".artstation.com/p"
    return r.choice(
        (
            (f"https://www.artstation.com/artwork/{project}", f"artstation:{project}"),
            (f"https://some-body.artstation.com/projects/{project}?album_id=1", f"artstation:{project}"),
            (f"https://artstn.co/p/{project}", f"artstation:{project}"),
            (
                f"https://{host}/assets/images/images/{path}/4k/{_word(r)}.jpg?{_digits(r)}",
                f"artstation:asset:{number}",
            ),
            (f"https://{host}/assets/covers/images/{path}/small/{_word(r)}.jpg", f"artstation:cover:{number}"),
            (f"https://{host}/video_sources/{path}/{_word(r)}.mp4", f"artstation:video:{number}"),
        )
    )


def _behance(r: R) -> Case:
    number, junk = _digits(r, 7), _letters(r, HEX, 6)
    size = r.choice(("source", "max_1200", "1400_opt_1", "fs_webp"))
    name = f"{junk}{number}.{_letters(r, HEX, 13)}.jpg"
    made = r.choice(
        (
            f"https://www.behance.net/gallery/{number}/{_word(r)}/modules/1",
            f"https://mir-s3-cdn-cf.behance.net/project_modules/{size}/{name}",
            f"https://mir-cdn.behance.net/v1/rendition/project_modules/{size}/{name}",
            f"https://mir-s3-cdn-cf.behance.net/projects/404/{junk}{number}.Y3JvcCwx.jpg",
        )
    )
    return made, f"behance:{number}"


def _pixiv(r: R) -> Case:
    number, day = _digits(r, 5), "2019/01/14/01/15/05"
    hashed = r.choice(("", "-" + _letters(r, HEX, 32)))
    made = r.choice(
        (
            f"https://www.pixiv.net/en/artworks/{number}",
            f"https://touch.pixiv.net/member_illust.php?mode=medium&illust_id={number}",
            f"https://i.pximg.net/img-original/img/{day}/{number}{hashed}_p0.png",
            f"https://i-cf.pximg.net/c/240x240/custom-thumb/img/{day}/{number}{hashed}_p3_custom1200.jpg",
            f"http://i2.pixiv.net/img-zip-ugoira/img/{day}/{number}_ugoira600x600.zip",
            f"http://img{r.randrange(10, 99)}.pixiv.net/img/{_word(r)}/{number}_big_p1.jpg",
            f"http://i1.pixiv.net/img07/img/{_word(r)}/{number}_m.jpg",
        )
    )
    return made, f"pixiv:{number}"


def _flickr(r: R) -> Case:
    number = r.randrange(10**5, 10**11)
    secret = _letters(r, HEX, 10)
    made = r.choice(
        (
            f"https://www.flickr.com/photos/{_word(r)}/{number}/in/pool-1@N0/",
            f"https://flic.kr/p/{_written(number, BASE58)}",
            f"https://www.flickr.com/photo.gne?short={_written(number, BASE58)}",
            f"https://live.staticflickr.com/{_digits(r)}/{number}_{secret}_{r.choice('sqtmnwzcbhko')}.jpg",
            f"http://farm{r.randrange(1, 9)}.static.flickr.com/82/{number}_{secret}.jpg",
            f"https://c2.staticflickr.com/6/{_digits(r)}/{number}_{secret}_b_d.jpg",
            f"https://live.staticflickr.com/video/{number}/{secret}/1080p.mp4",
        )
    )
    return made, f"flickr:{number}"


def _boorus(r: R) -> Case:
    md5, number = _letters(r, HEX, 32), _digits(r)
    spread = f"{md5[:2]}/{md5[2:4]}"
    return r.choice(
        (
            (f"https://danbooru.donmai.us/posts/{number}?q=a", f"danbooru:{number}"),
            (f"https://safebooru.donmai.us/posts?md5={md5}", f"danbooru:md5:{md5}"),
            (f"https://cdn.donmai.us/original/{spread}/__a_b_drawn_by_c__{md5}.png", f"danbooru:md5:{md5}"),
            (f"https://cdn.donmai.us/720x720/{spread}/{md5}.webp", f"danbooru:md5:{md5}"),
            (f"https://img3.gelbooru.com/images/{spread}/{md5}.png", f"gelbooru:md5:{md5}"),
            (f"https://gelbooru.com/index.php?id={number}&s=view&page=post", f"gelbooru:{number}"),
            (f"https://safebooru.org/thumbnails/12/thumbnail_{md5}.jpg?{number}", f"safebooru:{number}"),
            (f"https://tbib.org/images/12/{md5}{md5[:8]}.png", f"tbib:hash:{md5}{md5[:8]}"),
            (f"https://static1.e621.net/data/sample/{spread}/{md5}.jpg", f"e621:md5:{md5}"),
            (f"https://e926.net/posts/{number}", f"e621:{number}"),
            (f"https://files.yande.re/image/{md5}/yande.re%20{number}%20a%20b.jpg", f"yandere:{number}"),
            (f"https://konachan.com/sample/{md5}/Konachan.com%20-%20{number}%20sample.jpg", f"konachan:{number}"),
            (f"https://static.zerochan.net/A.B.full.{number}.jpg", f"zerochan:{number}"),
        )
    )


def _communities(r: R) -> Case:
    number, word, user = _digits(r), _word(r), _word(r).lower()
    eleven, uuid = _letters(r, BASE64, 11), _uuid(r)
    return r.choice(
        (
            (f"https://500px.com/photo/{number}/{word}", f"500px:{number}"),
            (f"https://drscdn.500px.org/photo/{number}/q%3D80_m%3D2000/v2?sig=ab", f"500px:{number}"),
            (f"https://unsplash.com/photos/{word}-{word}-{eleven}", f"unsplash:{eleven}"),
            (f"https://photos.smugmug.com/{word}/i-{word}/0/ab/X3/{word}-X3.jpg", f"smugmug:{word}"),
            (f"https://sfw.furaffinity.net/full/{number}/", f"furaffinity:{number}"),
            (f"https://t.furaffinity.net/{number}@200-1650222955.jpg", f"furaffinity:{number}"),
            (f"https://www.weasyl.com/~{user}/submissions/{number}/{word}", f"weasyl:{number}"),
            (f"https://inkbunny.net/s/{number}-p2-#pictop", f"inkbunny:{number}"),
            (f"https://art.ngfiles.com/images/1000/{number}_{user}_{word}.png", f"newgrounds:image:{number}"),
            (f"https://www.newgrounds.com/art/view/{user}/{word}", f"newgrounds:{user}/{word}"),
            (f"https://cdn.cara.app/production/posts/{uuid}/{word}.jpg", f"cara:uuid:{uuid}"),
            (f"https://worldcosplay.net/ja/photo/{number}", f"worldcosplay:{number}"),
            (
                f"https://upload.wikimedia.org/wikipedia/commons/a/ab/{word}_a.jpg",
                f"wikimedia:File:{_title(word)} a.jpg",
            ),
        )
    )


def _social(r: R) -> Case:
    number, word, did = _digits(r, 5), _word(r).lower(), "did:plc:" + _letters(r, "234567abcdefghij", 24)
    cid, short, media = "baf" + _letters(r, BASE36, 40), _letters(r, BASE64, 11), r.randrange(10**17, 10**18)
    key = quote(base64.b64encode(str(media).encode()).decode(), safe="")
    snowflake = base64.urlsafe_b64encode(media.to_bytes(8) + b"abc").decode().rstrip("=")
    return r.choice(
        (
            (f"https://cdn.bsky.app/img/feed_thumbnail/plain/{did}/{cid}@jpeg", f"bluesky:{did}|{cid}"),
            (f"https://x.bsky.network/xrpc/com.atproto.sync.getBlob?cid={cid}&did={did}", f"bluesky:{did}|{cid}"),
            (f"https://{word}.tumblr.com/image/{number}", f"tumblr:{number}"),
            (f"https://www.tumblr.com/{word}/{number}/{word}?source=share", f"tumblr:{number}"),
            (f"https://www.instagram.com/{word}/reel/{short}/", f"instagram:{short}"),
            (f"https://scontent.cdninstagram.com/v/a.jpg?ig_cache_key={key}.2", f"instagram:{_written(media, _IG)}"),
            (f"https://scontent.xx.fbcdn.net/v/t1/1_{number}_2_n.jpg?oh=1", f"facebook:{number}"),
            (f"https://x.com/{word}/status/{number}/photo/1", f"x:{number}"),
            (f"https://pbs.twimg.com/media/{snowflake}?format=jpg&name=large", f"x:media:{media}"),
            (f"https://old.reddit.com/r/{word}/comments/{word}/a/", f"reddit:{word}"),
            (f"https://www.pinterest.co.uk/pin/{word}--{number}/", f"pinterest:{number}"),
            (f"https://mastodon.social/@{word}/{number}", f"mastodon:{number}"),
            (f"https://misskey.io/notes/{word}", f"misskey:{word}"),
        )
    )


_IG = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def _title(word: str) -> str:
    return word[:1].upper() + word[1:]


GRAMMARS: tuple[Callable[[R], Case], ...] = (
    _deviantart,
    _artstation,
    _behance,
    _pixiv,
    _flickr,
    _boorus,
    _communities,
    _social,
)


@pytest.mark.parametrize("grammar", GRAMMARS, ids=lambda grammar: grammar.__name__[1:])
def test_ours_addresses_made_from_the_grammar_have_their_keys(grammar: Callable[[R], Case]) -> None:
    made = [grammar(random.Random(f"{grammar.__name__}{n}")) for n in range(100)]  # noqa: S311 (cases, no secrets)
    assert {url: work_keys(url) for url, _ in made} == {url: (key,) for url, key in made}


@pytest.mark.parametrize("grammar", GRAMMARS, ids=lambda grammar: grammar.__name__[1:])
def test_ours_upper_case_hosts_doubled_slashes_and_odd_queries_change_nothing(grammar: Callable[[R], Case]) -> None:
    for n in range(40):
        url, key = grammar(random.Random(f"odd{n}"))  # noqa: S311 (cases, no secrets)
        scheme, _, rest = url.partition("://")
        host, _, path = rest.partition("/")
        assert work_keys(f"{scheme.upper()}://{host.upper()}/{path}") == (key,)
        assert work_keys(f"http://{host}:80//{path}#x") == (key,)
        if "?" not in path and "thumbnail_" not in path:
            assert work_keys(f"{url.partition('#')[0]}?a=%00&&=&b[]=1;c") == (key,)


ADDRESSES = list(vector_files.tables(vector_files.PLUGINS, "address"))
STATED = {address["url"]: tuple(address["keys"]) for _, address in ADDRESSES}


def test_ours_every_address_is_stated_once() -> None:
    assert len(STATED) == len(ADDRESSES)
    assert all(address.keys() == {"url", "keys"} for _, address in ADDRESSES)


@pytest.mark.parametrize(("url", "keys"), STATED.items())
def test_ours_every_known_form_of_address_has_its_keys_and_what_is_no_work_none(
    url: str, keys: tuple[str, ...]
) -> None:
    assert work_keys(url) == keys


def test_ours_an_address_is_stated_in_the_file_of_its_platform() -> None:
    hosts = Hosts(signals())
    for platform, address in ADDRESSES:
        assert platform in [name_of(plugin) for plugin in hosts.plugins(host_of(canonical(address["url"])))], address


def _odd(url: str) -> Iterator[str]:
    """The same place in other words: each is asked of the server in the same way, or means the same work there."""
    scheme, _, rest = url.partition("#")[0].partition("://")
    host, _, path = rest.partition("/")
    before, mark, query = path.partition("?")
    yield f"{scheme.upper()}://{host.upper()}/{path}#fragment"
    yield f"https://{host}:443/{path}"
    yield f"http://{host}:80//{before}{mark}{query}"
    yield f"https://{host}./{path}"
    yield f"https://{host}/{before.replace('/', '//')}/{mark}{query}"
    yield f"https://{host}/%{ord(path[0]):02x}{path[1:]}" if path[0].isalnum() else url
    yield f"https://{host}/a/../{path}"
    if not query.isdigit():
        yield f"https://{host}/{before}?{query}&utm_source=a%20b&&=&c[]=1;d"
        yield f"https://{host}/{before}?utm_source=a&amp;{query}"


@pytest.mark.parametrize(("url", "keys"), [(url, keys) for url, keys in STATED.items() if keys])
def test_ours_case_of_the_host_ports_slashes_encodings_and_odd_queries_change_nothing(
    url: str, keys: tuple[str, ...]
) -> None:
    assert {other: work_keys(other) for other in _odd(url)} == dict.fromkeys(_odd(url), keys)


def test_ours_every_platform_has_its_forms_stated() -> None:
    stated = {platform for platform, address in ADDRESSES if address["keys"]}
    assert stated == {name_of(plugin) for plugin in signals() if hosts_of(plugin)}


@pytest.mark.parametrize("url", ["https://notdeviantart.com/view/1", "https://art.example/view/1"])
def test_ours_what_lies_on_no_platform_has_no_key(url: str) -> None:
    assert work_keys(url) == ()


def test_ours_where_path_and_file_name_disagree_both_makers_count() -> None:
    file = "https://img-deviantart.wixmp.com/f/00000000-0000-0000-0000-000000000000/dd1xca2-7f835e62-6fd3-4b99-92c7-2bfd4e1b296f.jpg"
    assert work_keys(f"{file}/v1/fill/w_1/a_by_b_dd1xca3-pre.jpg") == ("deviantart:789295466", "deviantart:789295467")


def test_ours_a_repeated_parameter_names_both_works() -> None:
    assert work_keys("https://www.deviantart.com/view.php?id=1&id=2") == ("deviantart:1", "deviantart:2")


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_ours_any_address_of_a_platform_has_keys_or_none_and_never_raises(data: st.DataObject) -> None:
    host = data.draw(st.sampled_from(sorted({host for plugin in signals() for host in hosts_of(plugin)})))
    below = data.draw(st.sampled_from(("", "www.", "cdn.", "i.", "a.b.")))
    rest = data.draw(st.text(alphabet=string.ascii_letters + string.digits + "/%-_.?=&@:~d", max_size=120))
    try:
        url = canonical(f"https://{below}{host}/{rest}")
    except BadUrl:
        return
    keys = work_keys(url)
    assert keys == work_keys(url)
    assert all(re.fullmatch(r"[a-z0-9]+:.+", key, re.DOTALL) for key in keys)


@pytest.mark.parametrize("unit", ["a-", "1/", "d0-", "_", "a.", "/img", "1_", "--", "a/b_c-d.", "0"])
def test_ours_no_pattern_takes_long_over_a_long_address(unit: str) -> None:
    hosts = sorted({host for plugin in signals() for host in hosts_of(plugin)})
    started = time.process_time()
    for host in hosts:
        path = (unit * 8000)[: 8000 - len(host)]
        for plugin in signals():
            if addresses.below(host, hosts_of(plugin)):
                keys_among((plugin,), Asset(f"https://{host}/{path}"))
                keys_among((plugin,), Asset(f"https://www.{host}/{path}?{path[:100]}"))
    assert time.process_time() - started < at_most(5)
