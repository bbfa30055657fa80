"""Settings: ``consentcrawl.toml``, ``[tool.consentcrawl]`` of pyproject.toml, and the environment, read into values.

A key that is not known is an error, never ignored: a misspelt refusal would be a permission.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from platformdirs import user_config_path

from consentcrawl.core import PRESETS, PURPOSES, Agreement, Category, Policy, Purpose
from consentcrawl.core.policy import CHOICES
from consentcrawl.errors import BadPolicy, BadPurpose
from consentcrawl.net.guard import ConnectTo, Guard
from consentcrawl.net.reader import Reader

VERSION = __version__ = version("consentcrawl-middleware")
TOKEN = "consentcrawl"  # noqa: S105 (a product token)
_SECTIONS = {"purpose", "policy", "network", "platforms", "agreements", "lists", "ledger"}
_LAYERED = frozenset({"purpose", "policy", "ledger"})
_NETWORK = {"allow", "connect_to", "timeout", "roots", "pace"}
_PACES = ("robots", "off")
_PURPOSE = {"name", "token", "contact"}


def make_purpose(name: str = "train-ai", token: str = TOKEN) -> Purpose:
    """Return the purpose called ``name`` for the crawler ``token``.

    Raises BadPurpose for a name that is not in ``core.PURPOSES`` and for a token with a space or anything but ASCII.
    """
    if name not in PURPOSES:
        msg = f"no purpose is called {name!r}; there are {', '.join(sorted(PURPOSES))}"
        raise BadPurpose(msg)
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        msg = f"{token!r} cannot be a product token (RFC 9309 section 2.2.1)"
        raise BadPurpose(msg)
    return Purpose(name, token, PURPOSES[name])


def make_policy(preset: str = "default", **keys: Any) -> Policy:  # noqa: ANN401 (checked by CHOICES)
    """Return a preset with some keys changed, such as ``make_policy("strict", mode="observe")``.

    Raises BadPolicy for an unknown preset, key or value.
    """
    if preset not in PRESETS:
        msg = f"no policy is called {preset!r}; there are {', '.join(PRESETS)}"
        raise BadPolicy(msg)
    for key, value in keys.items():
        if key == "signals_off":
            continue
        if value not in CHOICES.get(key, ()):
            known = f"it is one of {', '.join(CHOICES[key])}" if key in CHOICES else f"keys are {', '.join(CHOICES)}"
            msg = f"policy.{key} = {value!r}: {known}"
            raise BadPolicy(msg)
    if "signals_off" in keys:
        keys["signals_off"] = frozenset(keys["signals_off"])
    return replace(PRESETS[preset], **keys)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one taker. ``contact`` is a URL that makers can write to; ``secrets`` are platform keys.

    ``lists`` are files of compiled opt-out lists; ``platforms`` are those that have a section in the settings.
    ``timeout`` is in seconds and bounds one look-up from name to last byte. Where ``pace`` is ``robots`` the caller's
    requests wait for their origin's turn; where it is ``off`` they do not.
    """

    purpose: Purpose = field(default_factory=make_purpose)
    policy: Policy = field(default_factory=Policy)
    contact: str = ""
    agreements: tuple[Agreement, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    operator_ok: frozenset[str] = frozenset()
    lists: tuple[str, ...] = ()
    platforms: frozenset[str] = frozenset()
    allow: tuple[str, ...] = ()
    connect_to: tuple[ConnectTo, ...] = ()
    timeout: float = 10.0
    roots: str | None = None
    pace: str = _PACES[0]
    ledger: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def user_agent(self) -> str:
        """The User-Agent of every request: product token, version and the taker's contact."""
        return f"{self.purpose.token}/{VERSION} (+{self.contact or 'no contact configured'})"

    @property
    def configured(self) -> frozenset[str]:
        """What is configured and some signals need: ``lists``, and ``platforms.NAME`` for each platform."""
        return frozenset(f"platforms.{name}" for name in self.platforms) | ({"lists"} if self.lists else frozenset())

    def guard(self) -> Guard:
        """The guard that says which addresses may be dialled."""
        return Guard(allow=self.allow, connect_to=self.connect_to)

    def reader(self) -> Reader:
        """The reader that fetches policy files."""
        return Reader(user_agent=self.user_agent, guard=self.guard(), timeout=self.timeout, roots=self.roots)


def load_config(
    path: str | Path | None = None,
    environment: Mapping[str, str] = os.environ,
    options: Mapping[str, str] = MappingProxyType({}),
) -> Config:
    """Return the settings of the file at ``path``, overridden by the environment, and that by ``options``.

    Without ``path`` the file is the first of ``CONSENTCRAWL_CONFIG``, ``consentcrawl.toml``, ``pyproject.toml`` and the
    user's own ``config.toml``. ``options`` are such as ``{"policy.gaps": "hold"}``. Raises BadPolicy, with the file and
    the key, for anything that is not understood, and BadPurpose.
    """
    found, settings = _settings(path or environment.get("CONSENTCRAWL_CONFIG"))
    layers = (("environment", _of_environment(environment)), ("command line", options))
    try:
        sources = {f"policy.{key}": str(found) for key in settings.get("policy", {})}
        for source, layer in layers:
            settings = _over(settings, layer)
            sources |= dict.fromkeys(layer, source)
        return _config(settings, sources)
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        if isinstance(error, BadPurpose):
            raise
        msg = f"{found or 'settings'}: {error}"
        raise BadPolicy(msg) from error


def configured(
    config: Config | None = None, purpose_name: str | None = None, ledger: str | Path | None = None
) -> Config:
    """Return ``config``, or ``load_config()``, for another purpose and ledger if they are named."""
    settled = config or load_config()
    if purpose_name is not None:
        settled = replace(settled, purpose=make_purpose(purpose_name, settled.purpose.token))
    return settled if ledger is None else replace(settled, ledger=str(ledger))


def _settings(path: str | Path | None) -> tuple[Path | None, dict[str, Any]]:
    if path is not None:
        return Path(path), _table(Path(path))
    places = (Path("consentcrawl.toml"), Path("pyproject.toml"), user_config_path("consentcrawl") / "config.toml")
    for place in places:
        if place.is_file() and (table := _table(place)):
            return place, table
    return None, {}


def _table(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        msg = f"{path}: {error}"
        raise BadPolicy(msg) from error
    if path.name == "pyproject.toml":
        own: dict[str, Any] = table.get("tool", {}).get("consentcrawl", {})
        return own
    return table


def _of_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``CONSENTCRAWL_PURPOSE_NAME``, ``CONSENTCRAWL_LEDGER_DIRECTORY`` … by the keys they stand for."""
    taken = {}
    for name, value in environment.items():
        section, _, key = name.removeprefix("CONSENTCRAWL_").lower().partition("_")
        if name.startswith("CONSENTCRAWL_") and section in _LAYERED and key:
            taken[f"{section}.{key}"] = value
    return taken


def _over(settings: dict[str, Any], layer: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings with single keys of ``layer`` put over them."""
    merged = {section: dict(table) if isinstance(table, dict) else table for section, table in settings.items()}
    for name, value in layer.items():
        section, _, key = name.partition(".")
        merged.setdefault(section, {})[key] = value.split(",") if key == "signals_off" else value
    return merged


def _config(settings: Mapping[str, Any], sources: Mapping[str, str]) -> Config:
    _known(settings, _SECTIONS, "section")
    taker, network = settings.get("purpose", {}), settings.get("network", {})
    _known(taker, _PURPOSE, "purpose.")
    _known(network, _NETWORK, "network.")
    keys = dict(settings.get("policy", {}))
    preset = keys.pop("preset", "default")
    platforms: Mapping[str, Mapping[str, Any]] = settings.get("platforms", {})
    return Config(
        purpose=make_purpose(taker.get("name", "train-ai"), taker.get("token", TOKEN)),
        policy=make_policy(preset, **keys),
        contact=_contact(taker.get("contact", "")),
        agreements=tuple(_agreement(table) for table in settings.get("agreements", ())),
        secrets={
            f"{name}.{key}": str(value)
            for name, table in platforms.items()
            for key, value in table.items()
            if key != "operator_ok"
        },
        operator_ok=frozenset(name for name, table in platforms.items() if table.get("operator_ok") is True),
        lists=_lists(settings.get("lists", {})),
        platforms=frozenset(platforms),
        allow=tuple(network.get("allow", ())),
        connect_to=tuple(ConnectTo.parse(text) for text in network.get("connect_to", ())),
        timeout=float(network.get("timeout", 10.0)),
        roots=network.get("roots"),
        pace=_pace(network.get("pace", _PACES[0])),
        ledger=_ledger(settings.get("ledger", {})),
        origins={key: sources.get(f"policy.{key}", f"preset {preset}") for key in CHOICES},
    )


def _pace(pace: object) -> str:
    if pace not in _PACES:
        msg = f"network.pace = {pace!r}: it is one of {', '.join(_PACES)}"
        raise BadPolicy(msg)
    return str(pace)


def _lists(table: Mapping[str, Any]) -> tuple[str, ...]:
    _known(table, {"files"}, "lists.")
    files = table.get("files", [])
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        msg = "lists.files is a list of file names"
        raise BadPolicy(msg)
    return tuple(files)


def _ledger(table: Mapping[str, Any]) -> str:
    _known(table, {"directory"}, "ledger.")
    directory = table.get("directory", "")
    if not isinstance(directory, str):
        msg = "ledger.directory is the name of a directory"
        raise BadPolicy(msg)
    return directory


def _agreement(table: Mapping[str, Any]) -> Agreement:
    _known(table, {"name", "categories", "prefixes", "hosts", "keys"}, "agreements.")
    return Agreement(
        name=table["name"],
        categories=frozenset(Category(category) for category in table["categories"]),
        prefixes=tuple(table.get("prefixes", ())),
        hosts=tuple(table.get("hosts", ())),
        keys=tuple(table.get("keys", ())),
    )


def _contact(url: str) -> str:
    if url and not url.startswith(("https://", "http://", "mailto:")):
        msg = f"purpose.contact = {url!r}: give a URL (https:// or mailto:) that a maker can write to"
        raise BadPolicy(msg)
    return url


def _known(table: Mapping[str, Any], known: set[str], what: str) -> None:
    if unknown := sorted(set(table) - known):
        msg = f"unknown {what} {unknown[0]!r}; there are {', '.join(sorted(known))}"
        raise BadPolicy(msg)


load, policy, purpose = load_config, make_policy, make_purpose
"""Aliases: the earlier names."""
