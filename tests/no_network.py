"""Makes whoever opens a connection or asks for a name fail: what strangers send is read without either."""

from __future__ import annotations

import pytest

_WAYS_OUT = ("socket.socket.connect", "socket.socket.connect_ex", "socket.getaddrinfo", "socket.create_connection")


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid it for the rest of the test."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a connection was opened")

    for way in _WAYS_OUT:
        monkeypatch.setattr(way, refuse)
