"""robots.txt (RFC 9309): groups, rules and every other record; nothing outside imports a module of this package."""

from consentcrawl.formats.robots.groups import Record, RobotsTxt, parse
from consentcrawl.formats.robots.lines import utf16
from consentcrawl.formats.robots.rules import Access, Rule, RuleSet

__all__ = ["Access", "Record", "RobotsTxt", "Rule", "RuleSet", "parse", "utf16"]
