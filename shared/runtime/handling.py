"""From a polled batch of records to handlers, in one transaction: fence, inbox, handlers, dead letters, outbox."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from shared.runtime import dead_letters, inbox, offsets, tracing, waiting
from shared.runtime.applying import Applied
from shared.runtime.broker import Partition, Progress, Record
from shared.runtime.database import Database, Unit
from shared.runtime.dead_letters import CONFLICT, Letter
from shared.runtime.delivery import Delivery, M, decode, envelope, type_of
from shared.runtime.errors import Unprocessable
from shared.runtime.failpoints import failpoint
from shared.runtime.inbox import Seen
from shared.runtime.measures import Measures
from shared.runtime.pipeline import Statement
from shared.runtime.sealing import Sealer
from shared.schemas import Message
from shared.topics import TOPICS

D = TypeVar("D")


@dataclass(slots=True)
class Batch(Generic[M]):
    """What one poll brought for one handler, in partition order; it may refuse a message or let it wait, the rest goes on.

    `ahead` was asked with the transaction's begin, where the handler has such questions and the batch begins with its topic. It may ask
    about messages that are not among `items`: another reader's by now.
    """

    unit: Unit
    items: list[Delivery[M]]
    ahead: Any = None
    letters: list[Letter] = field(default_factory=list)
    parked: list[tuple[Delivery[M], str]] = field(default_factory=list)

    def refuse(self, delivery: Delivery[M], code: str, path: str | None = None) -> None:
        """The message is at fault: a dead letter in this transaction."""
        self.letters.append(Letter(delivery.record, code, path))

    def wait_for(self, delivery: Delivery[M], reference: str) -> None:
        """It speaks of something unknown that may still come: kept, and handed in again, for up to 24 hours."""
        self.parked.append((delivery, reference))


Handle = Callable[[Batch[Any], D], Awaitable[None]]


class Ahead(Protocol):
    """Questions with their answers, once they were asked."""

    @property
    def statements(self) -> Sequence[Statement[object]]: ...


@dataclass(frozen=True, slots=True)
class Handler(Generic[D]):
    """What happens with a topic's messages.

    `inbox`: repeats are taken out by identity before `handle` sees them; without it `handle` takes the highest revision itself.
    `identity`: the writer's own name for the message, where it is not `ce_id`. `adopt`: what a body that names no type says in our words,
    as JSON, None where it says nothing of ours; raises Unprocessable. `ahead`: what `handle` will want to know of the database;
    asking it harms nobody when the messages turn out to be another reader's.
    """

    schema: type[Message] | tuple[type[Message], ...]
    handle: Handle[D]
    inbox: bool = False
    identity: Callable[[Any], str] | None = None
    adopt: Callable[[bytes, D], bytes | None] | None = None
    ahead: Callable[[Sequence[Delivery[Any]]], Ahead] | None = None

    @property
    def schemas(self) -> dict[str, type[Message]]:
        each = self.schema if isinstance(self.schema, tuple) else (self.schema,)
        return {schema.TYPE: schema for schema in each}


@dataclass(frozen=True, slots=True)
class _Read:
    """What decoding made of a batch."""

    deliveries: dict[str, list[Delivery[Any]]]
    letters: list[Letter]
    ignored: list[Record]


class Dispatch(Generic[D]):
    """Apply for topics that carry our own messages."""

    def __init__(self, database: Database, handlers: Mapping[str, Handler[D]], deps: D, *, sealer: Sealer, measures: Measures) -> None:
        self._database, self._handlers, self._deps, self._sealer, self._measures = database, handlers, deps, sealer, measures
        self._known = {topic: handler.schemas for topic, handler in handlers.items()}

    async def __call__(self, records: Sequence[Record], progress: Progress | None, *, again: bool = False) -> Applied:
        read = self._read(records)
        advance, ahead = offsets.advancing(progress), self._ahead(read)
        async with self._database.transaction(advance, *(each for asked in ahead.values() for each in asked.statements)) as unit:
            owned = advance.result if progress else frozenset(record.place for record in records)
            letters = [letter for letter in read.letters if letter.record.place in owned]
            parked = 0
            for topic, handler in self._handlers.items():
                mine = [delivery for delivery in read.deliveries.get(topic, ()) if delivery.record.place in owned]
                batch = await self._handle(Batch(unit, mine, ahead.get(topic)), handler, again=again) if mine else None
                if batch:
                    letters += batch.letters
                    parked += len(batch.parked)
            await dead_letters.bury(unit.tx, letters, self._sealer)
            failpoint(f"{self._database.schema}.before_db_commit")
        failpoint(f"{self._database.schema}.after_db_commit")
        self._measure(records, owned, letters=letters, ignored=read.ignored)
        return Applied(owned, frozenset(letter.record.at for letter in letters if letter.reason != CONFLICT), parked)

    def _read(self, records: Sequence[Record]) -> _Read:
        read = _Read(defaultdict(list), [], [])
        for record in records:
            try:
                delivery = self._decode(record)
            except Unprocessable as fault:
                read.letters.append(Letter(record, fault.code, fault.path))
                continue
            if delivery is None:
                read.ignored.append(record)
            else:
                read.deliveries[record.topic].append(delivery)
        return read

    def _decode(self, record: Record) -> Delivery[Any] | None:
        if record.value is None and TOPICS[record.topic].compacted:
            return None  # only compaction's business
        sent, handler = envelope(record), self._handlers[record.topic]
        schema = type_of(sent, self._known[record.topic])
        if schema and handler.adopt and "type" not in sent.attributes:
            data = handler.adopt(sent.data, self._deps)
            if data is None:
                return None
            sent = sent._replace(data=data)
        return decode(record, sent, schema=schema, identity=handler.identity) if schema else None

    def _ahead(self, read: _Read) -> dict[str, Ahead]:
        """What the first of the handlers asks. Others may ask only after it: what it writes could be what they ask about."""
        topic = next((topic for topic in self._handlers if read.deliveries.get(topic)), None)
        ask = self._handlers[topic].ahead if topic else None
        return {topic: ask(read.deliveries[topic])} if topic and ask else {}

    async def _handle(self, batch: Batch[Any], handler: Handler[D], *, again: bool) -> Batch[Any]:
        if handler.inbox:
            await _leave_out_repeats(batch, again=again)
        tracing.carry_on(batch.items[0].traceparent if len(batch.items) == 1 else None)
        if batch.items:
            await handler.handle(batch, self._deps)
        await waiting.park(batch.unit, batch.parked, self._sealer)
        return batch

    def _measure(self, records: Sequence[Record], owned: frozenset[Partition], *, letters: list[Letter], ignored: list[Record]) -> None:
        for letter in letters:
            self._measures.dead.labels(letter.record.topic, letter.reason).inc()
        self._measures.took(records, owned)
        for record in ignored:
            self._measures.records.labels(record.topic, "ignored_type").inc()


async def _leave_out_repeats(batch: Batch[Any], *, again: bool) -> None:
    claimed = await inbox.claim(batch.unit.tx, [((d.source, d.id), d.record.value or b"") for d in batch.items])
    fresh = []
    for delivery, seen in zip(batch.items, claimed, strict=True):
        if seen is Seen.NEW or again:
            fresh.append(delivery)
        elif seen is Seen.CONFLICT:
            batch.refuse(delivery, CONFLICT)
    batch.items = fresh
