"""What a process settles that is a proxy and little else: how often it looks for garbage, how much it reads at once.

It changes what a request costs, never what becomes of it.
"""

from __future__ import annotations

import gc
from asyncio import selector_events, sslproto

_PIECE = 64 * 1024
_THRESHOLDS = 5_000, 2, 2


def tune() -> None:
    """Settle this process. Programs call it once, before they serve; a library must not."""
    # Hundreds of requests are under way at once: with Python's own 700 each of them is looked through again and again.
    # Old objects are looked through sooner: a connection that ends leaves asyncio's transport, which refers to itself.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    # asyncio has a quarter of a megabyte ready for each connection with TLS, and asks for as much at each read.
    sslproto.SSLProtocol.max_size = _PIECE
    selector_events._SelectorTransport.max_size = _PIECE  # type: ignore[attr-defined]  # noqa: SLF001 (settable nowhere else)
