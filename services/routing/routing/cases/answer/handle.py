"""An answer arrives: whose is it, does it open a case or join one, and what does the team's tally say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from routing.cases import handle as keeping
from routing.cases import store as cases
from routing.cases.answer import store as answers
from routing.cases.answer.model import Answer, answer_of
from routing.cases.handle import Change
from routing.cases.heard import RECOVERY, Heard, opens
from routing.cases.join import judge
from routing.cases.model import Case, Moved
from routing.cases.terms import Terms
from routing.deps import Deps
from routing.people import store as people
from shared.runtime.database import Unit
from shared.runtime.handling import Batch
from shared.runtime.sealing import Sealer
from shared.schemas import Consent, Customer, FeedbackScored, Sealed


@dataclass(slots=True)
class Desk:
    """The cases of one batch while its answers are judged one after the other: each sees what the ones before it did."""

    by_id: dict[UUID, Case]
    by_customer: dict[UUID, Case]
    before: Mapping[UUID, Case]
    moved: dict[UUID, Moved] = field(default_factory=dict)

    def case_of(self, known: Answer | None) -> Case | None:
        case = self.by_id.get(known.case_id) if known and known.case_id else None
        return self.by_id.get(case.merged_into, case) if case and case.merged_into else case

    def lay(self, moved: Moved) -> None:
        case = moved.case
        self.by_id[case.id] = case
        if case.customer_id and case.is_open:
            self.by_customer[case.customer_id] = case
        self.moved[case.id] = self.moved[case.id].then(moved) if case.id in self.moved else moved

    @property
    def changes(self) -> list[Change]:
        return [Change(self.before.get(case_id), self.moved[case_id]) for case_id in sorted(self.moved)]


async def feedback_scored(batch: Batch[FeedbackScored], deps: Deps) -> None:
    """The highest revision of a survey wins. Customers are locked first, so that two answers of one on two replicas meet in one case."""
    unit = batch.unit
    newest = _newest(delivery.message for delivery in batch.items)
    now_is = await people.lock(unit.tx, [said.customer.customer_id for said in newest if said.customer])
    newest = await _without_erased(unit, newest, now_is)
    await people.save_customers(unit.tx, [said.customer for said in newest if said.customer])
    known = await answers.known(unit.tx, [said.survey_id for said in newest])
    fresh = [said for said in newest if said.survey_id not in known or known[said.survey_id].revision < said.revision]
    heard = await _heard(unit, deps, fresh, known=known, now_is=now_is)
    terms = await keeping.terms(unit, deps)
    desk = await _desk(unit, heard, known=known)
    cases_of = await _judge(unit, heard, desk, terms=terms, known=known)
    await keeping.keep(unit, deps, desk.changes, policy=terms.policy)
    await answers.save(unit.tx, [_row(each, known, cases_of) for each in heard])
    unit.when_committed(partial(_count, deps, heard, known=known))


def _newest(said: Iterable[FeedbackScored]) -> list[FeedbackScored]:
    """Of each survey the highest revision, in the order in which they came."""
    best: dict[UUID, FeedbackScored] = {}
    for each in said:
        if each.survey_id not in best or best[each.survey_id].revision < each.revision:
            best.pop(each.survey_id, None)
            best[each.survey_id] = each
    return list(best.values())


async def _without_erased(unit: Unit, said: list[FeedbackScored], now_is: Mapping[UUID, UUID]) -> list[FeedbackScored]:
    """An answer of somebody erased is nobody's: it is counted, and a person reads it without a name and without words. The customers are
    locked, so whoever is erased meanwhile waits for us."""
    gone = await people.erased(unit.tx, {*now_is, *now_is.values()})
    return [_nobodys(each) if each.customer and _named_by(each.customer, now_is) & gone else each for each in said]


def _named_by(customer: Customer, now_is: Mapping[UUID, UUID]) -> set[UUID]:
    return {customer.customer_id, now_is[customer.customer_id]}


def _nobodys(said: FeedbackScored) -> FeedbackScored:
    contact = said.contact and said.contact.model_copy(update={"point_ref": None})
    return said.model_copy(update={"customer": None, "contact": contact, "comment": None, "comment_language": None, "callback_wish": ()})


async def _heard(
    unit: Unit, deps: Deps, said: list[FeedbackScored], *, known: Mapping[UUID, Answer], now_is: Mapping[UUID, UUID]
) -> list[Heard]:
    persons = await people.customers(unit.tx, now_is.values())
    refs = {point.ref for customer in persons.values() for point in customer.points}
    consents = await people.consents(unit.tx, customers=now_is.values(), refs=refs)
    return [_hear(each, deps, known=known.get(each.survey_id), now_is=now_is, persons=persons, consents=consents) for each in said]


def _hear(
    said: FeedbackScored,
    deps: Deps,
    *,
    known: Answer | None,
    now_is: Mapping[UUID, UUID],
    persons: Mapping[UUID, Customer],
    consents: list[Consent],
) -> Heard:
    person = now_is[said.customer.customer_id] if said.customer else None
    customer = persons.get(person, said.customer) if person else None
    return Heard(
        feedback=said,
        words=deps.words.found(_words(said.comment, deps.sealer)),
        customer_id=person,
        customer=customer,
        consents=tuple(each for each in consents if _binds(each, customer)),
        before_score=known.score if known else None,
    )


def _words(comment: Sealed | None, sealer: Sealer) -> str | None:
    return str(sealer.unseal(comment)) if comment else None


def _binds(consent: Consent, customer: Customer | None) -> bool:
    if customer is None:
        return False
    return consent.customer_id == customer.customer_id or consent.address_ref in {point.ref for point in customer.points}


async def _desk(unit: Unit, heard: list[Heard], *, known: Mapping[UUID, Answer]) -> Desk:
    of_answers = await cases.locked(unit.tx, [answer.case_id for answer in known.values() if answer.case_id])
    merged = await cases.locked(unit.tx, [case.merged_into for case in of_answers.values() if case.merged_into])
    of_customers = await cases.open_of_customers(unit.tx, [each.customer_id for each in heard if each.customer_id])
    found = of_answers | merged | {case.id: case for case in of_customers.values()}
    return Desk(by_id=dict(found), by_customer=of_customers, before=found)


async def _judge(unit: Unit, heard: list[Heard], desk: Desk, *, terms: Terms, known: Mapping[UUID, Answer]) -> dict[UUID, UUID]:
    """Survey → case, of the answers that a case tells."""
    untold = [each for each in heard if desk.case_of(known.get(each.feedback.survey_id)) is None]
    openers = {each.feedback.survey_id for each in untold if opens(each, terms)}
    numbers = iter(await cases.numbers(unit.tx, len(openers)))
    cases_of: dict[UUID, UUID] = {}
    for each in heard:
        survey = each.feedback.survey_id
        own = desk.case_of(known.get(survey))
        open_case = desk.by_customer.get(each.customer_id) if each.customer_id else None
        number = next(numbers) if survey in openers and open_case is None else 0
        moved = judge(each, terms, own=own, open_case=open_case, number=number)
        if moved:
            desk.lay(moved)
            cases_of[survey] = moved.case.id
    return cases_of


def _row(heard: Heard, known: Mapping[UUID, Answer], cases_of: Mapping[UUID, UUID]) -> Answer:
    survey = heard.feedback.survey_id
    return answer_of(heard.feedback, known.get(survey), customer_id=heard.customer_id, case_id=cases_of.get(survey))


def _count(deps: Deps, heard: list[Heard], *, known: Mapping[UUID, Answer]) -> None:
    for said in (each.feedback for each in heard if each.feedback.survey_id not in known):
        deps.metrics.answers.labels(_kind(said.kind), said.band).inc()
        if said.kind == RECOVERY and said.counted:
            deps.metrics.recovered.labels(said.band).inc()


def _kind(kind: str) -> str:
    return kind if kind in ("tnps", "recovery", "relationship") else "other"
