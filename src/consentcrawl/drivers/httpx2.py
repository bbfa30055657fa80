"""httpx2: clients that ask before each request, after each head and before any content is handed over."""

from __future__ import annotations

from consentcrawl.drivers.shared.extras import installed_by

with installed_by("httpx2"):
    import httpx2

from consentcrawl import errors
from consentcrawl.drivers.shared.transports import Driver

__all__ = ["Refused", "Undetermined", "async_client", "attach", "client"]


class Refused(errors.Refused, httpx2.HTTPError):
    """The asset may not be taken: a refusal that an existing ``except httpx2.HTTPError`` catches."""


class Undetermined(errors.Undetermined, httpx2.HTTPError):
    """It could not be found out whether the asset may be taken."""


_driver = Driver(httpx2, httpx2.Client, httpx2.AsyncClient, Refused, Undetermined)
client, async_client, attach = _driver.client, _driver.async_client, _driver.attach
