"""The live page: what the proxy is doing, for a person who watches it.

Strangers' text never becomes markup, and nobody but the holder of the token changes anything.
"""

from consentcrawl.proxy.live.site import HOST, respond

__all__ = ["HOST", "respond"]
