"""Reading content credentials: ours, through a worker, and c2pa-python's own time, in a process of its own.

Before each image both wait a little, as for a download: a processor that has just been idle is slower.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from tests import signed_images
from tests.website import noise

from consentcrawl.core import BODY, Asset, Evidence, Gate, Need, Policy
from consentcrawl.drivers.inspect_file import inspect
from consentcrawl.formats import c2pa
from consentcrawl.sources import manifests

ROUNDS = 200
PAUSE = 0.001  # seconds
ASSET = Asset("https://art.example/1.jpg")
NEED = Need(Gate.BODY, c2pa.MANIFEST, holds=True)

PEER = f"""
import io, statistics, sys, time
import c2pa
image = sys.stdin.buffer.read()
context = c2pa.Context.from_dict({{"verify": {{"remote_manifest_fetch": False}}}})
times = []
for _ in range({ROUNDS}):
    time.sleep({PAUSE})
    begun = time.perf_counter()
    with c2pa.Reader("image/jpeg", io.BytesIO(image), context=context) as reader:
        manifest, state = reader.get_active_manifest(), reader.get_validation_state()
        said = [a["data"]["entries"] for a in manifest["assertions"] if "training-mining" in a["label"]]
    times.append(time.perf_counter() - begun)
print(statistics.median(times) * 1000)
"""


def median(read: Callable[[], object]) -> float:
    """Milliseconds, the first time left out: it starts the worker."""
    read()
    times = []
    for _ in range(ROUNDS):
        time.sleep(PAUSE)
        begun = time.perf_counter()
        read()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def peer(image: bytes) -> float:
    """Milliseconds that c2pa-python takes by itself."""
    ran = subprocess.run([sys.executable, "-c", PEER], input=image, capture_output=True, check=True)  # noqa: S603 (our own text)
    return float(ran.stdout)


def ours(image: bytes) -> float:
    """Milliseconds from the content to the statements, through a warm worker."""
    body = Evidence(BODY, ASSET.url, status=200, content=image)
    return median(lambda: manifests.Manifests(body, Policy()).answer(NEED).parsed(c2pa.read))


def main() -> dict[str, float]:
    """Return milliseconds an image, and ours in proportion."""
    said = signed_images.assertion(ai_training="notAllowed", data_mining="constrained")
    small = signed_images.signed("jpeg", said)
    photographs = [
        signed_images.signed("jpeg", said, settings=signed_images.WITH_THUMBNAIL, source=noise(side))
        for side in (100, 300, 1200)
    ]
    images = {f"{len(image) // 1000} KB": image for image in (small, *photographs)}
    figures: dict[str, float] = {}
    for name, image in images.items():
        theirs, through_worker = peer(image), ours(image)
        figures |= {
            f"manifests: c2pa-python, {name}, ms": theirs,
            f"manifests: ours, {name}, ms": through_worker,
            f"manifests: ours in proportion, {name}": through_worker / theirs,
        }
    manifests.workers().shut()
    begun = time.perf_counter()
    inspect(small)
    figures["manifests: a fresh worker and its first image, ms"] = (time.perf_counter() - begun) * 1000
    return figures
