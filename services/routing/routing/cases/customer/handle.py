"""News of customers: who they became, what they look like now, what they consent to."""

from collections.abc import Iterable
from uuid import UUID

from routing.cases import handle as keeping
from routing.cases import moves, store
from routing.cases.answer import store as answers
from routing.cases.customer.merge import merged
from routing.cases.handle import Change
from routing.cases.model import Case, Route
from routing.cases.route import Asked, Routed, route
from routing.cases.terms import Terms
from routing.deps import Deps
from routing.people import store as people
from shared.runtime.database import Unit
from shared.runtime.handling import Batch
from shared.schemas import Consent, ConsentChanged, Customer, CustomerChanged


async def customers_changed(batch: Batch[CustomerChanged], deps: Deps) -> None:
    """The highest version wins. Of two open cases of one person the older stays and takes the younger's answers."""
    unit = batch.unit
    news = [delivery.message for delivery in batch.items]
    ids = {each.customer.customer_id for each in news} | {old for each in news for old in each.supersedes}
    await people.lock(unit.tx, ids)
    await people.save_customers(unit.tx, [each.customer for each in news])
    became = {old: each.customer.customer_id for each in news for old in each.supersedes if old != each.customer.customer_id}
    await people.merge(unit.tx, became)
    snapshots = await people.customers(unit.tx, {each.customer.customer_id for each in news})
    await store.update_customer(unit.tx, snapshots.values())
    terms = await keeping.terms(unit, deps)
    for new in sorted(set(became.values())):
        await _unite(unit, deps, [old for old, into in became.items() if into == new], new=snapshots.get(new), terms=terms)
    await _reroute(unit, deps, await store.callable_by(unit.tx, customers=snapshots, refs=()), terms=terms)


async def _unite(unit: Unit, deps: Deps, old: list[UUID], *, new: Customer | None, terms: Terms) -> None:
    if new is None:
        return
    for each in old:
        await answers.rename_customer(unit.tx, old=each, new=new.customer_id)
        await store.rename_customer(unit.tx, old=each, new=new.customer_id)
    found = [case for case in await store.of_customers(unit.tx, [*old, new.customer_id]) if case.is_open]
    united = merged(found, new, terms)
    for ended, stays in united.ended:
        await answers.move_to(unit.tx, case=ended, into=stays)
    before = {case.id: case for case in found}
    # The younger must have left the open states before the older takes the customer: at most one open case each.
    for moved in united.moved:
        await keeping.keep(unit, deps, [Change(before[moved.case.id], moved)], policy=terms.policy)


async def consents_changed(batch: Batch[ConsentChanged], deps: Deps) -> None:
    """A refusal that covers calls sends the person's open case to review, and calls the dialers off; a STOP by SMS does not."""
    unit = batch.unit
    said = [delivery.message.consent for delivery in batch.items]
    refs = {fact.address_ref for fact in said if fact.address_ref}
    holders = await store.holders(unit.tx, refs)
    now_is = await people.lock(unit.tx, {fact.customer_id for fact in said if fact.customer_id} | holders)
    facts = await _of_the_living(unit, [people.about_now(fact, now_is) for fact in said])
    persons = {fact.customer_id for fact in facts if fact.customer_id}
    await people.save_consents(unit.tx, facts)
    terms = await keeping.terms(unit, deps)
    await _reroute(unit, deps, await store.callable_by(unit.tx, customers=persons, refs=refs), terms=terms)


async def _of_the_living(unit: Unit, facts: list[Consent]) -> list[Consent]:
    """Of somebody erased nothing is kept; what binds an address is no person's."""
    gone = await people.erased(unit.tx, [fact.customer_id for fact in facts if fact.customer_id])
    return [fact for fact in facts if fact.customer_id not in gone]


async def _reroute(unit: Unit, deps: Deps, cases: Iterable[Case], *, terms: Terms) -> None:
    """Only from call to review: nothing here makes a call allowed that was not."""
    found = [case for case in cases if case.customer]
    refs = {point.ref for case in found if case.customer for point in case.customer.points}
    consents = await people.consents(unit.tx, customers=[case.customer_id for case in found if case.customer_id], refs=refs)
    changes = []
    for case in found:
        routed = _routed(case, consents, terms)
        if routed.route is Route.REVIEW:
            changes.append(Change(case, moves.to_review(case, at=unit.now, basis=routed.basis)))
    await keeping.keep(unit, deps, changes, policy=terms.policy)


def _routed(case: Case, consents: Iterable[Consent], terms: Terms) -> Routed:
    points = {point.ref for point in case.customer.points} if case.customer else set()
    binding = [each for each in consents if each.customer_id == case.customer_id or each.address_ref in points]
    asked = Asked(case.callback, case.first_answered_at)
    return route(case.customer, asked, consents=binding, dropped=case.dropped_refs, policy=terms.policy)
