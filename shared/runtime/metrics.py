"""A registry per service, passed down, and the metrics of its edges. Base units, no ids in labels."""

import asyncio
import platform

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

SECONDS = (0.01, 0.05, 0.25, 1.0, 2.5, 10.0)
LAG_INTERVAL = 0.25


def registry(service: str, *, version: str = "0.1.0") -> CollectorRegistry:
    """A new registry that says what is running. When a series began is left out: it would double their number."""
    disable_created_metrics()  # type: ignore[no-untyped-call]
    made = CollectorRegistry()
    ProcessCollector(registry=made)
    info = Gauge("aftercall_build_info", "What is running; always 1", ["service", "version", "python"], registry=made)
    info.labels(service, version, platform.python_version()).set(1)
    return made


class HttpMetrics:
    """Requests by the route's template, never the path. The status is counted apart, so that a route has one set of buckets."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "aftercall_http_requests_total", "Requests answered", ["port", "method", "route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "aftercall_http_request_duration_seconds",
            "Time to answer a request",
            ["port", "method", "route"],
            buckets=SECONDS,
            registry=registry,
        )
        self.active = Gauge("aftercall_http_requests_active", "Requests being answered", ["port"], registry=registry)


class OutboundMetrics:
    """Calls to outside services by their outcome."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Counter("aftercall_outbound_calls_total", "Calls to outside services", ["outcome"], registry=registry)


class LoopLag:
    """How late the event loop wakes: the last delay, and the worst since the start."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.last = Gauge("aftercall_event_loop_lag_seconds", "Delay of the event loop at its last check", registry=registry)
        self.worst = Gauge("aftercall_event_loop_lag_max_seconds", "Largest delay of the event loop since the start", registry=registry)
        self._worst = 0.0

    def saw(self, seconds: float) -> None:
        self._worst = max(self._worst, seconds)
        self.last.set(seconds)
        self.worst.set(self._worst)

    async def run(self, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        while not stop.is_set():
            before = loop.time()
            await asyncio.sleep(LAG_INTERVAL)
            self.saw(max(0.0, loop.time() - before - LAG_INTERVAL))
