"""What would become of a payload that came now: it is stored, judged and told of in one transaction, looked at, and all of it undone."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest.contacts import store as contacts
from ingest.contacts.handle import Closing, close
from ingest.contacts.store import Root
from ingest.explain import store
from ingest.intake.handle import Door
from ingest.intake.sorting import Came, Sorted, event_id, sort
from ingest.intake.store import Stored, store_request
from ingest.normalise.model import Event, Raw, Reading
from ingest.normalise.reading import read
from ingest.normalise.used import used
from shared.runtime.database import Database, Unit

LOOKS = 6
"""More than a contact is ever looked at without a new event: its end, the next leg, the hold-off, the address."""

SURELY = timedelta(seconds=1)
"""Events are stored a moment after their transaction began, by whose time everything is judged."""


@dataclass(frozen=True, slots=True)
class Look:
    """One time the contact is judged: it waits for something until the next look, or is told of by `revisions` (messages, as JSON)."""

    at: datetime
    waits_for: str | None
    revisions: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Explained:
    """What one body says: each reading with what storing would find (new, known, conflict; None for what is not stored).

    `used` are the fields it rests on.
    """

    readings: Sequence[tuple[Reading, str | None]]
    used: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Future:
    """What all bodies together lead to: by event its state in the inbox, by contact every look at it."""

    stored: Mapping[str, str]
    contacts: Mapping[Root, Sequence[Look]]


NOTHING = Future({}, {})


class _Undone(Exception):
    """Rises inside the transaction, so that nothing of it stays."""


async def explained(raws: Sequence[Raw], *, database: Database, door: Door, closing: Closing) -> tuple[list[Explained], Future]:
    """One answer per body, and what would come of all of them together."""
    readings = [read(raw) for raw in raws]
    found = sort([Came(each) for each in readings], door.rules)
    future = await _tried(found, database, closing) if found.taken else NOTHING
    told = [[(one, future.stored.get(event_id(one)) if isinstance(one, Event) else None) for one in each] for each in readings]
    return [Explained(each, used(raw)) for each, raw in zip(told, raws, strict=True)], future


async def _tried(found: Sorted, database: Database, closing: Closing) -> Future:
    future = NOTHING
    with contextlib.suppress(_Undone):
        async with database.transaction() as unit:
            future = await _done(unit, found, closing)
            raise _Undone
    return future


async def _done(unit: Unit, found: Sorted, closing: Closing) -> Future:
    await store.wait_briefly(unit.tx)
    stored = await store_request(unit.tx, found.rows)
    roots = sorted({_root(each.event) for each in found.taken.values()})
    states = {identity: _state(identity, stored) for identity in found.taken}
    return Future(states, {root: await _looks(unit, root, closing) for root in roots})


async def _looks(unit: Unit, root: Root, closing: Closing) -> list[Look]:
    """Judged now, and at every moment the judging itself names, by moving the contact's events back in time."""
    looks: list[Look] = []
    ahead = timedelta()
    told = len(await contacts.revisions(unit.tx, root))
    while len(looks) < LOOKS:
        await close(unit, await contacts.claim(unit.tx, root), closing)
        waiting, revisions = await contacts.contact(unit.tx, root), await contacts.revisions(unit.tx, root)
        looks.append(Look(unit.now + ahead, waiting["waits_for"] if waiting else None, [each["payload"] for each in revisions[told:]]))
        told = len(revisions)
        if waiting is None or waiting["due"] is None:
            return looks
        further = max(waiting["due"] - unit.now, timedelta()) + SURELY
        await store.move_back(unit.tx, root, further)
        ahead += further
    return looks


def _state(identity: str, stored: Stored) -> str:
    return "conflict" if identity in stored.clashes else "new" if identity in stored.fresh else "known"


def _root(event: Event) -> Root:
    return event.platform, event.account, event.root
