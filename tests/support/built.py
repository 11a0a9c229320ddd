"""The services as their composition roots build them, reaching for nothing: what is written about them is read from these."""

import importlib
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from shared.runtime.memory import MemoryBroker
from shared.runtime.metrics import LoopLag
from shared.runtime.process import Service
from shared.runtime.settings import ServiceSettings, load
from shared.topics import SERVICES

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"


@dataclass(frozen=True, slots=True)
class Registered:
    """A metric as a service registers it; `series` are the names under which it is exposed."""

    name: str
    kind: str
    labels: tuple[str, ...]
    words: str
    series: tuple[str, ...]


def settings_of(service: str) -> type[ServiceSettings]:
    found: type[ServiceSettings] = importlib.import_module(f"{service}.settings").Settings
    return found


def built(service: str, **given: object) -> Service:
    """A service that is not started; its database is nowhere."""
    settings = load(settings_of(service), **{"database_url": NOWHERE, **given})
    made: Service = importlib.import_module(f"{service}.app").build(settings, broker=MemoryBroker())
    return made


def registered(service: Service) -> list[Registered]:
    """Every metric of ours, those too that the process adds when it runs."""
    registry = service.internal.state.edges.registry
    LoopLag(registry)
    return registered_in(registry)


def registered_in(registry: CollectorRegistry) -> list[Registered]:
    collectors = [each for each in registry._collector_to_names if isinstance(each, MetricWrapperBase)]
    return sorted((_registered(each) for each in collectors), key=lambda each: each.name)


def _registered(metric: MetricWrapperBase) -> Registered:
    kind, name = str(metric._type), metric._name
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(kind, ("",))
    shown = f"{name}_total" if kind == "counter" else name
    return Registered(shown, kind, tuple(metric._labelnames), metric._documentation, tuple(f"{name}{suffix}" for suffix in suffixes))


def everything_registered() -> dict[str, Registered]:
    """By the exposed name of each series, over the three services."""
    return {series: each for service in SERVICES for each in registered(built(service)) for series in each.series}
