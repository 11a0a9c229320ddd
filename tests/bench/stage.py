"""Services as processes of their own, the way a deployment runs them: what is measured here is not disturbed by who measures."""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import psutil

from shared.runtime.broker import Broker, Outgoing
from shared.topics import DEAD_TOPICS, TOPICS
from tests.bench.load import chunks
from tests.bench.ours import INVITES
from tests.bench.servers import Cpu, Servers
from tests.support.asking import KEYS, PEPPER
from tests.support.fake_gateway import fake_gateway
from tests.support.fleet import Fleet, fleet

_TAKEN = "select owner, sum(next) as taken from {service}.consumer_offset where topic = '{topic}' group by owner"
TICK = 0.01
LOOK_S = 0.2
LONGEST_S = 600.0


@asynccontextmanager
async def stage(servers: Servers, url: str, *services: str, settings: Mapping[str, str], partitions: int = 6) -> AsyncIterator[Fleet]:
    """Topics of one's own for these services, and no process yet. `url` is a database of theirs; `settings` are their environment."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            fake_gateway() as gateway,
            fleet(url, servers.bootstrap, Path(folder), gateway=gateway, prefix=f"s{uuid4().hex[:8]}.") as made,
        ):
            made.variables.update({"AFTERCALL_SEAL_KEYS": KEYS, "AFTERCALL_PEPPER": PEPPER, **settings})
            topics = [topic for topic in (*TOPICS.values(), *DEAD_TOPICS.values()) if {*topic.readers, *topic.writers} & {*services}]
            broker = made.broker()
            await broker.create([replace(topic, partitions=partitions) for topic in topics])
            await broker.stop()
            yield made


ASKING = {"SCORING_FIRST_POLICIES": json.dumps(INVITES)}
"""As scoring's own drain asks."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a service has taken of a topic: `readers` says how much each of its processes has."""

    at: float
    taken: int
    readers: Sequence[int]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Between two looks."""

    began: Standing
    ended: Standing

    @property
    def seconds(self) -> float:
        return self.ended.at - self.began.at

    @property
    def per_second(self) -> float:
        return (self.ended.taken - self.began.taken) / self.seconds


@dataclass(frozen=True, slots=True)
class Meter:
    """How far a service is, as its own database says."""

    fleet: Fleet
    service: str
    topic: str

    async def standing(self) -> Standing:
        sql = _TAKEN.format(service=self.service, topic=self.topic)
        rows = await self.fleet.rows(sql)
        readers = [int(str(each["taken"])) for each in rows if each["owner"]]
        return Standing(time.perf_counter(), sum(readers), readers)

    async def until(self, taken: int) -> Standing:
        """Wait until so many records are taken."""
        async with asyncio.timeout(LONGEST_S):
            while (standing := await self.standing()).taken < taken:  # noqa: ASYNC110  # another process, which sets no event of ours
                await asyncio.sleep(LOOK_S)
        return standing

    async def shared_by(self, replicas: int) -> None:
        """Wait until so many processes have their partitions, and kept them for a second."""
        kept = 0
        async with asyncio.timeout(LONGEST_S):
            while kept < 1 / LOOK_S:
                kept = kept + 1 if len((await self.standing()).readers) == replicas else 0
                await asyncio.sleep(LOOK_S)

    async def moving(self, *, after: int, replicas: int = 1) -> Standing:
        """Wait until more than `after` records are taken, by every process some; the answer is the last look before that."""
        before = now = await self.standing()
        async with asyncio.timeout(LONGEST_S):
            while now.taken <= after or len(now.readers) < replicas or not all(now.readers):
                before = now
                await asyncio.sleep(LOOK_S)
                now = await self.standing()
        return before


def used(servers: Servers, running: Fleet) -> Cpu:
    """Processor seconds so far, Python being the services' processes."""
    spent = [psutil.Process(each.process.pid).cpu_times() for each in running.replicas if each.alive]
    return replace(servers.cpu(), python=sum(each.user + each.system for each in spent))


async def offer(broker: Broker, records: Sequence[Outgoing], *, per_second: float) -> list[float]:
    """Publish each when it is due, however long the last one took. The answer is when each was due (this machine's clock), so that
    what waits because we are late waits in the figures too."""
    began, sent = time.time(), 0
    while sent < len(records):
        due = min(len(records), int((time.time() - began) * per_second) + 1)
        await broker.publish(records[sent:due])
        sent = due
        await asyncio.sleep(TICK)
    return [began + number / per_second for number in range(len(records))]


async def put(broker: Broker, records: Iterable[Outgoing]) -> None:
    """Publish all of them at once."""
    for chunk in chunks(records):
        await broker.publish(chunk)
