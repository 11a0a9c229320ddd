"""Server-sent events for open consoles: one tail of `callbacks.changed` per process, from the end, outside any group, fanned out by team.

An event says only that a case changed; the page fetches what it may see. Who reads too slowly is told to load the page's parts anew.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import ValidationError

from routing.cases.api import READ, teams_of
from routing.console.pages import QUEUE, AtDesk, Reader
from shared.runtime.broker import Broker, BrokerAway, Record, TopicMissing
from shared.runtime.problems import Problem
from shared.schemas import CallbackChanged
from shared.topics import topic_of

log = logging.getLogger("aftercall.routing")

TOPIC = topic_of(CallbackChanged.TYPE)
REMEMBERED = 500
PENDING = 50
AWAY_S = 2.0
RETRY_MS = 2_000


@dataclass(frozen=True, slots=True)
class Change:
    """A case has another revision."""

    case_id: UUID
    revision: int
    team: str


@dataclass(frozen=True, slots=True)
class Told:
    """One event; `id` is what a browser sends back when it reconnects. Without a change: load everything anew."""

    id: str
    change: Change | None = None

    def event(self) -> ServerSentEvent:
        if self.change is None:
            return ServerSentEvent(event="reload", data={}, id=self.id)
        return ServerSentEvent(event="case", data={"case": str(self.change.case_id), "revision": self.change.revision}, id=self.id)


@dataclass(slots=True, eq=False)
class Client:
    """One open console. Its queue is bounded: what does not fit becomes one `reload`."""

    teams: frozenset[str] | None
    waiting: "asyncio.Queue[Told]" = field(default_factory=lambda: asyncio.Queue(PENDING))

    def sees(self, change: Change | None) -> bool:
        return change is None or self.teams is None or change.team in self.teams

    def tell(self, told: Told) -> None:
        if not self.sees(told.change):
            return
        if self.waiting.full():
            while not self.waiting.empty():
                self.waiting.get_nowait()
            told = Told(told.id)
        self.waiting.put_nowait(told)

    async def next(self, seconds: float, *, ended: "asyncio.Task[bool]") -> Told | None:
        """The next event; None after `seconds` without one, or when the process stops."""
        getting = asyncio.create_task(self.waiting.get())
        try:
            await asyncio.wait({getting, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return getting.result() if getting.done() else None
        finally:
            getting.cancel()


class Live:
    """The tail and everybody who listens. A task of the service: it ends when told and never before."""

    def __init__(self, broker: Broker, *, clients: int) -> None:
        self._broker, self._most = broker, clients
        self._clients: set[Client] = set()
        self._epoch, self._count = uuid4().hex[:12], 0
        self._past: deque[Told] = deque(maxlen=REMEMBERED)

    @property
    def full(self) -> bool:
        return len(self._clients) >= self._most

    @contextmanager
    def connected(self, teams: frozenset[str] | None, *, last_id: str | None) -> Iterator[Client]:
        """A client for as long as its stream is open, told first what it missed."""
        client = Client(teams)
        for told in self.missed(last_id):
            client.tell(told)
        self._clients.add(client)
        try:
            yield client
        finally:
            self._clients.discard(client)

    def missed(self, last_id: str | None) -> Iterable[Told]:
        """What came after an event of ours; everything anew for a first visit, for another replica's event and for one long past."""
        ids = [told.id for told in self._past]
        if last_id == self._id():
            return ()
        return list(self._past)[ids.index(last_id) + 1 :] if last_id in ids else (Told(self._id()),)

    async def run(self, stop: asyncio.Event) -> None:
        following = asyncio.create_task(self._follow())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({following, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (following, stopped):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await following

    async def _follow(self) -> None:
        """The broker may go away and come back; what passed meanwhile nobody saw, so everybody loads anew."""
        while True:
            try:
                async with aclosing(_closing(self._broker, TOPIC)) as records:
                    async for record in records:
                        self.hear(record)
            except (BrokerAway, TopicMissing, OSError) as error:
                log.warning("the live console does not hear the broker", extra={"error": type(error).__name__})
            await asyncio.sleep(AWAY_S)
            self.tell(None)

    def hear(self, record: Record) -> None:
        if record.value is not None:
            self.tell(_change(record.value, record.topic))

    def tell(self, change: Change | None) -> None:
        self._count += 1
        told = Told(self._id(), change)
        self._past.append(told)
        for client in self._clients:
            client.tell(told)

    def _id(self) -> str:
        return f"{self._epoch}-{self._count}"


def _change(value: bytes, topic: str) -> Change | None:
    """What a record says; for one that cannot be read: load everything anew."""
    try:
        said = CallbackChanged.model_validate_json(value)
    except ValidationError:
        log.warning("a change of a case could not be read", extra={"topic": topic})
        return None
    return Change(said.case_id, said.revision, said.team)


async def _closing(broker: Broker, topic: str) -> AsyncGenerator[Record, None]:
    """A tail that can be closed from outside, whatever iterator the broker gives."""
    async for record in broker.tail(topic):
        yield record


def hub(request: Request) -> Live:
    """The process's live, while it has room."""
    live: Live = request.app.state.live
    if live.full:
        raise Problem(503, "too_many_consoles", "Too many consoles are connected: this page works without live updates")
    return live


router = APIRouter(prefix=QUEUE, include_in_schema=False)


@router.get("/live", response_class=EventSourceResponse)
async def live(
    at: AtDesk, person: Reader, hub: Annotated[Live, Depends(hub)], last_event_id: Annotated[str | None, Header(max_length=100)] = None
) -> AsyncIterator[ServerSentEvent]:
    """Ends with the process, and by itself after `live_stream_s`, so that rights are looked at again; browsers come back on their own."""
    settings, loop = at.deps.settings, asyncio.get_running_loop()
    ended = asyncio.create_task(at.request.app.state.stopping.wait())
    ends_at = loop.time() + settings.live_stream_s
    try:
        with hub.connected(teams_of(person, READ), last_id=last_event_id) as client:
            yield ServerSentEvent(event="beat", data={}, retry=RETRY_MS)
            while not ended.done() and loop.time() < ends_at:
                told = await client.next(settings.live_beat_s, ended=ended)
                yield told.event() if told else ServerSentEvent(event="beat", data={})
    finally:
        ended.cancel()
