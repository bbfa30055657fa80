"""One client's connection: bytes in up to a limit, bytes out no faster than they are taken.

Nothing is read ahead beyond one head and a little, and every wait has its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from consentcrawl.proxy.client.request_head import LIMIT, BadRequest, Fault, begins

_END = b"\r\n\r\n"
_ENOUGH = 2 * LIMIT


class RequestDeadline:
    """Calls back once when the time set is over. Setting and clearing it costs no timer: one is kept for all."""

    __slots__ = ("_callback", "_loop", "_timer", "_until")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start cleared."""
        self._loop, self._until = loop, 0.0
        self._callback: Callable[[], object] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float, callback: Callable[[], object]) -> None:
        """Call ``callback`` in so many seconds, in the place of what was set before."""
        self._until, self._callback = self._loop.time() + seconds, callback
        if self._timer is None or self._timer.when() > self._until:
            self._schedule()

    def clear(self) -> None:
        """Clear it."""
        self._callback = None

    def close(self) -> None:
        """Clear it, and keep no timer."""
        self._callback = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._until, self._fire)

    def _fire(self) -> None:
        self._timer = None
        if self._callback is None:
            return
        if self._loop.time() < self._until:
            self._schedule()
            return
        callback, self._callback = self._callback, None
        callback()


class ClientConnection(asyncio.Protocol):
    """A connection. ``serve`` is called with it once it is made; the task it gives is cancelled when it is gone.

    ``deadline`` bounds whatever is awaited for this client.
    """

    __slots__ = (
        "_buffer",
        "_detached",
        "_gone",
        "_loop",
        "_paused",
        "_received",
        "_serve",
        "_written",
        "deadline",
        "task",
        "transport",
    )

    def __init__(self, serve: Callable[[ClientConnection], asyncio.Task[None] | None]) -> None:
        """Wait to be connected."""
        self._serve, self._detached = serve, False
        self._loop = asyncio.get_running_loop()
        self.deadline = RequestDeadline(self._loop)
        self._buffer = bytearray()
        self._gone = self._paused = False
        self._received: asyncio.Future[None] | None = None
        self._written: asyncio.Future[None] | None = None
        self.task: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport = _NOT_YET

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve."""
        self.transport = transport  # type: ignore[assignment]  # a stream's is a Transport
        self.task = self._serve(self)

    def data_received(self, data: bytes) -> None:
        """Keep what came; ask for no more while there is enough."""
        self._buffer += data
        if len(self._buffer) > _ENOUGH:
            self.pause()
        wake(self._received)

    # A client that sends an end is gone: asyncio closes the transport, and fetching for it would be in vain.

    def connection_lost(self, _: Exception | None) -> None:
        """End what is being done for a client that is gone."""
        self._gone = True
        self.deadline.close()
        wake(self._received)
        wake(self._written)
        if self.task is not None:
            self.task.cancel()
            self.task = None  # which holds what it was cancelled in, and that holds this

    def pause_writing(self) -> None:
        """The client takes less than it is sent."""
        self._written = self._loop.create_future()

    def resume_writing(self) -> None:
        """The client has caught up."""
        wake(self._written)
        self._written = None

    def pause(self) -> None:
        """Leave what comes next in the socket."""
        self._paused = True
        self.transport.pause_reading()

    def resume(self) -> None:
        """Take what comes again."""
        if self._paused and not self.transport.is_closing():
            self.transport.resume_reading()
        self._paused = False

    def detach(self, head: bytes) -> tuple[asyncio.Transport, bytes]:
        """Leave the connection to another protocol, with all that came on it; ``head`` is the one just read."""
        self.pause()
        self._detached = True
        return self.transport, head + _END + self._buffer

    def close(self) -> None:
        """Send what is still to be sent, and end."""
        if not self._detached:
            self.transport.close()

    @property
    def client(self) -> str:
        """The address of the client; empty for a socket without one."""
        return str((self.transport.get_extra_info("peername") or ("",))[0])

    @property
    def has_input(self) -> bool:
        """Return whether bytes have come that were not read yet."""
        return bool(self._buffer)

    async def head(self, idle: float, whole: float) -> bytes | None:
        """Return the next head without its empty line; None when there is no further one.

        Waits ``idle`` seconds for its first byte and ``whole`` for the rest. Raises BadRequest, ConnectionError,
        TimeoutError.
        """
        self.deadline.set(whole if self._buffer else idle, self._overdue)
        try:
            if not self._buffer:
                await self._more()
                self.deadline.set(whole, self._overdue)
            end = await self._end_of_head()
        finally:
            self.deadline.clear()
        if end < 0:
            return None
        raw = bytes(self._buffer[:end])
        del self._buffer[: end + len(_END)]
        self.resume()
        if len(raw) > LIMIT:
            raise BadRequest(Fault.TOO_LONG)
        return raw

    async def content(self, size: int) -> bytes:
        """Return up to ``size`` bytes as they come. Raises ConnectionError when there are none."""
        while not self._buffer:
            if self._gone:
                raise ConnectionAbortedError
            await self._more()
        piece = bytes(self._buffer[:size])
        del self._buffer[:size]
        self.resume()
        return piece

    async def write(self, data: bytes) -> None:
        """Send, and wait while the client is behind. Raises ConnectionError."""
        if self.transport.is_closing():
            raise ConnectionResetError
        self.transport.write(data)
        if self._written is not None:
            await self._written

    async def _end_of_head(self) -> int:
        """Wait for the end of a head; -1 when the connection ended before there was one."""
        while (end := self._buffer.find(_END)) < 0:
            if self._gone:
                return -1
            self._check()
            await self._more()
        return end

    def _check(self) -> None:
        """Refuse early what never becomes a head."""
        if not begins(self._buffer):
            raise BadRequest(Fault.REQUEST_LINE)
        if len(self._buffer) > LIMIT:
            raise BadRequest(Fault.TOO_LONG)

    async def _more(self) -> None:
        if self._gone:
            return
        self._received = self._loop.create_future()
        try:
            await self._received
        finally:
            self._received = None

    def _overdue(self) -> None:
        if self._received is not None and not self._received.done():
            self._received.set_exception(TimeoutError())


def wake(waiter: asyncio.Future[None] | None) -> None:
    """Let the waiting task go on."""
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


_NOT_YET = asyncio.Transport()
