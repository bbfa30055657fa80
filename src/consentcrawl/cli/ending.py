"""What ends a run from outside, in order: Ctrl-C, SIGTERM, and SIGHUP when the terminal goes away."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_CODE = 128  # what a shell adds to the number of the signal


class Ended(KeyboardInterrupt):
    """A signal asked the run to end; it ends as at Ctrl-C."""

    def __init__(self, number: int) -> None:
        """Note the signal's number."""
        super().__init__(number)
        self.number = number


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code of a run that was ended so: 130, 143 or 129."""
    return _CODE + (interrupt.number if isinstance(interrupt, Ended) else signal.SIGINT)


@contextmanager
def in_order() -> Iterator[None]:
    """Raise Ended in the main thread when a signal asks the run to end; a second one ends the process at once."""

    def end(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
