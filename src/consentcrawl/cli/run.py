"""``consentcrawl run``: any program, unchanged, behind a proxy that checks each request first.

The program's exit code is passed through; messages go to stderr.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_state_path

from consentcrawl.cli import options
from consentcrawl.cli.options import config_of
from consentcrawl.cli.proxy import Probe, Tunnel, address


def run(  # noqa: PLR0913 (one per option)
    command: Annotated[list[str], typer.Argument(metavar="-- CMD…", help="The program and its arguments.")],
    *,
    isolate: Annotated[
        bool, typer.Option("--isolate", help="Let the program reach nothing but the proxy (Linux).")
    ] = False,
    ledger: options.LedgerDirectory = None,
    no_ledger: Annotated[bool, typer.Option("--no-ledger", help="Keep no ledger.")] = False,
    ui: Annotated[
        str | None, typer.Option("--ui", metavar="ADDR:PORT", help="Serve the live page there, on loopback.")
    ] = None,
    probe: Annotated[
        Probe, typer.Option(help="head: send HEAD before GET, so that nothing is fetched that the head refuses.")
    ] = (Probe.NONE),
    tunnel: Annotated[
        Tunnel,
        typer.Option(help="A program that rejects the proxy's certificate: refuse it, or judge the origin alone."),
    ] = Tunnel.REFUSE,
    purpose: options.PurposeName = None,
    token: options.Token = None,
    policy: options.PolicyWords = None,
    config: options.ConfigFile = None,
    connect_to: options.ConnectTos = None,
    allow_net: options.AllowNets = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no summary.")] = False,
) -> None:
    """Run a program behind the proxy: each of its requests is checked first, and a refused one gets status 451.

    Exits with the program's own code; 125 when the proxy could not start, 126 when the program cannot be run, 127 when
    there is no such program, 128 plus the signal's number when a signal ended it.
    """
    with options.one_line_errors():
        taker = config_of(
            purpose=purpose, token=token, policy=policy, config=config, connect_to=connect_to, allow_net=allow_net
        )
        place = None if no_ledger else ledger or Path(taker.ledger or user_state_path("consentcrawl") / "ledger")
        page = None if ui is None else address(ui)
    from consentcrawl.cli import running  # noqa: PLC0415 (slow to import)
    from consentcrawl.proxy.settings import ProxySettings  # noqa: PLC0415 (slow to import)

    how = ProxySettings(ui=page, probe=probe is Probe.HEAD, tunnel=tunnel)
    raise typer.Exit(running.run(command, running.RunOptions(taker, how, place, isolated=isolate, quiet=quiet)))
