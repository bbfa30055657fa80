"""A made-up world of works: addresses of files on every platform, and what the platforms answer about them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.website import Answer

HTML, JSON = (("Content-Type", "text/html; charset=utf-8"),), (("Content-Type", "application/json"),)
KEYS = {
    "flickr.api_key": "k", "gelbooru.api_key": "k", "gelbooru.user_id": "u", "smugmug.api_key": "k",
}  # fmt: skip


def html(own: str, *, opted_out: bool, more: str = "") -> Answer:
    """The page of a work, which says whose it is."""
    tag = '<meta content="noimageai" name="robots">' if opted_out else ""
    return Answer(f'<html><head><meta property="og:url" content="{own}">{tag}{more}</head></html>'.encode(), 200, HTML)


def plain(value: object) -> Answer:
    return Answer(json.dumps(value).encode(), 200, JSON)


def base36(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number, 36)
        text = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + text
    return text


def deviation_file(number: int, kind: str = "f") -> str:
    """The address of a deviation's file."""
    host = "images-wixmp-ed30a86b8c4ca887773594c2.wixmp.com"
    return f"https://{host}/{kind}/d0000000-1111-2222-3333-444444444444/d{base36(number)}-7f835e62-6fd3-4b99-92c7-2bfd4e1b296f.jpg"


def md5(number: int) -> str:
    return f"{number:032x}"


def cid(number: int) -> str:
    return f"bafkrei{number:052d}"


def did(number: int) -> str:
    return "did:plc:" + f"{number:024d}".translate(str.maketrans("0189", "abcd"))


Files = Callable[[int], tuple[str, str]]
"""Two addresses of one work's file, by the work's number."""

FILES: dict[str, Files] = {
    "deviantart": lambda n: (deviation_file(n), deviation_file(n, "i")),
    "behance": lambda n: (
        f"https://mir-s3-cdn-cf.behance.net/project_modules/fs/abcdef{n}.0123456789abc.jpg",
        f"https://mir-s3-cdn-cf.behance.net/projects/404/abcdef{n}.Y3JvcCwx.jpg",
    ),
    "pixiv": lambda n: (
        f"https://i.pximg.net/img-original/img/2019/01/14/01/15/05/{n}_p0.png",
        f"https://i.pximg.net/c/600x600/img-master/img/2019/01/14/01/15/05/{n}_p0_master1200.jpg",
    ),
    "danbooru": lambda n: (
        f"https://cdn.donmai.us/original/ab/cd/__a__{md5(n)}.png",
        f"https://cdn.donmai.us/sample/ab/cd/sample-{md5(n)}.jpg",
    ),
    "safebooru": lambda n: (
        f"https://safebooru.org/images/1/{md5(n)}.png?{n}",
        f"https://safebooru.org/thumbnails/1/thumbnail_{md5(n)}.jpg?{n}",
    ),
    "gelbooru": lambda n: (
        f"https://img3.gelbooru.com/images/ab/cd/{md5(n)}.png",
        f"https://img3.gelbooru.com/samples/ab/cd/sample_{md5(n)}.jpg",
    ),
    "e621": lambda n: (
        f"https://static1.e621.net/data/ab/cd/{md5(n)}.png",
        f"https://static1.e621.net/data/sample/ab/cd/{md5(n)}.jpg",
    ),
    "yandere": lambda n: (
        f"https://files.yande.re/image/{md5(n)}/yande.re%20{n}%20a.jpg",
        f"https://files.yande.re/sample/{md5(n)}/yande.re%20{n}%20sample%20a.jpg",
    ),
    "zerochan": lambda n: (
        f"https://static.zerochan.net/A.B.full.{n}.jpg",
        f"https://s1.zerochan.net/600/12/34/{n}.jpg",
    ),
    "flickr": lambda n: (
        f"https://live.staticflickr.com/1/{n}_0123456789_b.jpg",
        f"https://farm2.static.flickr.com/1/{n}_0123456789_m.jpg",
    ),
    "wikimedia": lambda n: (
        f"https://upload.wikimedia.org/wikipedia/commons/a/ab/Work_{n}.jpg",
        f"https://upload.wikimedia.org/wikipedia/commons/thumb/a/ab/Work_{n}.jpg/640px-Work_{n}.jpg",
    ),
    "500px": lambda n: (
        f"https://drscdn.500px.org/photo/{n}/m%3D900/v2?sig=a",
        f"https://drscdn.500px.org/photo/{n}/h%3D300/v2?sig=b",
    ),
    "smugmug": lambda n: (
        f"https://photos.smugmug.com/A/i-Key{n}/0/ab/X3/a.jpg",
        f"https://photos.smugmug.com/A/i-Key{n}/0/ab/S/a.jpg",
    ),
    "furaffinity": lambda n: (
        f"https://t.furaffinity.net/{n}@200-1650222955.jpg",
        f"https://t.furaffinity.net/{n}@400-1650222955.jpg",
    ),
    "newgrounds": lambda n: (
        f"https://art.ngfiles.com/images/1000/{n}_somebody_title-{n}.png",
        f"https://art.ngfiles.com/medium_views/1000/{n}_somebody_title-{n}.jpg?f1",
    ),
    "weasyl": lambda n: (
        f"https://cdn.weasyl.com/~somebody/submissions/{n}/{md5(n) * 2}/somebody-a.png",
        f"https://cdn.weasyl.com/~somebody/submissions/{n}/{md5(n + 1) * 2}/somebody-a.jpg",
    ),
    "bluesky": lambda n: (
        f"https://cdn.bsky.app/img/feed_fullsize/plain/{did(n % 4)}/{cid(n)}@jpeg",
        f"https://cdn.bsky.app/img/feed_thumbnail/plain/{did(n % 4)}/{cid(n)}@jpeg",
    ),
    "artstation": lambda n: (
        f"https://cdna.artstation.com/p/assets/images/images/001/000/{n % 1000:03}/large/a.jpg?1",
        f"https://cdnb.artstation.com/p/assets/images/images/001/000/{n % 1000:03}/4k/a.jpg?1",
    ),
    "worldcosplay": lambda n: (
        f"https://image.worldcosplay.net/uploads/1/{n:040x}-350.jpg",
        f"https://image.worldcosplay.net/uploads/1/{n:040x}-740.jpg",
    ),
    "unsplash": lambda n: (
        f"https://images.unsplash.com/photo-{n}-abcdefabcdef",
        f"https://images.unsplash.com/photo-{n}-abcdefabcdef?w=1",
    ),
    "tumblr": lambda n: (
        f"https://64.media.tumblr.com/{md5(n)}/{n:016x}-ab/s640x960/{n:040x}.jpg",
        f"https://64.media.tumblr.com/{md5(n)}/{n:016x}-ab/s1280x1920/{n:040x}.jpg",
    ),
    "cara": lambda n: (
        f"https://cdn.cara.app/production/posts/{n:08x}-0000-0000-0000-000000000000/a.jpg",
        f"https://cdn.cara.app/production/posts/{n:08x}-0000-0000-0000-000000000000/b.jpg",
    ),
    "inkbunny": lambda n: (
        f"https://tx.ib.metapix.net/files/full/1/{n}_a_b.png",
        f"https://tx.ib.metapix.net/files/screen/1/{n}_a_b.png",
    ),
    "mastodon": lambda n: (
        f"https://mastodon.social/media_attachments/files/{n % 1000:03}/232/575/original/0123456789abcdef.png",
        f"https://mastodon.social/media_attachments/files/{n % 1000:03}/232/575/small/0123456789abcdef.png",
    ),
    "misskey": lambda n: (f"https://media.misskeyusercontent.jp/io/{n}.webp", f"https://misskey.io/files/{n}.webp"),
    "meta": lambda n: (
        f"https://scontent.xx.fbcdn.net/v/t1/1_{n}_2_n.jpg?oh=1",
        f"https://scontent.xx.fbcdn.net/v/t2/1_{n}_2_o.jpg?oh=1",
    ),
    "x": lambda n: (
        f"https://pbs.twimg.com/media/AbCdEfGh{n:07}?format=jpg&name=large",
        f"https://pbs.twimg.com/media/AbCdEfGh{n:07}?format=jpg&name=small",
    ),
    "reddit": lambda n: (f"https://i.redd.it/a{n}.jpg", f"https://preview.redd.it/a{n}.jpg?width=1"),
    "pinterest": lambda n: (
        f"https://i.pinimg.com/736x/ab/cd/ef/{md5(n)}.jpg",
        f"https://i.pinimg.com/originals/ab/cd/ef/{md5(n)}.jpg",
    ),
    "stock": lambda n: (
        f"https://media.gettyimages.com/id/{n}/photo/a.jpg",
        f"https://media.istockphoto.com/id/{n}/photo/a.jpg",
    ),
}


_OWNER = "https://somebody.smugmug.com/A/i-"


@dataclass
class World:
    """Answers look-ups about any work; ``works`` and ``makers`` keep whom it was asked about, each once."""

    works: set[str] = field(default_factory=set)
    makers: set[str] = field(default_factory=set)

    def __call__(self, place: str) -> Answer | None:
        """Return what lies at host and target; every second work is opted out."""
        for pattern, answer in _PLACES.items():
            if match := re.fullmatch(pattern, place):
                work, number = match[1], int(re.sub(r"\D", "", match[1]) or "0")
                if place.startswith(_ABOUT_MAKERS) or number >= _OTHERS:
                    self.makers.add(work)
                else:
                    self.works.add(f"{pattern}: {work}")
                return answer(number, match)
        return self._joint(place)

    def _joint(self, place: str) -> Answer | None:
        """Look-ups of many works at once."""
        if place.startswith("commons.wikimedia.org/w/api.php"):
            titles = [
                title.replace("%3A", ":").replace("%20", " ") for title in place.partition("titles=")[2].split("%7C")
            ]
            self.works.update(titles)
            info = [{"extmetadata": {"LicenseShortName": {"value": "CC BY 4.0"}}}]
            return plain({"query": {"pages": {str(n): {"title": t, "imageinfo": info} for n, t in enumerate(titles)}}})
        if place.startswith("api.smugmug.com/api/v2/image/"):
            keys = place.removeprefix("api.smugmug.com/api/v2/image/").partition("?")[0].split(",")
            images = [{"ImageKey": key.removesuffix("-0"), "WebUri": _OWNER + key.removesuffix("-0")} for key in keys]
            self.works.update(f"smugmug {key}" for key in keys)
            return plain({"Response": {"Image": images if len(images) > 1 else images[0]}})
        if place.startswith("api.500px.com/v1/photos"):
            numbers = place.partition("ids=")[2].split("%2C")
            self.works.update(f"500px {number}" for number in numbers)
            return plain({"photos": {number: {"licensing": {"status": "none"}} for number in numbers}})
        return None


def opted_out(number: int) -> bool:
    return number % 2 == 0


def _deviation(n: int, _: re.Match[str]) -> Answer:
    shown = {str(other): {"isAiUseDisallowed": opted_out(other), "license": "none"} for other in (n, n + 7000)}
    state = json.dumps(json.dumps({"@@entities": {"deviation": shown}}))
    script = f"<script>window.__INITIAL_STATE__ = JSON.parse({state});</script>"
    own = f"https://www.deviantart.com/somebody/art/A-{n}"
    return html(own, opted_out=opted_out(n), more=script)


def _illustration(n: int, _: re.Match[str]) -> Answer:
    tags = [{"tag": "NoAI"}] if opted_out(n) else []
    return plain({"error": False, "body": {"illustId": str(n), "tags": {"tags": tags}, "description": ""}})


_OTHERS = 1_000_000
"""Numbers from here on are of works that only re-hosts lead to, each by a maker of its own."""


def _source(booru: int, n: int) -> str:
    return f"https://www.pixiv.net/artworks/{booru * _OTHERS + n}"


def _danbooru(_: int, match: re.Match[str]) -> Answer:
    n = int(match[1], 16)
    file = f"https://cdn.donmai.us/original/ab/cd/{match[1]}.png"
    tag = f'<section data-id="{n}" data-flags="" data-source="{_source(1, n)}" data-file-url="{file}"></section>'
    return Answer(tag.encode(), 200, HTML)


def _records(_: int, match: re.Match[str]) -> Answer:
    value = {"preferences": {"training": {"allow": not opted_out(int(match[1][-1], 36))}}}
    return plain({"records": [{"uri": f"at://{match[1]}/x/self", "value": value}]})


def _document(_: int, match: re.Match[str]) -> Answer:
    service = {"id": "#atproto_pds", "serviceEndpoint": "https://a.host.bsky.network"}
    return plain({"id": match[1], "service": [service]})


def _page(own: str) -> Callable[[int, re.Match[str]], Answer]:
    return lambda n, _: html(own.format(n), opted_out=opted_out(n))


_MISSING = Answer(b'{"error":"RecordNotFound"}', 400, JSON)
_PDS = r"a\.host\.bsky\.network/xrpc/com\.atproto\.repo\."
_ABOUT_MAKERS = ("plc.directory/", "a.host.bsky.network/")
_PLACES: dict[str, Callable[[int, re.Match[str]], Answer]] = {
    r"www\.deviantart\.com/deviation/(\d+)": _deviation,
    r"www\.behance\.net/gallery/(\d+)/x": _page("https://www.behance.net/gallery/{}/A"),
    r"www\.pixiv\.net/ajax/illust/(\d+)": _illustration,
    r"danbooru\.donmai\.us/posts\?md5=([0-9a-f]{32})": _danbooru,
    r"safebooru\.org/index\.php\?.*&id=(\d+)": lambda n, _: plain([{"id": n, "hash": md5(n), "source": _source(2, n)}]),
    r"gelbooru\.com/index\.php\?.*&tags=md5:([0-9a-f]{32})&api_key=k&user_id=u": lambda _, m: plain(
        {"post": [{"id": 1, "md5": m[1], "source": _source(3, int(m[1], 16))}]}
    ),
    r"e621\.net/posts\.json\?md5=([0-9a-f]{32})": lambda _, m: plain(
        {"posts": [{"id": 1, "file": {"md5": m[1]}, "tags": {}, "sources": [_source(4, int(m[1], 16))]}]}
    ),
    r"yande\.re/post\.json\?tags=id:(\d+)": lambda n, _: plain([{"id": n, "tags": "", "source": _source(5, n)}]),
    r"www\.zerochan\.net/(\d+)\?json": lambda n, _: plain({"id": n, "source": _source(6, n)}),
    r"api\.flickr\.com/services/rest/\?.*&api_key=k&photo_id=(\d+)": lambda n, _: plain(
        {"photo": {"id": str(n), "license": "4"}}
    ),
    r"somebody\.smugmug\.com/A/i-Key(\d+)": _page("https://somebody.smugmug.com/A/i-Key{}"),
    r"www\.furaffinity\.net/view/(\d+)/": _page("https://www.furaffinity.net/view/{}/"),
    r"www\.newgrounds\.com/art/view/somebody/title-(\d+)": _page(
        "https://www.newgrounds.com/art/view/somebody/title-{}"
    ),
    r"www\.weasyl\.com/submission/(\d+)": _page("https://www.weasyl.com/submission/{}"),
    r"plc\.directory/(did:plc:\w+)": _document,
    _PDS + r"listRecords\?repo=(did:plc:\w+)&.*": _records,
    _PDS + r"getRecord\?repo=(did:plc:\w+)&.*": lambda *_: _MISSING,
}


def addresses(per_platform: int) -> Iterator[tuple[str, str]]:
    """Platform and address of ``per_platform`` works on every platform, each work by two addresses."""
    for platform, files in FILES.items():
        for n in range(1000, 1000 + per_platform):
            yield from ((platform, url) for url in files(n))
