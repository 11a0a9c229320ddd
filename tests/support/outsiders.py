"""Who is outside of the services and acts by themselves while a case runs."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx

from shared.runtime.access import ALL_TEAMS, COOKIE, Access, Principal
from shared.runtime.database import Database
from shared.runtime.settings import ServiceSettings, load
from tests.support.fleet import Fleet, Replica
from tests.support.ledger import Ledger, Told, native
from tests.support.scene import Scene
from tests.support.signing import STANDARD_SECRET, a_source, standard

SIGNED = a_source("native", check="standard", secrets=[STANDARD_SECRET])
"""Whose webhooks a fleet believes that is told of it."""


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


async def signing(ledger: Ledger, numbers: Sequence[int], url: str, *, a_second: float) -> list[float]:
    """A platform that signs its webhooks, a contact in each, and sends every twentieth again: seconds until each contact was stored."""
    took, began = list[float](), time.monotonic()
    async with httpx.AsyncClient(base_url=url, timeout=10) as client:
        for turn, number in enumerate(numbers):
            await asyncio.sleep(began + turn / a_second - time.monotonic())
            told = ledger.note(native(number, ended=datetime.now(UTC)))
            took.append(await _signed(client, told, fresh=True))
            if number % 20 == 0:
                ledger.repeats += len(told.records)
                await _signed(client, told, fresh=False)
    return took


async def _signed(client: httpx.AsyncClient, told: Told, *, fresh: bool) -> float:
    body = b"[" + b",".join(record.value or b"" for record in told.records) + b"]"
    sent = standard(SIGNED, body=body, at=datetime.now(UTC), message=f"msg_{told.number}")
    began = time.perf_counter()
    answer = await client.post(sent.path, content=sent.body, headers=sent.headers)
    took = time.perf_counter() - began
    assert answer.status_code == 202, answer.text
    assert answer.json()["accepted" if fresh else "duplicate"] == len(told.records), answer.text
    return took


async def ready(replica: Replica) -> bool:
    """Whether a probe would send it requests."""
    async with httpx.AsyncClient(timeout=10) as client:
        return (await client.get(f"{replica.internal_url}/readyz")).is_success


def cookie(fleet: Fleet, ref: str, *, role: str) -> str:
    """What the browser of somebody of every team sends who has signed in."""
    settings = load(ServiceSettings, database_url=fleet.database_url)
    access = Access(settings, Database(fleet.database_url, schema="public", pool_size=1))
    return f"{COOKIE}={access.session(Principal('person', ref, ref.title(), frozenset({role}), ALL_TEAMS))}"
