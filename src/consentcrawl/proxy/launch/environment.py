"""What a wrapped program is told, so that it asks the proxy and takes its certificates: variables and three files.

What the user had set stays in force where it does not lead round the proxy: roots are added to, never replaced.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import certifi

SHIM = Path(__file__).with_name("shim")
"""The folder whose ``sitecustomize`` makes Python libraries heed the variables."""

_PROXY = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_ROOTS = (
    "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO",
    "NIX_SSL_CERT_FILE", "HTTPLIB2_CA_CERTS", "CARGO_HTTP_CAINFO", "NODE_EXTRA_CA_CERTS", "DENO_CERT",
)  # fmt: skip
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_WGET = """
use_proxy = on
http_proxy = {proxy}
https_proxy = {proxy}
no_proxy =
ca_certificate = {roots}
"""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """What is written for one run, in a folder of its own: every root that is trusted, and a wgetrc."""

    roots: Path
    wgetrc: Path

    @classmethod
    def write(cls, folder: Path, own: bytes, proxy: str, base: Mapping[str, str]) -> RunFiles:
        """Write them; ``own`` is the certificate of our authority (PEM), ``base`` the environment of the user."""
        files = cls(folder / "roots.pem", folder / "wgetrc")
        files.roots.write_bytes(bundle(own, base))
        files.wgetrc.write_bytes(_wgetrc(base) + _WGET.format(proxy=proxy, roots=files.roots).encode())
        return files


def variables(proxy: str, files: RunFiles, spki: str, base: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the program; ``proxy`` is the proxy's URL.

    ``spki`` is for Chromium, which no variable reaches: ``--ignore-certificate-errors-spki-list``.
    """
    said = dict(base)
    for name in ("SSL_CERT_DIR", "NO_PROXY", "no_proxy"):
        said.pop(name, None)
    for name in _PROXY:
        said[name] = said[name.lower()] = proxy
    said |= dict.fromkeys(_ROOTS, str(files.roots))
    # With NO_PROXY unset, macOS and Windows would ask the system's settings; empty means nobody.
    said |= {"NO_PROXY": "", "no_proxy": "", "NODE_USE_ENV_PROXY": "1", "WGETRC": str(files.wgetrc)}
    said["PYTHONPATH"] = os.pathsep.join(filter(None, (str(SHIM), base.get("PYTHONPATH", ""))))
    return said | {"CONSENTCRAWL_PROXY": proxy, "CONSENTCRAWL_ROOTS": str(files.roots), "CONSENTCRAWL_SPKI": spki}


def bundle(own: bytes, base: Mapping[str, str]) -> bytes:
    """Put every root that the user's programs trust by now and ``own`` into one PEM file, each once."""
    found: dict[bytes, None] = {}
    for file in _roots_of(base):
        if content := _read(file):
            found |= dict.fromkeys(_CERTIFICATE.findall(content))
    return b"\n".join((*found, own))


def proxy_of(base: Mapping[str, str]) -> str:
    """Return the proxy that the variables of the user name, which is not used; empty if there is none."""
    names = (form for name in _PROXY for form in (name, name.lower()))
    return next((base[name] for name in names if base.get(name)), "")


def _roots_of(base: Mapping[str, str]) -> Iterator[Path]:
    """Where roots lie: what the variables name, the system's own, and certifi's."""
    yield from (Path(base[name]) for name in _ROOTS if base.get(name))
    system = ssl.get_default_verify_paths()
    folders = (base.get("SSL_CERT_DIR") or "").split(os.pathsep)
    yield from _within(Path(folder) for folder in (*folders, system.openssl_capath) if folder)
    yield from (Path(system.openssl_cafile), Path(certifi.where()))


def _within(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from sorted(folder.iterdir())


def _wgetrc(base: Mapping[str, str]) -> bytes:
    """The user's own settings of wget, which a WGETRC replaces."""
    return _read(Path(base.get("WGETRC") or Path(base.get("HOME") or Path.home()) / ".wgetrc"))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes() if file.is_file() else b""
    except OSError:
        return b""
