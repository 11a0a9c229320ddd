"""From readings to what is stored of them: rows of events, and the records that are at fault themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any, NamedTuple
from uuid import UUID

from ingest.contacts.model import Patience
from ingest.intake.personal import Kept, Written
from ingest.normalise.model import Event, Ignored, Reading, Refused
from shared.runtime.errors import Unprocessable

EVENTS = UUID("5f0c0a54-5d1e-5c1b-9d0a-6f5c2b9f4a11").bytes
CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Rules:
    """How this deployment stores an event.

    `kept` says what rests of a customer's handles, by the platform and the account they were written in. `written` makes JSON of
    rows, or raises Unprocessable for what PostgreSQL cannot store.
    """

    kept: Callable[[Written, str, str], Kept]
    patience: Patience
    written: Callable[[object], str]


class Came(NamedTuple):
    """One record, or one line of a request, with all its readings. Over HTTP there is no topic."""

    readings: Sequence[Reading]
    topic: str | None = None
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """`place` counts what came, `index` the events within it, both from 0."""

    place: int
    reason: str
    path: str | None
    index: int


class Taken(NamedTuple):
    """An event to be stored, the place it came in, and the row it makes."""

    event: Event
    place: int
    row: dict[str, Any]


@dataclass(slots=True)
class Sorted:
    """`taken` is by the events' ids, and `rows` has theirs: a JSON array."""

    taken: dict[str, Taken] = field(default_factory=dict)
    rows: str = "[]"
    faults: list[Fault] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)
    repeated: list[Event] = field(default_factory=list)


def event_id(event: Event) -> str:
    """The event's identity: uuid5 of what its source calls it and which state of it this is. Never a time, never an offset."""
    name = f"{event.source}\x1f{event.id}\x1f{event.version}"
    digest = sha1(EVENTS + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def sort(came: Sequence[Came], rules: Rules) -> Sorted:
    """Of one identity the first stays; a later one with another body is a conflict."""
    try:
        return _sorted(came, rules, alone=False)
    except Unprocessable:  # some event cannot be written: one by one they say which
        return _sorted(came, rules, alone=True)


def _sorted(came: Sequence[Came], rules: Rules, *, alone: bool) -> Sorted:
    found = Sorted()
    for place, one in enumerate(came):
        for reading in one.readings:
            if isinstance(reading, Refused):
                found.faults.append(Fault(place, reading.code, reading.path, reading.index))
            elif isinstance(reading, Ignored):
                found.ignored.append(reading)
            elif alone:
                _take_if_writable(found, place, one, event=reading, rules=rules)
            else:
                _take(found, place, one, event=reading, rules=rules)
    found.rows = rules.written([each.row for each in found.taken.values()])
    return found


def _take(found: Sorted, place: int, one: Came, *, event: Event, rules: Rules) -> None:
    identity = event_id(event)
    before = found.taken.get(identity)
    if before is None:
        found.taken[identity] = Taken(event, place, _row(identity, one, event, rules))
    elif before.event.hash == event.hash:
        found.repeated.append(event)
    else:
        found.faults.append(Fault(place, CONFLICT, None, event.index))


def _take_if_writable(found: Sorted, place: int, one: Came, *, event: Event, rules: Rules) -> None:
    try:
        rules.written(_row("", one, event, rules))
    except Unprocessable as fault:
        found.faults.append(Fault(place, fault.code, None, event.index))
    else:
        _take(found, place, one, event=event, rules=rules)


def _row(identity: str, one: Came, event: Event, rules: Rules) -> dict[str, Any]:
    kept = rules.kept(tuple(event.handles.items()), event.platform, event.account)
    return {
        "id": identity,
        "hash": f"\\x{event.hash.hex()}",
        "topic": one.topic,
        "partition": one.partition,
        "platform": event.platform,
        "account": event.account,
        "root": event.root,
        "leg": event.leg,
        "kind": event.kind.value,
        "at": event.at,
        "facts": event.facts,
        "handles": kept.handles,
        "refs": kept.refs,
        "hold": rules.patience.wait_after(event.kind, event.channel).total_seconds(),
    }
