"""What platforms send, from the three topics: read, sorted and stored by one statement per batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ingest.intake.sorting import CONFLICT, Came, Fault, Rules, Sorted, sort
from ingest.intake.store import Clash, Stored, store_records, store_request
from ingest.metrics import Metrics
from ingest.normalise import read, read_as
from ingest.normalise.decode import decode
from ingest.normalise.model import Event, Raw, Reading, Refused
from ingest.normalise.segment.people import identified
from ingest.normalise.unreadable import Unreadable
from ingest.people import receive as people
from ingest.people.handle import Desk
from shared.runtime import dead_letters
from shared.runtime.applying import Applied
from shared.runtime.broker import Progress, Record
from shared.runtime.database import Database
from shared.runtime.dead_letters import Letter
from shared.runtime.failpoints import failpoint
from shared.runtime.measures import Measures
from shared.runtime.sealing import Sealer
from shared.topics import TOPICS

BY_HTTP = "interactions.web"
NOT_YOURS = "not_your_account"
TOO_LARGE = Refused("unknown", 0, "unknown", "too_large")
FILLED_IN = {"account": "aftercall-account", "zone": "aftercall-zone", "delivery": "aftercall-delivery"}
"""By which headers a dead letter of what was posted keeps what its source filled in."""


@dataclass(frozen=True, slots=True)
class Door:
    """The one door for events, by topic and by HTTP.

    `topics` are those it reads; `raw` holds what the sources' settings fill in; `limit` is in bytes.
    """

    database: Database
    sealer: Sealer
    rules: Rules
    topics: frozenset[str]
    raw: Raw
    limit: int
    metrics: Metrics
    measures: Measures

    async def __call__(self, records: Sequence[Record], progress: Progress | None, *, again: bool = False) -> Applied:  # noqa: ARG002  # events are their own inbox
        """Apply of the raw topics."""
        raws = {topic: replace(self.raw, default_channel=TOPICS[topic].default_channel) for topic in {each.topic for each in records}}
        sources = [raws[record.topic] if progress else _filled_in(raws[record.topic], _headers(record)) for record in records]
        sort_of = sort([self._came(record, raw) for record, raw in zip(records, sources, strict=True)], self.rules)
        letters = [Letter(records[fault.place], fault.reason, fault.path) for fault in sort_of.faults]
        if progress is None:
            return await self._replay(records, sort_of, letters)
        stored, letters = await self._store(records, sort_of, letters=letters, progress=progress)
        self._count(sort_of, stored)
        for letter in letters:
            self.measures.dead.labels(letter.record.topic, letter.reason).inc()
        self.measures.took(records, stored.owned)
        return Applied(
            stored.owned, frozenset(each.record.at for each in letters if each.reason != CONFLICT and each.record.place in stored.owned)
        )

    async def post(self, bodies: Sequence[Raw], may_send_for: Callable[[str, str], bool]) -> tuple[Sorted, Stored]:
        """The same for the lines of a request; committed when it returns. An event for somebody else's account is refused."""
        sort_of = sort([Came([_own(reading, may_send_for) for reading in read(raw)]) for raw in bodies], self.rules)
        failpoint("ingest.before_db_commit")
        async with self.database.autocommit() as tx:
            stored = await store_request(tx, sort_of.rows)
        failpoint("ingest.after_db_commit")
        self._count(sort_of, stored)
        return sort_of, stored

    async def keep_unread(self, raw: Raw, faults: Sequence[Fault]) -> None:
        """What nobody will send again: dead letters of the topic that such contacts come by, to be mended and replayed."""
        topic = next((name for name in sorted(self.topics) if TOPICS[name].default_channel == raw.default_channel), BY_HTTP)
        record = Record(topic, -1, -1, None, raw.body, _carried(raw), datetime.now(UTC))
        async with self.database.transaction() as unit:
            await dead_letters.bury(unit.tx, [Letter(record, fault.reason, fault.path) for fault in faults], self.sealer)
        self.database.wake()
        for fault in faults:
            self.measures.dead.labels(topic, fault.reason).inc()

    async def _store(
        self, records: Sequence[Record], sort_of: Sorted, *, letters: list[Letter], progress: Progress
    ) -> tuple[Stored, list[Letter]]:
        failpoint("ingest.before_db_commit")
        try:
            async with self.database.autocommit() as tx:
                stored = await store_records(tx, sort_of.rows, letters, progress=progress, sealer=self.sealer, alone=True)
        except Clash:
            stored, letters = await self._store_with_clashes(records, sort_of, letters=letters, progress=progress)
        failpoint("ingest.after_db_commit")
        if letters:
            self.database.wake()
        return stored, letters

    async def _store_with_clashes(
        self, records: Sequence[Record], sort_of: Sorted, *, letters: list[Letter], progress: Progress
    ) -> tuple[Stored, list[Letter]]:
        """The first of an identity stays; the other becomes a dead letter in the same transaction."""
        async with self.database.transaction() as unit:
            stored = await store_records(unit.tx, sort_of.rows, letters, progress=progress, sealer=self.sealer, alone=False)
            conflicts = _conflicts(records, sort_of, stored)
            await dead_letters.bury(unit.tx, conflicts, self.sealer)
        return stored, [*letters, *conflicts]

    async def _replay(self, records: Sequence[Record], sort_of: Sorted, letters: list[Letter]) -> Applied:
        """Records handed in again outside any partition: nothing is fenced."""
        async with self.database.transaction() as unit:
            stored = await store_request(unit.tx, sort_of.rows)
            letters = [*letters, *_conflicts(records, sort_of, stored)]
            await dead_letters.bury(unit.tx, letters, self.sealer)
        self._count(sort_of, stored)
        return Applied(frozenset(record.place for record in records), frozenset(each.record.at for each in letters))

    def _count(self, sort_of: Sorted, stored: Stored) -> None:
        fresh = [each.event for identity, each in sort_of.taken.items() if identity in stored.fresh]
        clashes = len(stored.clashes) + sum(fault.reason == CONFLICT for fault in sort_of.faults)
        known = len(sort_of.taken) - len(fresh) - len(stored.clashes)
        self.metrics.stored(
            ((event.platform, event.kind.value) for event in fresh), repeated=known + len(sort_of.repeated), conflicts=clashes
        )
        self.metrics.left_out(((each.platform, each.reason) for each in sort_of.ignored), (fault.reason for fault in sort_of.faults))

    def _came(self, record: Record, raw: Raw) -> Came:
        too_large = record.value is not None and len(record.value) > self.limit
        readings = [TOO_LARGE] if too_large else read_as(raw, record.value, _headers(record))
        return Came(readings, record.topic, record.partition)


async def take_profile(raw: Raw, database: Database, desk: Desk) -> people.Taken | None:
    """What a body says of a member, as the directory's word; None where it says nothing of one, or is no JSON, as the door says."""
    try:
        document = decode(raw.body or b"")
    except Unreadable:
        return None
    try:
        given = identified(document, raw.traits) if isinstance(document, dict) else None
    except Unreadable as fault:
        return people.Taken(None, people.Refusal(fault.path, fault.code))
    if given is None:
        return None
    async with database.transaction() as unit:
        (answer,) = await people.take(unit, desk, [given])
    return answer


def _own(reading: Reading, may_send_for: Callable[[str, str], bool]) -> Reading:
    if not isinstance(reading, Event) or may_send_for(reading.platform, reading.account):
        return reading
    return Refused(reading.envelope, reading.index, reading.platform, NOT_YOURS, "account")


def _carried(raw: Raw) -> tuple[tuple[str, bytes], ...]:
    """Headers that say how the body is to be read; no other, for a sender may show who it is in them."""
    own = [(name, value) for name, value in raw.headers.items() if name == "content-type" or name.startswith("ce-")]
    filled = [(header, getattr(raw, name)) for name, header in FILLED_IN.items()]
    return tuple((name, value.encode()) for name, value in (*own, *filled) if value)


def _filled_in(raw: Raw, headers: Mapping[str, str]) -> Raw:
    """As the source did when it came first."""
    account, zone, delivery = map(headers.get, FILLED_IN.values())
    return replace(raw, account=account or raw.account, zone=zone or raw.zone, delivery=delivery)


def _headers(record: Record) -> dict[str, str]:
    """The first of each name; what is not UTF-8 is read with replacement marks, so that it matches nothing."""
    headers: dict[str, str] = {}
    for name, value in record.headers:
        headers.setdefault(name.lower(), (value or b"").decode(errors="replace"))
    return headers


def _conflicts(records: Sequence[Record], sort_of: Sorted, stored: Stored) -> list[Letter]:
    return [Letter(records[sort_of.taken[identity].place], CONFLICT) for identity in sorted(stored.clashes)]
