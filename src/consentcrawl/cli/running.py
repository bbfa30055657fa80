"""What ``consentcrawl run`` does once its options are read: proxy, ledger, program, summary."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from consentcrawl.cli.options import complain
from consentcrawl.config import Config
from consentcrawl.errors import ConsentError
from consentcrawl.ledger.recording.live import LedgerRecord
from consentcrawl.proxy.engine import LOG
from consentcrawl.proxy.launch import program
from consentcrawl.proxy.launch.environment import proxy_of
from consentcrawl.proxy.launch.process import tune
from consentcrawl.proxy.launch.program import PROXY_FAILED, NotRun
from consentcrawl.proxy.live.activity import Activity
from consentcrawl.proxy.settings import ProxySettings
from consentcrawl.proxy.summary import summary
from consentcrawl.proxy.upstream.crawl_delay import crawl_delays
from consentcrawl.steward import Steward

_NOTHING_CAME = "no request came to the proxy: what the program fetched went round it; --isolate prevents that"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the options add up to; ``ledger`` is its directory."""

    config: Config
    settings: ProxySettings
    ledger: Path | None = None
    isolated: bool = False
    quiet: bool = False


def run(words: Sequence[str], options: RunOptions) -> int:
    """Run a program under a proxy and give the exit code; errors go to stderr."""
    if proxy := proxy_of(os.environ):
        complain(f"{proxy} is not used: consentcrawl connects to the origins itself")
    try:
        return _run(words, options)
    except NotRun as error:
        complain(str(error))
        return error.code
    except (ConsentError, OSError) as error:
        complain(str(error))
        return PROXY_FAILED


def _run(words: Sequence[str], options: RunOptions) -> int:
    page = options.settings.ui
    record = None if options.ledger is None else LedgerRecord.open(options.ledger, options.config, command=words[0])
    steward = Steward(replace(options.config, ledger=""), record=record)
    try:
        place = None if record is None else record.ledger.directory
        activity = Activity(
            observing=options.config.policy.mode == "observe", ledger=place, delay=crawl_delays(steward)
        )
        if page is not None:
            complain(f"live page: http://{page[0]}:{page[1]}/#token={activity.token}")
        tune()
        with _log_on_stderr():
            code = program.run(words, steward, options.settings, activity, isolated=options.isolated)
    finally:
        steward.close()
    if not options.quiet:
        for line in summary(activity):
            complain(line)
        if not activity.requests and not options.isolated:
            complain(_NOTHING_CAME)
    return code


@contextmanager
def _log_on_stderr() -> Iterator[None]:
    """Show the proxy's warnings, marked so that they differ from the program's own output."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("consentcrawl: %(message)s"))
    LOG.addHandler(handler)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
