"""A person is to be forgotten: addresses, words and facts go at once, scores and counts stay. What is left of them in dead letters and in
what waits is looked for afterwards; then it is reported.
"""

from uuid import UUID

from scoring.ask import store as surveys
from scoring.ask.inbox import store as inbox
from scoring.decide import store as decisions
from scoring.deps import Deps
from scoring.listen.erasure import store as answers
from scoring.people import store as people
from scoring.people.callbacks import store as callbacks
from shared.runtime import forgetting
from shared.runtime.database import Unit
from shared.runtime.handling import Batch
from shared.runtime.sealing import Sealer
from shared.schemas import CustomerErased
from shared.traces import Traces, of_contact, of_private

CARRIED = ("interactions.completed", "survey.responses", "feedback.scored")
"""Topics we read or write that carry sealed words or snapshots for as long as they are kept."""


async def customer_erased(batch: Batch[CustomerErased], deps: Deps) -> None:
    """Under every id they had."""
    for delivery in batch.items:
        await _erase(batch.unit, delivery.message, deps.sealer)


async def _erase(unit: Unit, asked: CustomerErased, sealer: Sealer) -> None:
    ids = await people.ids_of(unit.tx, asked.customer_ids)
    await people.lock(unit.tx, ids)
    traces = await _traces(unit, ids, sealer)
    erased = await surveys.erase(unit.tx, ids)
    await callbacks.erase(unit.tx, ids)
    counts = {
        "answers": await answers.erase(unit.tx, erased),
        "messages": await inbox.erase(unit.tx, erased),
        "surveys": len(erased),
        "decisions": await decisions.erase(unit.tx, ids),
        **await people.erase(unit.tx, ids, at=unit.now),
    }
    await forgetting.begin(unit, asked, traces, counts, sealer=sealer)


async def _traces(unit: Unit, ids: set[UUID], sealer: Sealer) -> Traces:
    """All we know that would name them in a message: their ids and those of what was theirs, addresses, contacts."""
    named = frozenset(("id", each) for each in await answers.ids_of_theirs(unit.tx, ids))
    told = (of_private(sealer.unseal(sealed)) for sealed in await answers.sealed_of(unit.tx, ids))
    contacts = frozenset(of_contact(*each) for each in await answers.contacts_of(unit.tx, ids))
    return named.union(contacts, *told)
