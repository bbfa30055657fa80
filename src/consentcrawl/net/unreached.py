"""Why something could not be had, as one exception that carries a reason code.

It is raised inside ``net`` and turned into evidence at its edge; no caller of the reader sees it.
"""

from __future__ import annotations

ADDRESS = "address"
BAD_HEAD = "bad_head"
BAD_STATUS = "bad_status"
BAD_URL = "bad_url"
BODY_LIMIT = "body_limit"
BODY_RATIO = "body_ratio"
CONNECT = "connect"
DNS = "dns"
ENCODING = "encoding"
REDIRECTS = "redirects"
TIMEOUT = "timeout"
TLS = "tls"
TRUNCATED = "truncated"


class Unreached(OSError):
    """No connection, or no whole answer; ``reason`` is a code of ``core.vocabulary.REASONS``."""

    def __init__(self, reason: str, detail: object = "") -> None:
        """Keep the reason code, and what the system said."""
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
