"""``consentcrawl explain``: one URL, every ground and gap, for a person."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from consentcrawl.cli import options
from consentcrawl.cli.options import Reach
from consentcrawl.cli.output import console, explanation
from consentcrawl.core import Outcome
from consentcrawl.dataset.readers import Row
from consentcrawl.drivers.dry_run import judge
from consentcrawl.steward import Steward

EXIT_CODES = {Outcome.PERMIT: 0, Outcome.REFUSE: 1, Outcome.UNDETERMINED: 3}


def explain(  # noqa: PLR0913 (one per option)
    url: Annotated[str, typer.Argument(help="The URL of the asset.")],
    *,
    page: Annotated[str | None, typer.Option(help="The URL of the page that shows the asset.")] = None,
    gate: options.ReachOption = Reach.HEAD,
    purpose: options.PurposeName = None,
    token: options.Token = None,
    policy: options.PolicyWords = None,
    config: options.ConfigFile = None,
    connect_to: options.ConnectTos = None,
    allow_net: options.AllowNets = None,
) -> None:
    """Show for one URL whether it may be downloaded: every ground and gap, and the policy that weighed them."""
    with options.one_line_errors():
        settings = options.config_of(
            purpose=purpose, token=token, policy=policy, config=config, connect_to=connect_to, allow_net=allow_net
        )
        steward = Steward(replace(settings, ledger=""))
        try:
            verdict = judge(steward, url, page, reach=gate.gate, settle=False)
        finally:
            steward.close()
        to = console()
        for part in explanation(Row(url, page), verdict, settings):
            to.print(part)
    raise typer.Exit(EXIT_CODES[verdict.outcome])
