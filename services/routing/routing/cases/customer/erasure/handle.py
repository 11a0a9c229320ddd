"""A person is to be forgotten. Cases end as `erased`, words and snapshots go, counts stay; then it is reported."""

from routing.cases import endings, store
from routing.cases import handle as keeping
from routing.cases.answer import store as answers
from routing.cases.handle import Change
from routing.cases.model import State
from routing.deps import Deps
from routing.people import store as people
from shared.runtime.database import Unit
from shared.runtime.handling import Batch
from shared.schemas import CustomerErased, ErasureReported
from shared.topics import TOPICS

_CARRIED = ("feedback.scored", "callbacks.outcomes")
"""What we read that carries sealed words or snapshots; what we write carries none."""


async def customer_erased(batch: Batch[CustomerErased], deps: Deps) -> None:
    """The customers stay as tombstones, so that a replay brings nobody back."""
    for delivery in batch.items:
        report = await _erase(batch.unit, deps, delivery.message)
        batch.unit.send(report, key=delivery.message.customer_ids[0], correlation=delivery.message.request_id)


async def _erase(unit: Unit, deps: Deps, asked: CustomerErased) -> ErasureReported:
    ids = set(asked.customer_ids)
    now_is = await people.lock(unit.tx, ids)
    everyone = ids | set(now_is.values())
    found = [case for case in await store.of_customers(unit.tx, everyone) if case.state is not State.ERASED]
    terms = await keeping.terms(unit, deps)
    await keeping.keep(unit, deps, [Change(case, endings.erase(case, at=unit.now)) for case in found], policy=terms.policy)
    counts = {
        "cases": len(found),
        "notes": await store.erase_notes(unit.tx, [case.id for case in found]),
        "answers": await answers.erase(unit.tx, everyone),
        "customers": await people.erase(unit.tx, everyone, at=unit.now),
    }
    clean_by = unit.now + max(TOPICS[topic].retention for topic in _CARRIED)
    return ErasureReported(request_id=asked.request_id, service="routing", counts=counts, clean_by=clean_by, done=True)
