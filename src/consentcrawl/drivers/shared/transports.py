"""What the drivers of httpx and httpx2 share: the transports of a client, each asked behind an inquiry.

What the library itself would do is done by the library: the client's own transports send, those for the proxies
of the environment among them, and every redirect hop passes through here as a request of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, Self, TypeVar

from consentcrawl import errors
from consentcrawl.config import Config
from consentcrawl.drivers.shared.exchanges import Asking, Refusal
from consentcrawl.drivers.shared.held import Held
from consentcrawl.steward import Steward

Client = TypeVar("Client")
AsyncClient = TypeVar("AsyncClient")
Either = TypeVar("Either")


@dataclass(frozen=True, slots=True)
class Driver(Generic[Client, AsyncClient]):
    """The driver of one library: its module, its two clients, and the errors that are its library's too."""

    library: ModuleType
    of_threads: Callable[..., Client]
    of_tasks: Callable[..., AsyncClient]
    refused: type[errors.Refused]
    undetermined: type[errors.Undetermined]

    def client(
        self,
        purpose: str | None = None,
        *,
        config: Config | None = None,
        steward: Steward | None = None,
        ledger: str | Path | None = None,
        refusal: Refusal = "raise",
        **more: Any,  # noqa: ANN401 (the client's own)
    ) -> Client:
        """Return a client whose every request asks first; ``more`` goes to it.

        ``purpose`` is a name of core.PURPOSES and overrides the configured one; ``ledger`` is the directory where
        verdicts and what they rest on are kept. Without ``config`` or ``steward`` the usual places are read
        (``consentcrawl.load``). A ``steward`` that is given stays open when the client is closed. Raises BadPurpose,
        BadPolicy and LedgerBroken.
        """
        held = Held(steward, config, purpose, ledger)
        return self._attached(self.of_threads(headers=self._headers(held, more), **more), held, refusal)

    def async_client(
        self,
        purpose: str | None = None,
        *,
        config: Config | None = None,
        steward: Steward | None = None,
        ledger: str | Path | None = None,
        refusal: Refusal = "raise",
        **more: Any,  # noqa: ANN401 (the client's own)
    ) -> AsyncClient:
        """Return an asynchronous client whose every request asks first, as ``client``. It runs on asyncio."""
        held = Held(steward, config, purpose, ledger)
        return self._attached(self.of_tasks(headers=self._headers(held, more), **more), held, refusal)

    def attach(self, client: Either, steward: Steward, *, refusal: Refusal = "raise") -> Either:
        """Let a client that there is already ask ``steward``, whatever transports it has; gives the client.

        Its User-Agent stays: set it to ``steward.config.user_agent``, which the look-ups are sent with.
        """
        return self._attached(client, Held(steward), refusal)

    def _headers(self, held: Held, more: dict[str, Any]) -> Any:  # noqa: ANN401 (the library's own)
        headers = self.library.Headers(more.pop("headers", None))
        headers.setdefault("User-Agent", held.config.user_agent)
        return headers

    def _attached(self, client: Either, held: Held, refusal: Refusal) -> Either:
        asking = Asking(self.library, (self.refused, self.undetermined), held, refusal)
        wrapped = _AsyncTransport if isinstance(client, self.library.AsyncClient) else _Transport
        # The one way that leaves proxies, certificates and mounts as the client made them: ``transport=`` would
        # switch the proxies of the environment off.
        inside: Any = client
        inside._transport = wrapped(asking, inside._transport)  # noqa: SLF001 (no other way)
        inside._mounts = {  # noqa: SLF001 (no other way)
            pattern: transport and wrapped(asking, transport)
            for pattern, transport in inside._mounts.items()  # noqa: SLF001 (no other way)
        }
        return client


class _Transport:
    """A transport of a client, asked behind an inquiry."""

    def __init__(self, asking: Asking, wrapped: Any) -> None:  # noqa: ANN401 (the library's own)
        self._asking, self._wrapped = asking, wrapped

    def handle_request(self, request: Any) -> Any:  # noqa: ANN401 (the library's own)
        return self._asking.answer(request, self._wrapped.handle_request)

    def close(self) -> None:
        self._wrapped.close()
        self._asking.held.shut()

    def __enter__(self) -> Self:
        self._wrapped.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._wrapped.__exit__(*raised)
        self._asking.held.shut()


class _AsyncTransport:
    """A transport of an asynchronous client, asked behind an inquiry."""

    def __init__(self, asking: Asking, wrapped: Any) -> None:  # noqa: ANN401 (the library's own)
        self._asking, self._wrapped = asking, wrapped

    async def handle_async_request(self, request: Any) -> Any:  # noqa: ANN401 (the library's own)
        return await self._asking.answer_async(request, self._wrapped.handle_async_request)

    async def aclose(self) -> None:
        await self._wrapped.aclose()
        await asyncio.to_thread(self._asking.held.shut)

    async def __aenter__(self) -> Self:
        await self._wrapped.__aenter__()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._wrapped.__aexit__(*raised)
        await asyncio.to_thread(self._asking.held.shut)
