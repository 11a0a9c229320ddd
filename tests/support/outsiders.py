"""Who is outside of the services and acts by themselves while a case runs."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from shared.runtime.access import ALL_TEAMS, COOKIE, Access, Principal
from shared.runtime.database import Database
from shared.runtime.settings import ServiceSettings, load
from tests.support.fleet import Fleet, Replica
from tests.support.ledger import Ledger
from tests.support.scene import Scene


@asynccontextmanager
async def answering(scene: Scene) -> AsyncIterator[None]:
    """Customers answer as they are asked."""
    task = asyncio.create_task(scene.ledger.answer(scene.gateway))
    try:
        yield
    finally:
        task.cancel()


async def steadily(ledger: Ledger, numbers: range, *, a_second: int, repeating: int = 20) -> None:
    """So many contacts begin and end every second; seconds that were missed are made up for."""
    began = time.monotonic()
    for turn, at in enumerate(range(numbers.start, numbers.stop, a_second)):
        await asyncio.sleep(began + turn - time.monotonic())
        await ledger.tell(range(at, min(at + a_second, numbers.stop)), repeating=repeating)


async def ready(replica: Replica) -> bool:
    """Whether a probe would send it requests."""
    async with httpx.AsyncClient(timeout=10) as client:
        return (await client.get(f"{replica.internal_url}/readyz")).is_success


def cookie(fleet: Fleet, ref: str, *, role: str) -> str:
    """What the browser of somebody of every team sends who has signed in."""
    settings = load(ServiceSettings, database_url=fleet.database_url)
    access = Access(settings, Database(fleet.database_url, schema="public", pool_size=1))
    return f"{COOKIE}={access.session(Principal('person', ref, ref.title(), frozenset({role}), ALL_TEAMS))}"
