"""A client session of aiohttp whose refusals are errors of files, as readers above fsspec expect them.

Nothing else about the session changes. Those readers try again for minutes after an error of aiohttp.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from types import TracebackType
from typing import Any

from consentcrawl import errors

Raised = tuple[type[errors.Refused], type[errors.Undetermined]]


class FileSession:
    """Stands for ``session``; what is withheld raises one of ``raised``."""

    def __init__(self, session: Any, raised: Raised) -> None:  # noqa: ANN401 (a library's own)
        """Change nothing but what is raised."""
        self._session, self._raised = session, raised

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (the session's own)
        """Return what the session has."""
        return getattr(self._session, name)

    def get(self, *args: Any, **more: Any) -> _Answer:  # noqa: ANN401 (the session's own)
        """As the session does."""
        return _Answer(self._session.get(*args, **more), self._raised)

    def head(self, *args: Any, **more: Any) -> _Answer:  # noqa: ANN401 (the session's own)
        """As the session does."""
        return _Answer(self._session.head(*args, **more), self._raised)

    def post(self, *args: Any, **more: Any) -> _Answer:  # noqa: ANN401 (the session's own)
        """As the session does."""
        return _Answer(self._session.post(*args, **more), self._raised)

    def put(self, *args: Any, **more: Any) -> _Answer:  # noqa: ANN401 (the session's own)
        """As the session does."""
        return _Answer(self._session.put(*args, **more), self._raised)


class _Answer:
    """What ``get`` of a session gives: to be awaited, or entered."""

    def __init__(self, asked: Awaitable[Any], raised: Raised) -> None:
        self._asked, self._raised = asked, raised

    def __await__(self) -> Generator[Any, None, Any]:
        return self._got().__await__()

    async def __aenter__(self) -> Any:  # noqa: ANN401 (the session's own)
        self._response = await self._got()
        return self._response

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._response.__aexit__(kind, error, at)

    async def _got(self) -> Any:  # noqa: ANN401 (the session's own)
        try:
            return await self._asked
        except errors.Withheld as error:
            raise errors.withheld_by(error.verdict, *self._raised) from None
