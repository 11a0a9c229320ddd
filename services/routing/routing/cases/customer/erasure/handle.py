"""A person is to be forgotten. Cases end as `erased`, words and snapshots go, counts stay. What is left of them in dead letters and in what
waits is looked for afterwards; then it is reported.
"""

from uuid import UUID

from routing.cases import endings, store
from routing.cases import handle as keeping
from routing.cases.answer import store as answers
from routing.cases.customer.erasure.store import contacts_of, ids_of_theirs, sealed_of
from routing.cases.handle import Change
from routing.cases.model import State
from routing.deps import Deps
from routing.people import store as people
from shared.runtime import forgetting
from shared.runtime.database import Unit
from shared.runtime.handling import Batch
from shared.runtime.sealing import Sealer
from shared.schemas import CustomerErased
from shared.traces import Traces, of_contact, of_private

CARRIED = ("feedback.scored", "callbacks.outcomes")
"""What we read that carries sealed words or snapshots; what we write carries none."""


async def customer_erased(batch: Batch[CustomerErased], deps: Deps) -> None:
    """The customers stay as tombstones, so that a replay brings nobody back."""
    for delivery in batch.items:
        await _erase(batch.unit, deps, delivery.message)


async def _erase(unit: Unit, deps: Deps, asked: CustomerErased) -> None:
    now_is = await people.lock(unit.tx, asked.customer_ids)
    everyone = await people.aliases(unit.tx, {*now_is, *now_is.values()})
    await people.lock(unit.tx, everyone)
    traces = await _traces(unit, everyone, deps.sealer)
    found = [case for case in await store.of_customers(unit.tx, everyone) if case.state is not State.ERASED]
    terms = await keeping.terms(unit, deps)
    await keeping.keep(unit, deps, [Change(case, endings.erase(case, at=unit.now)) for case in found], policy=terms.policy)
    counts = {
        "cases": len(found),
        "notes": await store.erase_notes(unit.tx, [case.id for case in found]),
        "answers": await answers.erase(unit.tx, everyone),
        "customers": await people.erase(unit.tx, everyone, at=unit.now),
    }
    await forgetting.begin(unit, asked, traces, counts, sealer=deps.sealer)


async def _traces(unit: Unit, ids: set[UUID], sealer: Sealer) -> Traces:
    """All we know that would name them in a message: their ids and those of what was theirs, addresses, contacts."""
    named = frozenset(("id", each) for each in await ids_of_theirs(unit.tx, ids))
    told = (of_private(sealer.unseal(sealed)) for sealed in await sealed_of(unit.tx, ids))
    contacts = frozenset(of_contact(*each) for each in await contacts_of(unit.tx, ids))
    return named.union(contacts, *told)
