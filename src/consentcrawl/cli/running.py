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
from consentcrawl.proxy import run as proxied
from consentcrawl.proxy.codes import PROXY_FAILED, NotRun
from consentcrawl.proxy.engine import LOG
from consentcrawl.proxy.environment import ignored
from consentcrawl.proxy.process import settle
from consentcrawl.proxy.settings import ProxySettings
from consentcrawl.proxy.summary import summary
from consentcrawl.proxy.watch import Watch
from consentcrawl.proxy.wishes import delays
from consentcrawl.steward import Steward


@dataclass(frozen=True, slots=True)
class Wish:
    """What the options add up to; ``ledger`` is its directory."""

    config: Config
    settings: ProxySettings
    ledger: Path | None = None
    isolated: bool = False
    quiet: bool = False


def run(words: Sequence[str], wish: Wish) -> int:
    """Run a program under a proxy and give the exit code; what goes wrong is said on stderr."""
    if proxy := ignored(os.environ):
        complain(f"{proxy} is not gone through: consentcrawl fetches by itself")
    try:
        return _run(words, wish)
    except NotRun as error:
        complain(str(error))
        return error.code
    except (ConsentError, OSError) as error:
        complain(str(error))
        return PROXY_FAILED


def _run(words: Sequence[str], wish: Wish) -> int:
    page = wish.settings.ui
    record = None if wish.ledger is None else LedgerRecord.open(wish.ledger, wish.config, command=words[0])
    steward = Steward(replace(wish.config, ledger=""), record=record)
    try:
        place = None if record is None else record.ledger.directory
        watch = Watch(observing=wish.config.policy.mode == "observe", ledger=place, delay=delays(steward))
        if page is not None:
            complain(f"live page: http://{page[0]}:{page[1]}/#token={watch.token}")
        settle()
        with _log_on_stderr():
            code = proxied.run(words, steward, wish.settings, watch, isolated=wish.isolated)
    finally:
        steward.shut()
    if not wish.quiet:
        for line in summary(watch):
            complain(line)
        if not watch.asked and not wish.isolated:
            complain("nothing came to the proxy: whatever the program fetched went round it; --isolate prevents that")
    return code


@contextmanager
def _log_on_stderr() -> Iterator[None]:
    """Show what the proxy warns of, told apart from what the program says."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("consentcrawl: %(message)s"))
    LOG.addHandler(handler)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
