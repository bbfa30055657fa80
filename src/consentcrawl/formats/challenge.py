"""Challenges: answers that ask for a browser or a person, and come from a gatekeeper instead of the site."""

from __future__ import annotations

import re
from collections.abc import Callable

# Fields by which the usual gatekeepers mark a challenge, and how their values begin ("" for any).
_MARKS = (("cf-mitigated", "challenge"), ("x-amzn-waf-action", ""), ("x-vercel-mitigated", ""))
# Fields of every answer that comes through these gatekeepers: of an error they tell that it is theirs.
_NAMES = (("x-datadome", ""), ("x-dd-b", ""), ("server", "ddos-guard"))
_LIMIT = 64 * 1024
# What their pages cannot do without. Cloudflare puts /cdn-cgi/challenge-platform/ into ordinary pages as well.
_SCRIPTS = re.compile(
    rb"_cf_chl_opt|awsWafCookieDomainList|gokuProps|captcha-delivery\.com|_Incapsula_Resource|/\.well-known/sgcaptcha/"
    rb"|ddos-guard/js-challenge|/\.within\.website/x/(?:cmd/anubis|xess)|px-captcha|Vercel Security Checkpoint"
).search


def in_fields(lines: Callable[[str], list[str]], *, error: bool) -> str:
    """Return the field that marks an answer as a challenge, as ``name: value``, or an empty string.

    ``lines`` gives the values of a field by its lower-case name; ``error`` tells whether the status is one.
    """
    for name, beginning in _MARKS + _NAMES if error else _MARKS:
        for value in lines(name):
            if value.strip().lower().startswith(beginning):
                return f"{name}: {value}"
    return ""


def in_page(content: bytes) -> str:
    """Return the words of a page that show it to be a challenge, or an empty string; 64 KiB are searched."""
    found = _SCRIPTS(content, 0, _LIMIT)
    return found[0].decode("ascii") if found else ""
