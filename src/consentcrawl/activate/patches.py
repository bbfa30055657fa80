"""The one place in each HTTP library through which all of its requests go, and how a driver is put there.

Nothing is loaded before the first request; what a caller set on its session, client or opener stays in force.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consentcrawl.drivers.shared.held import Held

    Asked = Callable[[], Held]
    """Gives what is held for this process; made when it is first wanted."""

Undo = Callable[[], None]
_OF_SEND = ("stream", "timeout", "verify", "cert", "proxies")  # HTTPAdapter's parameters behind the request


def of_requests(adapters: Any, asked: Asked) -> Undo:  # noqa: ANN401 (a library's module)
    """Put the driver under every adapter: sessions are made anew for each ``requests.get``."""
    sent = adapters.HTTPAdapter.send

    def send(self: Any, request: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401 (requests' own)
        more |= zip(_OF_SEND, args, strict=False)
        driver = import_module("consentcrawl.drivers.requests")
        if isinstance(self, driver.ConsentAdapter):
            return sent(self, request, **more)
        return _gate(asked()).send(request, adapter=self, sent=sent, **more)

    return _put(adapters.HTTPAdapter, "send", send)


@functools.lru_cache(maxsize=1)
def _gate(held: Held) -> Any:  # noqa: ANN401 (a class of the driver)
    """Return the driver's adapter, which lets the adapter of the caller send."""
    driver = import_module("consentcrawl.drivers.requests")

    class Passing(driver.HTTPAdapter):  # type: ignore[misc, name-defined]  # loaded when wanted
        def send(self, request: Any, *, adapter: Any, sent: Any, **more: Any) -> Any:  # noqa: ANN401 (requests' own)
            return sent(adapter, request, **more)

    class Gate(driver.ConsentAdapter, Passing):  # type: ignore[misc, name-defined]  # loaded when wanted
        """Asks as the driver does; what comes next in the order of classes sends."""

    return Gate(held, refusal="response")


def of_urllib(request: Any, asked: Asked) -> Undo:  # noqa: ANN401 (a library's module)
    """Install the driver of urllib at the first request."""
    director, loading = request.OpenerDirector, threading.RLock()
    opened = director.open

    def open_(self: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401 (urllib's own)
        with loading:
            if director.open is open_:
                driver: Any = import_module("consentcrawl.drivers.urllib")
                driver._urllibs_open = opened  # noqa: SLF001 (it was loaded behind this function)
                driver.install(config=asked().config, refusal="response")
        return self.open(*args, **more)

    undo = _put(director, "open", open_)

    def uninstall() -> None:
        if director.open is not open_:
            import_module("consentcrawl.drivers.urllib").uninstall()
        undo()

    return uninstall


def of_httpx(library: Any, asked: Asked) -> Undo:  # noqa: ANN401 (httpx or httpx2)
    """Put the driver under every transport that dials, that of ``httpx.get`` among them."""
    sent = library.HTTPTransport.handle_request
    sent_async = library.AsyncHTTPTransport.handle_async_request

    @functools.cache
    def asking() -> Any:  # noqa: ANN401 (loaded when wanted)
        driver = import_module(f"consentcrawl.drivers.{library.__name__}")
        exchanges = import_module("consentcrawl.drivers.shared.exchanges")
        return exchanges.Asking(library, (driver.Refused, driver.Undetermined), asked(), "response")

    def handle_request(self: Any, request: Any) -> Any:  # noqa: ANN401 (httpx's own)
        return asking().answer(request, functools.partial(sent, self))

    async def handle_async_request(self: Any, request: Any) -> Any:  # noqa: ANN401 (httpx's own)
        return await asking().answer_async(request, functools.partial(sent_async, self))

    undone = (
        _put(library.HTTPTransport, "handle_request", handle_request),
        _put(library.AsyncHTTPTransport, "handle_async_request", handle_async_request),
    )

    def undo() -> None:
        for each in undone:
            each()

    return undo


def of_aiohttp(library: Any, asked: Asked) -> Undo:  # noqa: ANN401 (a library's module)
    """Add the driver's middleware to every request, behind those of the session or of the request itself."""
    requested = library.ClientSession._request  # noqa: SLF001 (what all methods call)

    async def request(self: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401 (aiohttp's own)
        given = more.get("middlewares")
        there = self._middlewares if given is None else given
        if not any(type(one).__module__.startswith("consentcrawl.") for one in there):
            more["middlewares"] = (*there, _middleware(asked()))
        return await requested(self, *args, **more)

    return _put(library.ClientSession, "_request", request)


@functools.lru_cache(maxsize=1)
def _middleware(held: Held) -> Any:  # noqa: ANN401 (a class of the driver)
    return import_module("consentcrawl.drivers.aiohttp").ConsentMiddleware(held, refusal="response")


def _put(owner: Any, name: str, function: Any) -> Undo:  # noqa: ANN401 (any class)
    before = getattr(owner, name)
    setattr(owner, name, functools.wraps(before)(function))
    return lambda: setattr(owner, name, before)


PATCHES: dict[str, Callable[[Any, Asked], Undo]] = {
    "requests.adapters": of_requests,
    "urllib.request": of_urllib,
    "httpx": of_httpx,
    "httpx2": of_httpx,
    "aiohttp": of_aiohttp,
}
"""What is done to which module once it was loaded."""
