"""The counters in Prometheus text.

Nothing that a stranger named becomes a label: labels are the program's own words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from consentcrawl.proxy.seen import ENDED
from consentcrawl.proxy.watch import BOUNDS, Watch


def exposition(watch: Watch) -> bytes:
    """Return every figure in the text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(watch))
    return generate_latest(registry)


class _Figures(Collector):
    """Reads the watch when it is asked, so that no request pays for it."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def collect(self) -> Iterable[Metric]:
        watch = self._watch
        states = {state.value: watch.states[state] for state in ENDED}
        yield _counters("requests", "Requests that have ended, by how.", "outcome", states)
        yield _counters("refusals", "What was not permitted, by the signal that spoke.", "signal", watch.signals)
        yield _counters("gaps", "What was undetermined, by the reason.", "reason", watch.reasons)
        yield CounterMetricFamily("consentcrawl_delivered_bytes", "Content delivered.", value=watch.size)
        yield CounterMetricFamily("consentcrawl_request_seconds", "Seconds of all requests.", value=watch.seconds)
        yield GaugeMetricFamily("consentcrawl_requests_waiting", "Requests under way.", value=watch.waiting)
        yield GaugeMetricFamily("consentcrawl_observing", "1 while nothing is stopped.", value=watch.observing)
        yield GaugeMetricFamily("consentcrawl_paused", "1 while nothing is asked.", value=watch.paused)
        yield _added(watch)


def _counters(name: str, said: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"consentcrawl_{name}", said, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def _added(watch: Watch) -> Metric:
    """The histogram of what deciding added; its buckets are cumulative."""
    buckets, total = [], 0
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), watch.waits, strict=True):
        total += count
        buckets.append((bound, total))
    return HistogramMetricFamily("consentcrawl_added_seconds", "Seconds that deciding added.", buckets, watch.waited)
