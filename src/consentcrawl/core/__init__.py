"""Deciding without doing: what a signal's author needs, in one import.

Nothing in here opens, waits, sleeps or looks at the clock.
"""

from consentcrawl.core.asset import Asset, host_of, origin_of
from consentcrawl.core.evidence import BODY, DAY, HEAD, NO_FIELDS, ROBOTS_TXT, Evidence, Fields, Need, page_of
from consentcrawl.core.inquiry import Inquiry
from consentcrawl.core.policy import PRESETS, Agreement, Policy
from consentcrawl.core.signal import SILENT, Bulk, Plan, Registry, Said, Signal, Spec, name_of, plan
from consentcrawl.core.statement import Statement, allow, disallow, remark
from consentcrawl.core.verdict import Gap, Ground, Hop, Verdict
from consentcrawl.core.vocabulary import PURPOSES, REASONS, Category, Gate, Outcome, Preference, Purpose

__all__ = [
    "BODY",
    "DAY",
    "HEAD",
    "NO_FIELDS",
    "PRESETS",
    "PURPOSES",
    "REASONS",
    "ROBOTS_TXT",
    "SILENT",
    "Agreement",
    "Asset",
    "Bulk",
    "Category",
    "Evidence",
    "Fields",
    "Gap",
    "Gate",
    "Ground",
    "Hop",
    "Inquiry",
    "Need",
    "Outcome",
    "Plan",
    "Policy",
    "Preference",
    "Purpose",
    "Registry",
    "Said",
    "Signal",
    "Spec",
    "Statement",
    "Verdict",
    "allow",
    "disallow",
    "host_of",
    "name_of",
    "origin_of",
    "page_of",
    "plan",
    "remark",
]
