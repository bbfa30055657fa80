"""What can be wrong with a request so that nothing is asked: one table, each with the status it is answered with."""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    """One sentence for the client, and a status."""

    REQUEST_LINE = ("malformed request line", 400)
    FIELD_LINE = ("malformed field line", 400)
    NOT_UTF8 = ("the head is not UTF-8", 400)
    TOO_LONG = ("the head is too long", 431)
    MANY_FIELDS = ("too many fields", 431)
    HOST = ("there must be one Host field", 400)
    TWO_LENGTHS = ("both Transfer-Encoding and Content-Length", 400)
    LENGTH = ("malformed Content-Length", 400)
    NO_LENGTH = ("content needs a Content-Length", 411)
    FRAGMENT = ("a fragment in the target", 400)
    USERINFO = ("a user name or password in the target", 400)
    AUTHORITY = ("a host and port that cannot be read in one way only", 400)
    OTHER_HOST = ("Host is not the target", 400)
    OTHER_TUNNEL = ("the target is not where the tunnel leads", 400)
    NO_URL = ("a target that is no URL", 400)
    NOT_ABSOLUTE = ("this is a proxy: the target must be an absolute URL", 400)
    CONNECT = ("CONNECT needs host:port", 400)
    EARLY = ("nothing may follow CONNECT before it is answered", 400)
    NESTED = ("a tunnel in a tunnel", 400)

    @property
    def detail(self) -> str:
        """The sentence."""
        return self.value[0]

    @property
    def status(self) -> int:
        """The status."""
        return self.value[1]


class BadRequest(ValueError):
    """A request that is not passed on; its connection is closed."""

    def __init__(self, fault: Fault) -> None:
        """Say what is wrong."""
        super().__init__(fault.detail)
        self.fault = fault
