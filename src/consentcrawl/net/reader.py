"""How policy files are fetched: one deadline, bounded, with the User-Agent that the content is asked with.

It never raises, and never takes a part for the whole: what could not be had is evidence with a gap.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from consentcrawl.core import BODY, HEAD, Evidence, Fields, Need, origin_of
from consentcrawl.core.evidence import NO_FIELDS, Pairs
from consentcrawl.errors import BadPolicy
from consentcrawl.formats.url import BadUrl, canonical, join
from consentcrawl.net.connect import Deadline, dial
from consentcrawl.net.exchange import Exchange, Head
from consentcrawl.net.guard import Guard, host_and_port
from consentcrawl.net.received import Content, judged
from consentcrawl.net.tls import context, secured
from consentcrawl.net.unreached import BAD_URL, BODY_LIMIT, REDIRECTS, Unreached

MOST_REDIRECTS = 5
"""RFC 9309 §2.3.1.2: at least five consecutive redirects are followed."""
FOLLOWED = frozenset({301, 302, 303, 307, 308})
_USER_AGENT = re.compile(r"[!-~](?:[ -~]*[!-~])?").fullmatch


class Reader:
    """Reads policy files, heads and prefixes over HTTP/1.1. Blocking, and safe to share between threads.

    ``timeout`` is in seconds and covers a whole answer, from the look-up of the name to the last byte, redirects
    included. ``roots`` is a PEM file or a directory of certificates trusted beside those of certifi. No cookies, no
    credentials, no proxy. Raises BadPolicy for a User-Agent that cannot be sent or roots that cannot be read.
    """

    __slots__ = ("_tls", "guard", "timeout", "user_agent")

    def __init__(
        self, *, user_agent: str, guard: Guard | None = None, timeout: float = 10.0, roots: str | None = None
    ) -> None:
        """Load the roots."""
        if not _USER_AGENT(user_agent):
            msg = "a User-Agent is one line of visible ASCII characters and spaces"
            raise BadPolicy(msg)
        self.user_agent, self.timeout, self.guard = user_agent, timeout, guard or Guard()
        self._tls = context(roots)

    def read(self, need: Need, url: str) -> Evidence:
        """Answer ``need`` from ``url``: up to five redirects, at most ``need.limit`` bytes of content.

        A redirect that leads nowhere has no status: it is no answer. Those of a polite look-up are not followed but
        given: a polite look-up asks again before each step. An answer of 400 and above speaks by its status;
        its content is a prefix of at most 64 KiB, and faults in it are no gap. ``need.fields`` go to the first
        origin only; a need with content is posted, once, and not redirected.
        """
        deadline = Deadline.after(self.timeout)
        at = url
        try:
            at = canonical(url)
            first = origin_of(at)
            for _ in range(1 + MOST_REDIRECTS):
                asking = need if origin_of(at) == first else replace(need, fields=())
                with self._asked(asking, at, deadline) as (exchange, head):
                    if head.status not in FOLLOWED or need.polite:
                        return _evidence(need, at, head, judged(exchange, head, need.limit))
                at = following(need, at, head.fields)
            return _gap(need, at, REDIRECTS)
        except BadUrl:
            return _gap(need, at, BAD_URL)
        except Unreached as error:
            return _gap(need, at, error.reason)

    def head(self, url: str, fields: Pairs = ()) -> Evidence:
        """Status and fields of the asset itself: a GET that is closed after the head; redirects are not followed."""
        return self._once(replace(HEAD, fields=tuple(fields)), url, HEAD)

    def prefix(self, url: str, limit: int = BODY.limit, fields: Pairs = ()) -> Evidence:
        """At most ``limit`` bytes of the asset's content; ``whole`` is False when there are more, which is no gap."""
        return self._once(replace(BODY, fields=tuple(fields), limit=limit), url, BODY)

    def _once(self, need: Need, url: str, answers: Need) -> Evidence:
        """Ask once, follow nothing; the evidence ``answers`` the core's own need."""
        try:
            at = canonical(url)
            with self._asked(need, at, Deadline.after(self.timeout)) as (exchange, head):
                if answers is HEAD or head.status in FOLLOWED:
                    return _evidence(answers, at, head, Content(whole=False))
                content = judged(exchange, head, need.limit)
        except BadUrl:
            return _gap(answers, url, BAD_URL)
        except Unreached as error:
            return _gap(answers, url, error.reason)
        return _evidence(answers, at, head, replace(content, gap="") if content.gap == BODY_LIMIT else content)

    @contextmanager
    def _asked(self, need: Need, url: str, deadline: Deadline) -> Iterator[tuple[Exchange, Head]]:
        """Guard, dial, ask, and hand over the head; the connection is closed in the end."""
        if reason := self.guard.refuses(url):
            raise Unreached(reason, url)
        with self._connected(url, deadline) as link:
            exchange = Exchange(link, deadline)
            origin = origin_of(url)
            exchange.ask(url[len(origin) :], self._fields(origin.partition("://")[2], need), need.content)
            yield exchange, exchange.head()

    def _fields(self, authority: str, need: Need) -> list[tuple[str, str]]:
        """The fields of a request; those of the need come last, and replace the same name among the first two."""
        named = {name.lower() for name, _ in need.fields}
        usual = {"Accept": "*/*", "Accept-Encoding": "gzip, identity"}
        length = [("Content-Length", str(len(need.content)))] if need.content else []
        return [
            ("Host", authority),
            ("User-Agent", self.user_agent),
            *((name, value) for name, value in usual.items() if name.lower() not in named),
            ("Connection", "close"),
            *length,
            *need.fields,
        ]

    def _connected(self, url: str, deadline: Deadline) -> socket.socket:
        """A connection to a vetted address; over TLS the certificate is that of the name."""
        host, port = host_and_port(url)
        link = dial(self.guard.resolve(host, port, deadline), deadline)
        if url.startswith("http:"):
            return link
        return secured(link, self._tls, host, deadline)


def following(need: Need, url: str, fields: Fields) -> str:
    """Where a redirect leads. Raises Unreached("redirects") when nowhere, BadUrl when it cannot be read."""
    location = fields.first("location")
    if not location or need.content:
        raise Unreached(REDIRECTS, url)
    with suppress(UnicodeDecodeError):  # then it was Latin-1
        location = location.encode("latin-1").decode()
    return join(url, location)


def _evidence(need: Need, url: str, head: Head, content: Content) -> Evidence:
    """The answer."""
    return Evidence(
        need,
        url,
        status=head.status,
        fields=head.fields,
        content=content.data,
        at=time.time(),
        gap=content.gap,
        whole=content.whole,
    )


def _gap(need: Need, url: str, reason: str) -> Evidence:
    """No answer, and why."""
    return Evidence(need, url, fields=NO_FIELDS, at=time.time(), gap=reason, whole=False)
