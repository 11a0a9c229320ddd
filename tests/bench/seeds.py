"""What the services know before a round: the members of the directory, and customers who were asked before."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import ingest.app
import ingest.settings
from ingest.deps import Deps
from ingest.people.receive import profiles_given
from scoring.people import store as people
from shared.runtime.broker import Record
from shared.runtime.database import Database, as_json, run
from shared.runtime.delivery import Delivery
from shared.runtime.handling import Batch
from shared.runtime.memory import MemoryBroker
from shared.schemas import Customer, ProfileGiven
from shared.schemas.people import GivenAddress
from tests.bench.load import MEMBERS, PER_CUSTOMER, number_of, refs_of, snapshot
from tests.support.asking import KEYS, PEPPER

AT_ONCE = 1_000
T = TypeVar("T")

_ASKED = """
insert into survey (id, kind, anchor, customer_id, decision_id, policy_version, channel, address_ref, address, aged_from, state, asked_at,
  send_at, sent_at)
select uuidv7(), 'tnps', uuidv7(), r.id, uuidv7(), 1, 'sms', r.ref, '{"k": "-", "c": ""}', at, 'sent', at, at, at
from jsonb_to_recordset(cast(:rows as jsonb)) as r(id uuid, ref text), (select now() - interval '12 days' as at) as long_ago"""


async def seed(service: str, url: str, *, events: int) -> None:
    await (seed_ingest(url) if service == "ingest" else seed_scoring(url, events=events))


async def seed_ingest(url: str) -> None:
    """Every member by a profile of theirs, taken as ingest takes it."""
    settings = ingest.settings.Settings(database_url=url, seal_keys=KEYS, pepper=PEPPER)
    service = ingest.app.build(settings, broker=MemoryBroker())
    deps: Deps = service.deps
    for part in _parts(range(MEMBERS)):
        async with service.database.transaction() as unit:
            await profiles_given(Batch(unit, [_delivery(member(person)) for person in part]), deps.desk)
    await _nothing_owed(service.database)


def member(person: int) -> ProfileGiven:
    """As the directory has them, with a number of their own."""
    return ProfileGiven(
        profile_id=f"p-{person}",
        member_id=f"M-{person}",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        name="Ada Example",
        language="en",
        addresses=(GivenAddress(kind="phone", value=number_of(person)),),
        segment="family",
    )


def _delivery(profile: ProfileGiven) -> Delivery[Any]:
    record = Record("customers.profiles", 0, 0, None, profile.encode(), (), datetime.now(UTC))
    return Delivery(profile, profile.profile_id, "/directory", None, None, record)


async def seed_scoring(url: str, *, events: int) -> None:
    """The customers of that many contacts are known; every second of them was asked twelve days ago."""
    database = Database(url, schema="scoring")
    for part in _parts(range(max(1, events // PER_CUSTOMER))):
        known = [Customer.model_validate_json(json.dumps(snapshot(person))) for person in part]
        asked = [{"id": UUID(int=person + 1), "ref": refs_of(person)[0]} for person in part if person % 2]
        async with database.transaction() as unit:
            locked = await people.lock(unit.tx, [each.customer_id for each in known])
            await people.learn(unit.tx, known, now_known=locked)
            await run(unit.tx, _ASKED, rows=as_json(asked))
    await _nothing_owed(database)


async def _nothing_owed(database: Database) -> None:
    async with database.transaction() as unit:
        await run(unit.tx, "delete from outbox")
    async with database.autocommit() as tx:
        await run(tx, "vacuum analyze")
    await database.close()


def _parts(all_of_them: Sequence[T]) -> Iterable[Sequence[T]]:
    return (all_of_them[first : first + AT_ONCE] for first in range(0, len(all_of_them), AT_ONCE))
