"""Ingest as its process runs it, with short waits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from ingest.app import build
from ingest.settings import Settings
from shared.runtime.broker import Broker
from shared.runtime.database import rows
from shared.runtime.process import serve

QUICK: dict[str, Any] = {
    "hold_phone_s": 0.3,
    "hold_web_s": 0.3,
    "hold_chat_s": 0.3,
    "address_wait_s": 0.3,
    "timer_interval": 0.05,
    "public_port": 0,
    "internal_port": 0,
    "stop_s": 10,
}
Read = Callable[[str], Awaitable[list[dict[str, Any]]]]


@asynccontextmanager
async def running(url: str, broker: Broker, **given: Any) -> AsyncIterator[Read]:
    """Yields a way to read its tables; at the end every task must have stopped well."""
    stop = asyncio.Event()
    service = build(Settings(database_url=url, **{**QUICK, **given}), broker=broker)

    async def read(statement: str) -> list[dict[str, Any]]:
        async with service.database.transaction() as unit:
            return [dict(each) for each in await rows(unit.tx, statement)]

    served = asyncio.create_task(serve([service], stop=stop))
    try:
        yield read
    finally:
        stop.set()
        assert await served == 0
