"""robots.txt (RFC 9309): groups, rules and every other record; nothing outside imports a module of this package."""

from consentcrawl.formats.robots.groups import Record, RobotsTxt, parse
from consentcrawl.formats.robots.lines import utf16
from consentcrawl.formats.robots.records import Foreign, Form, Usage, by_key, placed
from consentcrawl.formats.robots.rules import Access, Rule

__all__ = [
    "Access", "Foreign", "Form", "Record", "RobotsTxt", "Rule", "Usage", "by_key", "parse", "placed", "utf16",
]  # fmt: skip
