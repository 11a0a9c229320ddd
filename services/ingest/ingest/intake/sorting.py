"""From readings to what is stored of them: rows of events, and the records that are at fault themselves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from ingest.contacts.model import Patience
from ingest.normalise.model import Event, Ignored, Reading, Refused
from ingest.people.canonical import Naming, named
from shared.runtime.errors import Unprocessable
from shared.schemas import Sealed

EVENTS = UUID("5f0c0a54-5d1e-5c1b-9d0a-6f5c2b9f4a11")
CONFLICT = "conflict"

Place = tuple[str, int, int]
"""Topic, partition and offset of a record; ("", -1, n) for the n-th line of a request."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How this deployment stores an event. `written` makes JSON of a row, or raises Unprocessable for what PostgreSQL cannot store."""

    seal: Callable[[Any], Sealed]
    naming: Naming
    patience: Patience
    written: Callable[[object], str]


@dataclass(frozen=True, slots=True)
class Came:
    """One record or request with all its readings; `logged` is the log's time, None over HTTP."""

    place: Place
    logged: datetime | None
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class Fault:
    place: Place
    reason: str
    path: str | None
    index: int


@dataclass(slots=True)
class Sorted:
    """`rows` is JSON, one text per event, under the event's id."""

    rows: dict[UUID, str] = field(default_factory=dict)
    places: dict[UUID, tuple[Place, int]] = field(default_factory=dict)
    events: dict[UUID, Event] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    repeated: list[Event] = field(default_factory=list)


def event_id(event: Event) -> UUID:
    """The event's identity: what its source calls it, and which state of it this is. Never a time, never an offset."""
    return uuid5(EVENTS, f"{event.source}\x1f{event.id}\x1f{event.version}")


def sort(came: Iterable[Came], rules: Rules) -> Sorted:
    """Of one identity the first stays; a later one with another body is a conflict."""
    found = Sorted()
    for one in came:
        for reading in one.readings:
            match reading:
                case Event():
                    _take(found, one, reading, rules)
                case Refused():
                    found.faults.append(Fault(one.place, reading.code, reading.path, reading.index))
                case Ignored():
                    found.ignored.append(reading)
    return found


def _take(found: Sorted, one: Came, event: Event, rules: Rules) -> None:
    identity = event_id(event)
    if identity in found.events:
        if found.events[identity].hash != event.hash:
            found.faults.append(Fault(one.place, CONFLICT, None, event.index))
        else:
            found.repeated.append(event)
        return
    try:
        found.rows[identity] = rules.written(_row(identity, one, event, rules))
    except Unprocessable as fault:
        found.faults.append(Fault(one.place, fault.code, None, event.index))
        return
    found.events[identity] = event
    found.places[identity] = (one.place, event.index)


def _row(identity: UUID, one: Came, event: Event, rules: Rules) -> Mapping[str, object]:
    refs = named(event.handles, rules.naming, platform=event.platform, account=event.account).refs if event.handles else ()
    return {
        "id": identity,
        "hash": event.hash,
        "topic": one.place[0],
        "partition": one.place[1],
        "logged": one.logged,
        "platform": event.platform,
        "account": event.account,
        "root": event.root,
        "leg": event.leg,
        "kind": event.kind.value,
        "at": event.at,
        "facts": event.facts,
        "handles": rules.seal(dict(event.handles)) if event.handles else None,
        "refs": list(refs) or None,
        "hold": rules.patience.wait_after(event.kind, event.channel).total_seconds(),
    }
