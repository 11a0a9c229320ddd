"""An event with the time we believe."""

from typing import NamedTuple, cast

from ingest.contacts.model import StoredEvent
from ingest.normalise.model import Facts, Kind
from ingest.normalise.times import as_ms

_ORDER = {kind: rank for rank, kind in enumerate(Kind)}
_REPLACED = frozenset({"missing", "placeholder", "unreadable", "absurd", "no_zone", "zone_gap", "zone_twice"})
_TIMES = frozenset({"started_ms", "queued_ms", "connected_ms", "ended_ms", "thread_ms"})


class Seen(NamedTuple):
    """An event with the time we believe, in ms: its own, or that of its arrival where it has none or is from the future."""

    ms: int
    kind: Kind
    event: StoredEvent
    received_ms: int
    suspect: bool
    facts: Facts


def order(one: Seen) -> tuple[int, int, int]:
    return one.ms, _ORDER[one.kind], one.event.id.int


def seen(event: StoredEvent, ahead_ms: int) -> Seen:
    """`ahead_ms`: a time further ahead of its arrival is not believed."""
    received = as_ms(event.received)
    own = None if event.at is None else as_ms(event.at)
    latest = received + ahead_ms
    facts = event.facts if _TIMES.isdisjoint(event.facts) else _without_later(event.facts, latest)
    if own is None or own > latest:
        return Seen(received, event.kind, event, received, suspect=True, facts=facts)
    suspect = len(facts) < len(event.facts) or facts.get("clock") in _REPLACED
    return Seen(own, event.kind, event, received, suspect=suspect, facts=facts)


def _without_later(facts: Facts, latest: int) -> Facts:
    """Without times that are after the latest we can believe."""
    return cast("Facts", {name: value for name, value in facts.items() if name not in _TIMES or cast("int", value) <= latest})
