"""``consentcrawl demo``: serves a small web on loopback with every signal in it, and prints the verdicts about it."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from consentcrawl.cli.demo_sites import LIST
from consentcrawl.cli.demo_web import web
from consentcrawl.cli.output import TableWriter, console
from consentcrawl.cli.tally import Tally
from consentcrawl.config import Config
from consentcrawl.core import Gate
from consentcrawl.dataset.ordered import in_order
from consentcrawl.dataset.readers import Row
from consentcrawl.drivers.dry_run import judge
from consentcrawl.net.guard import ConnectTo
from consentcrawl.steward import Steward

_BEFORE = """\
A small web on this machine, some of whose makers forbid training on their work.
Each row has the verdict, the URL, and the words that decide with the place where they stand:
"""
_AFTER = """
To check a list of your own (.txt, .csv, .jsonl, .parquet) without downloading:

    consentcrawl check urls.txt
    consentcrawl check urls.parquet --url-column url -o verdicts.parquet

To see every ground and gap for one URL:

    consentcrawl explain https://example.com/picture.jpg
"""
_SERVING = """
The small web runs until you press Ctrl-C. Try it from another terminal:

    consentcrawl explain http://fields.example/noai.png --connect-to {}
"""


def demo(
    *,
    serve: Annotated[bool, typer.Option("--serve", help="Keep the small web running until Ctrl-C.")] = False,
) -> None:
    """Serve a small web on this machine, check it, and print the verdicts. No request leaves the machine."""
    to = console()
    with web() as connect_to:
        to.print(_BEFORE)
        _show(Config(connect_to=tuple(map(ConnectTo.parse, connect_to))), to)
        to.print(_AFTER, soft_wrap=True)
        if serve:
            to.print(_SERVING.format(connect_to[-1]), soft_wrap=True)
            with suppress(KeyboardInterrupt):
                threading.Event().wait()


def _show(config: Config, to: Console) -> None:
    steward = Steward(config)
    rows = [Row(url, page) for url, page in LIST]
    table, tally = TableWriter(to), Tally(to, bar=False, quiet=False)
    try:
        asked = in_order(
            rows,
            lambda row: row.url,
            lambda row: judge(steward, row.url, row.page, reach=Gate.BODY),
            workers=8,
        )
        for row, verdict in asked:
            table.write(row, verdict)
            tally.count(verdict)
    finally:
        steward.close()
    tally.summary(steward.pace)
