"""The counters in Prometheus text.

Nothing that a stranger named becomes a label: labels are the program's own words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from consentcrawl.proxy.live.activity import BOUNDS, Activity
from consentcrawl.proxy.live.request_log import ENDED


def exposition(activity: Activity) -> bytes:
    """Return every figure in the text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(activity))
    return generate_latest(registry)


class _Figures(Collector):
    """Reads the counters when it is asked, so that no request pays for it."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def collect(self) -> Iterable[Metric]:
        activity = self._activity
        states = {state.value: activity.states[state] for state in ENDED}
        yield _counters("requests", "Requests that have ended, by how.", "outcome", states)
        yield _counters(
            "refusals", "Requests refused, by the signal that found the opt-out.", "signal", activity.signals
        )
        yield _counters("gaps", "Requests undetermined, by the reason.", "reason", activity.gaps)
        yield CounterMetricFamily("consentcrawl_delivered_bytes", "Bytes of content delivered.", value=activity.size)
        yield CounterMetricFamily(
            "consentcrawl_request_seconds", "Total duration of all requests.", value=activity.seconds
        )
        yield GaugeMetricFamily("consentcrawl_requests_pending", "Requests under way.", value=activity.pending)
        yield GaugeMetricFamily("consentcrawl_observing", "1 while the proxy only observes.", value=activity.observing)
        yield GaugeMetricFamily("consentcrawl_paused", "1 while the proxy is paused.", value=activity.paused)
        yield _added(activity)


def _counters(name: str, said: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"consentcrawl_{name}", said, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def _added(activity: Activity) -> Metric:
    """The histogram of what deciding added; its buckets are cumulative."""
    buckets, total = [], 0
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), activity.decision_counts, strict=True):
        total += count
        buckets.append((bound, total))
    return HistogramMetricFamily(
        "consentcrawl_added_seconds", "Seconds that deciding added to a request.", buckets, activity.decision_seconds
    )
