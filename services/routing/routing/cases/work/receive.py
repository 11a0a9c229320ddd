"""Outcomes of calls that dialers send by topic: facts, so no revision is asked for; told twice, they count once."""

from collections.abc import Mapping
from uuid import UUID

from routing.cases import handle as keeping
from routing.cases import moves, store
from routing.cases.handle import Change
from routing.cases.model import Attempt, By, Case
from routing.cases.policy import CasePolicy
from routing.cases.work.attempt import attempt_of, call_of, refusal
from routing.cases.work.handle import sealed_note
from routing.deps import Deps
from routing.errors import Refused
from routing.people import store as people
from shared.runtime.database import Unit
from shared.runtime.delivery import Delivery
from shared.runtime.handling import Batch
from shared.schemas import CallbackAttempted, ConsentChanged


async def callback_attempted(batch: Batch[CallbackAttempted], deps: Deps) -> None:
    """A case we do not know cannot come later, since we name them: that message is dead at once."""
    unit = batch.unit
    cases = await _locked(unit, {delivery.message.case_id for delivery in batch.items})
    kept = await store.attempted(unit.tx, [(d.message.case_id, d.message.attempt_id) for d in batch.items])
    terms = await keeping.terms(unit, deps)
    changes: dict[UUID, Change] = {}
    tries: list[Attempt] = []
    for delivery in batch.items:
        named = cases.get(delivery.message.case_id)
        if named is None:
            batch.refuse(delivery, "unknown_case", "case_id")
        elif (delivery.message.case_id, delivery.message.attempt_id) not in kept:
            kept.add((delivery.message.case_id, delivery.message.attempt_id))
            case = _survivor(named, cases)
            tried = _tried(case, delivery.message, unit, deps)
            if _moved(batch, delivery, case, tried, policy=terms.policy, changes=changes):
                tries.append(tried)
                cases[case.id] = changes[case.id].moved.case
    await store.save_attempts(unit.tx, tries)
    await _told(unit, [told for tried in tries if (told := refusal(cases[tried.case_id], tried))])
    await keeping.keep(unit, deps, changes.values(), policy=terms.policy)
    for tried in tries:
        deps.metrics.attempts.labels(keeping.outcome_label(tried.outcome)).inc()


async def _locked(unit: Unit, ids: set[UUID]) -> dict[UUID, Case]:
    """The named cases and those they ended in, after their customers."""
    owners = await store.customers_of(unit.tx, ids)
    await people.lock(unit.tx, owners)
    named = await store.locked(unit.tx, ids)
    return named | await store.locked(unit.tx, [case.merged_into for case in named.values() if case.merged_into])


def _survivor(case: Case, cases: Mapping[UUID, Case]) -> Case:
    return cases.get(case.merged_into, case) if case.merged_into else case


def _tried(case: Case, message: CallbackAttempted, unit: Unit, deps: Deps) -> Attempt:
    note = sealed_note(message.note, deps.sealer)
    return attempt_of(case, call_of(message), by=By(message.by.kind, message.by.ref), now=unit.now, note=note)


def _moved(
    batch: Batch[CallbackAttempted],
    delivery: Delivery[CallbackAttempted],
    case: Case,
    tried: Attempt,
    *,
    policy: CasePolicy,
    changes: dict[UUID, Change],
) -> bool:
    """Lay the move beside the others of the batch; False where the message was refused."""
    try:
        moved = moves.attempt(case, tried, policy, at=batch.unit.now)
    except Refused as refused:
        batch.refuse(delivery, refused.code)
        return False
    earlier = changes.get(case.id)
    whole = earlier.moved.then(moved) if earlier else moved
    calls = {**(earlier.calls if earlier else {}), **({tried.attempt_id: tried.platform_ref} if tried.platform_ref else {})}
    changes[case.id] = Change(earlier.before if earlier else case, whole, calls)
    return True


async def _told(unit: Unit, refusals: list[ConsentChanged]) -> None:
    await people.save_consents(unit.tx, [told.consent for told in refusals])
    for told in refusals:
        unit.send(told, key=str(told.consent.customer_id), correlation=str(told.consent.customer_id))
