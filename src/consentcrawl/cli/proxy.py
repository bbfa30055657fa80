"""``consentcrawl proxy``: the proxy itself, for any program that can use one, and its certificate authority."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from platformdirs import user_data_path, user_state_path

from consentcrawl.cli import options
from consentcrawl.cli.options import config_of
from consentcrawl.errors import BadPolicy

if TYPE_CHECKING:
    from consentcrawl.proxy.authority import Authority

proxy = typer.Typer(invoke_without_command=True)
authority = typer.Typer(no_args_is_help=True, help="The certificate authority that programs behind the proxy trust.")
proxy.add_typer(authority, name="ca")


class Probe(StrEnum):
    """What is sent before a GET."""

    NONE = "none"
    HEAD = "head"


class Tunnel(StrEnum):
    """What happens to programs that reject the proxy's certificate."""

    REFUSE = "refuse"
    ORIGIN_ONLY = "origin-only"


_PORT_END = 1 << 16
_DIRECTORY = user_data_path("consentcrawl") / "authority"
_Directory = Annotated[
    Path,
    typer.Option(
        "--authority", metavar="DIR", help="The folder of the certificate authority, readable by you alone.",
        show_default="in the user's data folder",
    ),
]  # fmt: skip


@proxy.callback()
def serve(  # noqa: PLR0913 (one per option)
    context: typer.Context,
    *,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 is a free one.")] = 8080,
    listen: Annotated[
        str, typer.Option(metavar="ADDR", help="Where to listen; beyond loopback only with --auth.")
    ] = "127.0.0.1",
    auth: Annotated[
        str,
        typer.Option(
            metavar="USER:PASSWORD", envvar="CONSENTCRAWL_PROXY_AUTH", help="Credentials that clients must send."
        ),
    ] = "",
    ui: Annotated[
        str | None, typer.Option("--ui", metavar="ADDR:PORT", help="Serve the live page there, on loopback.")
    ] = None,
    methods: Annotated[
        list[str] | None, typer.Option("--methods", metavar="NAME", help="Pass on this method besides GET and HEAD.")
    ] = None,
    probe: Annotated[
        Probe, typer.Option(help="head: send HEAD before GET, so that nothing is fetched that the head refuses.")
    ] = (Probe.NONE),
    tunnel: Annotated[
        Tunnel,
        typer.Option(help="A program that rejects the proxy's certificate: refuse it, or judge the origin alone."),
    ] = Tunnel.REFUSE,
    ledger: options.LedgerDirectory = None,
    no_ledger: Annotated[bool, typer.Option("--no-ledger", help="Keep no ledger.")] = False,
    directory: _Directory = _DIRECTORY,
    purpose: options.PurposeName = None,
    token: options.Token = None,
    policy: options.PolicyWords = None,
    config: options.ConfigFile = None,
    connect_to: options.ConnectTos = None,
    allow_net: options.AllowNets = None,
) -> None:
    """Run the proxy until Ctrl-C: a request that is refused is answered with status 451 and the reason."""
    if context.invoked_subcommand is not None:
        return
    from consentcrawl.cli import proxying  # noqa: PLC0415 (slow to import)
    from consentcrawl.proxy.settings import ProxySettings  # noqa: PLC0415 (slow to import)

    with options.one_line_errors():
        taker = config_of(
            purpose=purpose, token=token, policy=policy, config=config, connect_to=connect_to, allow_net=allow_net
        )
        settings = ProxySettings(
            port=port, listen=listen, auth=auth, ui=address(ui) if ui else None, authority=directory,
            methods=frozenset(method.upper() for method in methods or ()), probe=probe is Probe.HEAD, tunnel=tunnel,
        )  # fmt: skip
        place = None if no_ledger else ledger or Path(taker.ledger or user_state_path("consentcrawl") / "ledger")
        proxying.serve(taker, settings, place)


@authority.command()
def show(directory: _Directory = _DIRECTORY) -> None:
    """Show the folder of the certificate authority, its fingerprint and when it expires."""
    from consentcrawl.proxy.authority import Authority  # noqa: PLC0415 (slow to import)

    with options.one_line_errors():
        _say(directory, Authority.open(directory))


@authority.command()
def export(
    directory: _Directory = _DIRECTORY,
    out: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")] = None,
) -> None:
    """Print the certificate (never the key) as PEM, for programs to trust."""
    from consentcrawl.proxy.authority import Authority  # noqa: PLC0415 (slow to import)

    with options.one_line_errors():
        pem = Authority.open(directory).certificate_pem
        if out is None:
            typer.echo(pem.decode(), nl=False)
        else:
            out.write_bytes(pem)


@authority.command()
def rotate(directory: _Directory = _DIRECTORY) -> None:
    """Make a new key and certificate; programs that trust the old one must be given the new one."""
    from consentcrawl.proxy.authority import Authority  # noqa: PLC0415 (slow to import)

    with options.one_line_errors():
        _say(directory, Authority.rotate(directory))


def _say(directory: Path, opened: Authority) -> None:
    typer.echo(f"kept in      {directory}\nfingerprint  {opened.fingerprint}\nexpires      {opened.expires:%Y-%m-%d}")


def address(text: str) -> tuple[str, int]:
    """Read ADDR:PORT. Raises BadPolicy."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < _PORT_END:
        msg = f"{text!r} is not ADDR:PORT, such as 127.0.0.1:8081"
        raise BadPolicy(msg)
    return host.strip("[]") or "127.0.0.1", int(port)
