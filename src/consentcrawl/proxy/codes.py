"""How a run ends other than by the program's own exit code, as env(1), timeout(1) and the shells have it."""

from __future__ import annotations

from consentcrawl.errors import ConsentError

PROXY_FAILED, NOT_EXECUTABLE, NOT_FOUND, BY_SIGNAL = 125, 126, 127, 128


class NotRun(ConsentError):
    """The program was not run; ``code`` is what the run exits with."""

    def __init__(self, said: str, code: int = PROXY_FAILED) -> None:
        """Say why."""
        super().__init__(said)
        self.code = code
