"""httpx: clients that ask before each request, after each head and before any content is handed over."""

from __future__ import annotations

from consentcrawl.drivers.shared.extras import installed_by

with installed_by("httpx"):
    import httpx

from consentcrawl import errors
from consentcrawl.drivers.shared.transports import Driver

__all__ = ["Refused", "Undetermined", "async_client", "attach", "client"]


class Refused(errors.Refused, httpx.HTTPError):
    """The asset may not be taken: a refusal that an existing ``except httpx.HTTPError`` catches."""


class Undetermined(errors.Undetermined, httpx.HTTPError):
    """It could not be found out whether the asset may be taken."""


_driver = Driver(httpx, httpx.Client, httpx.AsyncClient, Refused, Undetermined)
client, async_client, attach = _driver.client, _driver.async_client, _driver.attach
