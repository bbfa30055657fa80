"""Pages (the HTML standard of WHATWG); nothing outside imports a module of this package."""

from consentcrawl.formats.html.data import (
    ATTRIBUTES,
    PROPERTIES,
    TAGS,
    Property,
    image_addresses,
    json_ld,
    properties,
    tags_with,
)
from consentcrawl.formats.html.elements import Image, Link, Meta, Script
from consentcrawl.formats.html.page import DATA_TYPES, KEPT_LIMIT, LIMIT, Page, parse
from consentcrawl.formats.html.sniffing import is_page, looks_html

__all__ = [
    "ATTRIBUTES",
    "DATA_TYPES",
    "KEPT_LIMIT",
    "LIMIT",
    "PROPERTIES",
    "TAGS",
    "Image",
    "Link",
    "Meta",
    "Page",
    "Property",
    "Script",
    "image_addresses",
    "is_page",
    "json_ld",
    "looks_html",
    "parse",
    "properties",
    "tags_with",
]
