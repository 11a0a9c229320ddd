"""Judging: load what is known, decide each in order, save what was decided, tell it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from scoring.ask import plan, store
from scoring.ask.known import Known, Subject
from scoring.ask.plan import Judged
from scoring.decide import store as decisions
from scoring.decide.judge import decide
from scoring.decide.model import Outcome, Phase
from scoring.decide.policies.handle import policies_in_force
from scoring.decide.policy import Policy
from scoring.deps import Deps
from scoring.people import store as people
from scoring.people.callbacks import store as callbacks
from scoring.people.model import call
from shared.runtime.database import Unit
from shared.runtime.sealing import Sealer
from shared.schemas import Sealed

LONGEST_CAP = timedelta(days=30)


async def judge(unit: Unit, subjects: Iterable[Subject], deps: Deps, *, phase: Phase = "decide") -> list[Judged]:
    """Decide about each, in order, against what the one before has changed, and save and publish all of it.

    The caller has locked the customers, in the order of ids, in an earlier statement: what others wrote meanwhile is seen.
    """
    todo = list(subjects)
    if not todo:
        return []
    known = await load(unit, todo, deps)
    news = [subject for subject in todo if known.is_news(subject, phase=phase)]
    fresh = iter(await decisions.fresh_ids(unit.tx, 2 * len(news))) if news else iter(())
    judged = [_judge(unit, subject, known, phase=phase, fresh=fresh) for subject in news]
    await _save(unit, judged, known, deps)
    return judged


async def load(unit: Unit, subjects: Sequence[Subject], deps: Deps) -> Known:
    """What is known about these subjects' people, addresses and anchors."""
    persons = await people.people_by_id(unit.tx, {subject.customer_id for subject in subjects if subject.customer_id})
    ids = {person.id for person in persons.values()}
    refs = {point.ref for person in persons.values() if person.customer for point in person.customer.points}
    await store.lock_addresses(unit.tx, refs)
    in_force = await policies_in_force(unit, deps.settings.first_policies)
    anchors = {subject.key for subject in subjects}
    known = Known(
        people=persons,
        policies=in_force,
        callbacks=frozenset(await callbacks.with_open_callback(unit.tx, ids)),
        own_calls=frozenset(await callbacks.own_calls(unit.tx, {call(subject.contact) for subject in subjects})),
        gateways=frozenset(deps.gateways),
        stood=await decisions.standing_decisions(unit.tx, anchors),
        surveys=await store.survey_states(unit.tx, anchors),
    )
    known.learn_consents(await people.consents_of(unit.tx, customer_ids=ids, address_refs=refs))
    since = unit.now - _memory(in_force.values())
    known.learn_asked(await store.asked(unit.tx, customer_ids=ids, address_refs=refs, since=since))
    return known


def _memory(in_force: Iterable[Policy]) -> timedelta:
    """How far back any rule looks."""
    days = [days for policy in in_force for days in (policy.terms.quarantine.any_days, policy.terms.quarantine.kind_days)]
    return max(LONGEST_CAP, timedelta(days=max(days, default=0)))


def _judge(unit: Unit, subject: Subject, known: Known, *, phase: Phase, fresh: Iterator[UUID]) -> Judged:
    facts = known.facts(subject, now=unit.now)
    decision = decide(facts, known.history(subject), policy=known.policies[subject.kind], now=unit.now, phase=phase)
    stood, survey = known.stood.get(subject.key), known.surveys.get(subject.key)
    known.take(subject, decision, now=unit.now)
    new_decision, new_survey = next(fresh), next(fresh)
    survey_id = survey[0] if survey else new_survey if decision.outcome is Outcome.INVITED else None
    return Judged(subject, facts, known.person(subject), decision, stood, stood.id if stood else new_decision, survey_id)


async def _save(unit: Unit, judged: Sequence[Judged], known: Known, deps: Deps) -> None:
    news = [each for each in judged if not each.says_nothing_new(now=unit.now)]
    kept = {each.decision_id for each in news}
    waiting = {each.decision_id: each.decision.retry_at for each in judged if each.decision.retry_at and each.decision_id not in kept}
    await decisions.look_again(unit.tx, waiting)
    await decisions.save(unit.tx, [plan.decision_row(each, now=unit.now) for each in news])
    await store.plan(unit.tx, [_planned(each, deps.sealer, unit) for each in news if _reserves(each)])
    await store.drop(unit.tx, {known.surveys[each.subject.key][0]: each.decision.reason for each in news if _releases(each, known)})
    for each in news:
        unit.send(plan.survey_decided(each, now=unit.now), key=each.key, correlation=each.subject.anchor)
        decided = deps.metrics.decisions.labels(each.subject.kind, each.decision.outcome.value, each.decision.reason)
        unit.when_committed(decided.inc)


def _reserves(judged: Judged) -> bool:
    return judged.decision.outcome is Outcome.INVITED and judged.decision.phase == "decide"


def _releases(judged: Judged, known: Known) -> bool:
    return judged.decision.outcome is not Outcome.INVITED and judged.subject.key in known.surveys


def _planned(judged: Judged, sealer: Sealer, unit: Unit) -> dict[str, object]:
    return plan.survey_row(judged, address=address_of(judged, sealer), now=unit.now)


def address_of(judged: Judged, sealer: Sealer) -> Sealed:
    """The address of the chosen way, sealed by itself: the sender needs nothing else of the customer. It seals null where the
    customer's private part lacks it; such a survey ends unsent."""
    customer, way = judged.facts.customer, judged.decision.way
    assert customer is not None
    assert way is not None
    private = sealer.unseal(customer.private) if customer.private else {}
    return sealer.seal(private.get("addresses", {}).get(way.point.ref))


def newest(subjects: Iterable[Subject]) -> list[Subject]:
    """One subject per anchor: of several revisions the highest, in the place of the first."""
    kept: dict[tuple[str, UUID], Subject] = {}
    for subject in subjects:
        known = kept.get(subject.key)
        if known is None or known.contact.revision < subject.contact.revision:
            kept[subject.key] = subject
    return list(kept.values())
