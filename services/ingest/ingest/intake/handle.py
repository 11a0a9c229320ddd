"""What platforms send, from the three topics: read, sorted and stored by one statement per batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.intake.sorting import CONFLICT, Came, Place, Rules, Sorted, sort
from ingest.intake.store import Clash, Stored, Watch, store_records, store_request
from ingest.metrics import Metrics
from ingest.normalise import read
from ingest.normalise.model import Event, Raw, Reading, Refused
from shared.runtime import dead_letters
from shared.runtime.applying import Applied
from shared.runtime.broker import Progress, Record
from shared.runtime.database import Database
from shared.runtime.dead_letters import Letter
from shared.runtime.failpoints import failpoint
from shared.runtime.measures import Measures
from shared.runtime.sealing import Sealer
from shared.topics import TOPICS


@dataclass(frozen=True, slots=True)
class Door:
    """The one door for events, by topic and by HTTP. `raw` holds what the sources' settings fill in; `limit` is in bytes."""

    database: Database
    sealer: Sealer
    rules: Rules
    watch: Watch
    raw: Raw
    limit: int
    metrics: Metrics
    measures: Measures

    async def __call__(self, records: Sequence[Record], progress: Progress | None, *, again: bool = False) -> Applied:  # noqa: ARG002  # events are their own inbox
        """Apply of the raw topics."""
        sort_of = sort((self._came(record) for record in records), self.rules)
        by_place = {_place(record): record for record in records}
        letters = [Letter(by_place[fault.place], fault.reason, fault.path) for fault in sort_of.faults]
        if progress is None:
            return await self._replay(records, sort_of, letters)
        stored, letters = await self._store(sort_of, letters, by_place, progress)
        self._count(sort_of, stored)
        for letter in letters:
            self.measures.dead.labels(letter.record.topic, letter.reason).inc()
        self.measures.took(records, stored.owned)
        return Applied(
            stored.owned,
            frozenset(_place(each.record) for each in letters if each.reason != CONFLICT and each.record.place in stored.owned),
        )

    async def post(self, bodies: Sequence[Raw], may_send_for: Callable[[str, str], bool]) -> tuple[Sorted, Stored]:
        """The same for the lines of a request; committed when it returns. An event for somebody else's account is refused."""
        came = [Came(("", -1, n), None, [_own(reading, may_send_for) for reading in read(raw)]) for n, raw in enumerate(bodies)]
        sort_of = sort(came, self.rules)
        failpoint("ingest.before_db_commit")
        async with self.database.autocommit() as tx:
            stored = await store_request(tx, sort_of.rows.values(), watch=self.watch)
        failpoint("ingest.after_db_commit")
        self._count(sort_of, stored)
        return sort_of, stored

    async def _store(
        self, sort_of: Sorted, letters: list[Letter], by_place: Mapping[Place, Record], progress: Progress
    ) -> tuple[Stored, list[Letter]]:
        failpoint("ingest.before_db_commit")
        try:
            async with self.database.autocommit() as tx:
                stored = await store_records(
                    tx, sort_of.rows.values(), letters, progress=progress, watch=self.watch, sealer=self.sealer, alone=True
                )
        except Clash:
            stored, letters = await self._store_with_clashes(sort_of, letters, by_place, progress)
        failpoint("ingest.after_db_commit")
        if letters:
            self.database.wake()
        return stored, letters

    async def _store_with_clashes(
        self, sort_of: Sorted, letters: list[Letter], by_place: Mapping[Place, Record], progress: Progress
    ) -> tuple[Stored, list[Letter]]:
        """The first of an identity stays; the other becomes a dead letter in the same transaction."""
        async with self.database.transaction() as unit:
            stored = await store_records(
                unit.tx, sort_of.rows.values(), letters, progress=progress, watch=self.watch, sealer=self.sealer, alone=False
            )
            conflicts = _conflicts(sort_of, stored, by_place)
            await dead_letters.bury(unit.tx, conflicts, self.sealer)
        return stored, [*letters, *conflicts]

    async def _replay(self, records: Sequence[Record], sort_of: Sorted, letters: list[Letter]) -> Applied:
        """Records handed in again outside any partition: nothing is fenced."""
        async with self.database.transaction() as unit:
            stored = await store_request(unit.tx, sort_of.rows.values(), watch=self.watch)
            letters = [*letters, *_conflicts(sort_of, stored, {_place(record): record for record in records})]
            await dead_letters.bury(unit.tx, letters, self.sealer)
        self._count(sort_of, stored)
        return Applied(frozenset(record.place for record in records), frozenset(_place(each.record) for each in letters))

    def _count(self, sort_of: Sorted, stored: Stored) -> None:
        fresh = [event for identity, event in sort_of.events.items() if identity in stored.fresh]
        clashes = len(stored.clashes) + sum(fault.reason == CONFLICT for fault in sort_of.faults)
        known = len(sort_of.events) - len(fresh) - len(stored.clashes)
        self.metrics.stored(
            ((event.platform, event.kind.value) for event in fresh), repeated=known + len(sort_of.repeated), conflicts=clashes
        )
        self.metrics.left_out(((each.platform, each.reason) for each in sort_of.ignored), (fault.reason for fault in sort_of.faults))

    def _came(self, record: Record) -> Came:
        raw = replace(self.raw, body=record.value, headers=_headers(record), default_channel=TOPICS[record.topic].default_channel)
        if record.value is not None and len(record.value) > self.limit:
            return Came(_place(record), record.logged, [Refused("unknown", 0, "unknown", "too_large")])
        return Came(_place(record), record.logged, read(raw))


def _own(reading: Reading, may_send_for: Callable[[str, str], bool]) -> Reading:
    if not isinstance(reading, Event) or may_send_for(reading.platform, reading.account):
        return reading
    return Refused(reading.envelope, reading.index, reading.platform, "not_your_account", "account")


def _place(record: Record) -> Place:
    return record.topic, record.partition, record.offset


def _headers(record: Record) -> dict[str, str]:
    """The first of each name; what is not UTF-8 is read with replacement marks, so that it matches nothing."""
    headers: dict[str, str] = {}
    for name, value in record.headers:
        headers.setdefault(name.lower(), (value or b"").decode(errors="replace"))
    return headers


def _conflicts(sort_of: Sorted, stored: Stored, by_place: Mapping[Place, Record]) -> list[Letter]:
    return [Letter(by_place[sort_of.places[identity][0]], CONFLICT) for identity in sorted(stored.clashes)]
