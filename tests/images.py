"""Images with metadata in them, by the name of their container: what vectors call by ``content_from``."""

from __future__ import annotations

from tests import containers
from tests.containers import jpeg_rights, plain
from tests.packets import data_mining, packet

__all__ = ["CONTAINERS", "cut_off", "jpeg_rights", "plain", "with_data_mining", "with_packet", "with_xmp"]

CONTAINERS = {
    "jpeg": containers.jpeg,
    "jpeg late": containers.jpeg_late,
    "jpeg extended": containers.jpeg_extended,
    "jpeg resources": containers.jpeg_resources,
    "png": containers.png,
    "png compressed": containers.png_compressed,
    "png late": containers.png_late,
    "png bad crc": containers.png_bad_crc,
    "png raw profile": containers.png_raw_profile,
    "png raw segment": containers.png_raw_app1,
    "webp": containers.webp,
    "tiff": containers.tiff,
    "tiff second": containers.tiff_second,
    "bigtiff": containers.bigtiff,
    "gif": containers.gif,
    "gif blocks": containers.gif_blocks,
    "avif": containers.avif,
    "heif": containers.heif,
    "jxl": containers.jxl,
    "jp2": containers.jp2,
    "svg": containers.svg,
    "svg root": containers.svg_root,
}


def with_data_mining(container: str, syntax: str, value: str, encoding: str = "utf-8") -> bytes:
    """Return an image of a container whose XMP holds one data mining value in one of the syntaxes."""
    return CONTAINERS[container](data_mining(syntax, value, encoding))


def with_xmp(container: str, inside: str, attributes: str = "") -> bytes:
    """Return an image whose XMP holds what stands inside its description."""
    return CONTAINERS[container](packet(inside, attributes))


def with_packet(container: str, text: str) -> bytes:
    """Return an image whose XMP packet is ``text`` as it stands."""
    return CONTAINERS[container](text.encode())


def cut_off(container: str, inside: str, keep: int) -> bytes:
    """Return the first bytes of an image with XMP."""
    return with_xmp(container, inside)[:keep]
