"""Opening a ledger together with the evidence beside it.

The run and its policy are written before the first verdict.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

from consentcrawl.config import VERSION, Config
from consentcrawl.errors import LedgerBroken
from consentcrawl.ledger.evidence import EvidenceStore
from consentcrawl.ledger.evidence.keeper import EvidenceKeeper
from consentcrawl.ledger.files import OS_FILES, Files
from consentcrawl.ledger.journal import journals
from consentcrawl.ledger.log import Ledger
from consentcrawl.ledger.records import policy_record

EVIDENCE = "evidence"
PROCESS = "{process}"
"""Stands in the name of a directory for a name of its own for each process."""
_ONE_EACH = f"open one in each process, in a directory of its own ({PROCESS} in its name gives one)"


def opened(
    directory: str | Path, config: Config | None = None, *, command: str = "", files: Files = OS_FILES
) -> tuple[Ledger, EvidenceKeeper]:
    """Open a ledger and the keeper of its evidence, as ``LedgerRecord.open`` does."""
    config = config or Config()
    place = Path(str(directory).replace(PROCESS, _name_of_process()))
    run = {
        "version": VERSION,
        "command": command or Path(sys.argv[0]).name,
        "user_agent": config.user_agent,
        "purpose": config.purpose.name,
        "token": config.purpose.token,
    }
    keeper = EvidenceKeeper(EvidenceStore(place / EVIDENCE, files=files), config.secrets)
    ledger = Ledger.open(place, run=run, files=files, sync_documents=keeper.sync)
    try:
        if journals(place):
            from consentcrawl.ledger.sealing import recover  # noqa: PLC0415 (pyarrow: 45 MB, where a run was killed only)

            recover(ledger)
        ledger.append(*policy_record(config.policy, time.time()))
    except BaseException:
        ledger.close()
        raise
    return ledger, keeper


def handed_in(directory: Path, process: int, put: Callable[[], Future[int]]) -> Future[int]:
    """Return the future of what ``put`` hands in; it has failed when that raises, or in a process that was forked."""
    failed: Future[int] = Future()
    if process != os.getpid():
        failed.set_exception(LedgerBroken(f"{directory} was opened before a fork: {_ONE_EACH}"))
        return failed
    try:
        return put()
    except LedgerBroken as broken:
        failed.set_exception(broken)
        return failed


def _name_of_process() -> str:
    return f"{datetime.now(UTC):%Y%m%d%H%M%S}-{os.getpid()}-{secrets.token_hex(2)}"
