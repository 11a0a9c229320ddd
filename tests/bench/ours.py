"""Our services as their processes run them: servers, consumers, timers and relay, until the last message owed is acknowledged."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import ingest.app
import ingest.settings
import scoring.app
import scoring.settings
from shared.runtime.broker import Broker
from shared.runtime.database import Database, row
from shared.runtime.process import Process, Service
from tests.bench.clock import ClockedKafka, Drained, Owed
from tests.bench.load import Shape
from tests.bench.servers import Servers
from tests.support.asking import KEYS, PEPPER

LONGEST_S = 600.0
SOON: Mapping[str, Any] = {"hold_phone_s": 0.3, "hold_web_s": 0.3, "hold_chat_s": 0.3, "hold_other_s": 0.3, "timer_interval": 0.1}
"""Ingest waits no longer than this after a contact's end; everything else is as by default."""
INVITES: Mapping[str, Any] = {"tnps": {"sampling": {"rate": 0.46}}}
"""So many of those who may be asked that about 14 % of all contacts are: half their customers were asked lately, and nobody twice."""


class Lost(AssertionError):
    """A benchmark that loses or doubles measures nothing."""

    def __init__(self, shape: str, owed: int, found: int) -> None:
        super().__init__(f"{shape} owed {owed} messages and its database has {found}")


class Refused(AssertionError):
    """A benchmark that refuses its input measures nothing."""

    def __init__(self, shape: str, dead: int) -> None:
        super().__init__(f"{shape} has {dead} dead letter(s): look at what they name, for all of its records must be read")


def ingest_service(url: str, broker: Broker) -> Service:
    return ingest.app.build(ingest.settings.Settings(**_common(url), **SOON), broker=broker)


def scoring_service(url: str, broker: Broker) -> Service:
    return scoring.app.build(scoring.settings.Settings(**_common(url), first_policies=INVITES), broker=broker)


def _common(url: str) -> dict[str, Any]:
    return {"database_url": url, "seal_keys": KEYS, "pepper": PEPPER, "public_port": 0, "internal_port": 0, "stop_s": 10}


BUILT: Mapping[str, Callable[[str, Broker], Service]] = {"ingest": ingest_service, "scoring": scoring_service}
KEPT = {"ingest": "interaction", "scoring": "decision"}


async def drain(servers: Servers, prefix: str, shape: Shape, *, seed: str, events: int) -> Drained:
    """All of the shape's topic, from a copy of the database `seed`."""
    url = servers.databases.copy(seed)
    owed = Owed(shape.owes, shape.owed(events))
    broker = ClockedKafka(servers, prefix=prefix, owed=owed)
    service = BUILT[shape.service](url, broker)
    async with _serving(service), asyncio.timeout(LONGEST_S):
        await owed.done.wait()
        await _nothing_left(service.database)
        drained = broker.clock.drained(events)
        found, dead = await _rows(service.database, KEPT[shape.service]), await _rows(service.database, "dead_letter")
    if dead:
        raise Refused(shape.name, dead)
    if not found == owed.messages == owed.published[shape.owes]:
        raise Lost(shape.name, owed.messages, found)
    return drained


@asynccontextmanager
async def _serving(service: Service) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(Process([service]).run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def _nothing_left(database: Database) -> None:
    while await _rows(database, "outbox"):  # noqa: ASYNC110  # the relay deletes them
        await asyncio.sleep(0.01)


async def _rows(database: Database, table: str) -> int:
    async with database.autocommit() as tx:
        found = await row(tx, f"select count(*) as found from {table}")
    return int(found["found"]) if found else 0
