"""What is embedded in an image; nothing outside imports a module of this package."""

from consentcrawl.formats.image.containers import NO_IMAGE, Embedded, find, kind_of
from consentcrawl.formats.image.iptc import iim_texts

__all__ = ["NO_IMAGE", "Embedded", "find", "iim_texts", "kind_of"]
