"""Judging: load what is known, decide each in order, save what was decided, tell it."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from uuid import UUID

from scoring.ask import plan, store
from scoring.ask.known import Known, Subject
from scoring.ask.plan import Judged
from scoring.decide import store as decisions
from scoring.decide.judge import decide
from scoring.decide.model import Outcome, Phase
from scoring.decide.policies import store as policies
from scoring.decide.policies.handle import policies_in_force
from scoring.deps import Deps
from scoring.people import store as people
from scoring.people.callbacks import store as callbacks
from scoring.people.model import call
from shared import consent
from shared.runtime.database import Unit
from shared.runtime.ids import ids_at
from shared.runtime.pipeline import Statement, together
from shared.runtime.sealing import Sealer
from shared.schemas import Customer, Sealed, SurveyDecided
from shared.schemas.fields import in_wire_form


class Look:
    """What judging asks of the database, in one round trip: the locks first, so that what others wrote before is seen.

    `told`: snapshots that came with the subjects, by customer.
    """

    def __init__(
        self, subjects: Sequence[Subject], told: Mapping[UUID, Customer], *, ids: Collection[UUID] = (), refs: Collection[str] = ()
    ) -> None:
        self._subjects, self._told = subjects, told
        self._ids = {subject.customer_id for subject in subjects if subject.customer_id} | told.keys() | set(ids)
        self._refs = {point.ref for each in told.values() for point in each.points} | set(refs)
        self._first_seen, self.locked = people.locks(self._ids)
        self.people = people.known_as(self._ids, told)
        self._addresses = store.lock_addresses(self._refs)
        self.policies = policies.policies_in_force()
        self.callbacks = callbacks.with_open_callback(self._ids)
        self.own_calls = callbacks.own_calls({call(subject.contact) for subject in subjects})
        self.decided = store.decided({subject.key for subject in subjects})
        self.consents = people.consents_of(customer_ids=self._ids, address_refs=self._refs)
        self.asked = store.asked(customer_ids=self._ids, address_refs=self._refs)

    @property
    def statements(self) -> tuple[Statement[object], ...]:
        locks = (self._first_seen, self.locked, self._addresses)
        return (*locks, self.people, self.policies, self.callbacks, self.own_calls, self.decided, self.consents, self.asked)

    def wider(self) -> "Look | None":
        """The same with people and addresses that only the database knew to be these people's; None when there are none."""
        persons = self.people.result.by_id.values()
        ids = {person.id for person in persons}
        refs = {point.ref for person in persons if person.customer for point in person.customer.points}
        if ids <= self._ids and refs <= self._refs:
            return None
        return Look(self._subjects, self._told, ids=ids | self._ids, refs=refs | self._refs)


async def judge(unit: Unit, subjects: Iterable[Subject], deps: Deps, *, phase: Phase = "decide", look: Look | None = None) -> list[Judged]:
    """Decide about each, in order, against what the one before has changed; to save and publish all of it is owed.

    `look` is about all of them, asked already or not.
    """
    todo = list(subjects)
    if not todo:
        return []
    known = await load(unit, todo, deps, look=look)
    fresh = ids_at(unit.now)
    judged = [_judge(unit, subject, known, phase=phase, fresh=fresh) for subject in todo if known.is_news(subject, phase=phase)]
    _save(unit, judged, known, deps)
    return judged


async def load(unit: Unit, subjects: Sequence[Subject], deps: Deps, *, look: Look | None = None) -> Known:
    """What is known about these subjects' people, addresses and anchors; what was told of the people and is news is kept."""
    look = look or Look(subjects, {})
    if not look.people.is_asked:
        await together(unit.tx, *look.statements)
    while wider := look.wider():
        look = wider
        await together(unit.tx, *look.statements)
    news, now_known = look.people.result.news, look.locked.result
    people.keep(unit.tx, news, now_known=now_known)
    facts = look.consents.result
    known = Known(
        people=look.people.result.by_id,
        policies=look.policies.result or await policies_in_force(unit, deps.settings.first_policies),
        callbacks=look.callbacks.result,
        own_calls=look.own_calls.result,
        gateways=frozenset(deps.gateways),
        stood=look.decided.result.stood,
        surveys=look.decided.result.surveys,
    )
    known.learn_consents(consent.merge(facts, people.facts_of(news.values(), now_known)) if news else facts)
    known.learn_asked(look.asked.result)
    return known


def _judge(unit: Unit, subject: Subject, known: Known, *, phase: Phase, fresh: Iterator[UUID]) -> Judged:
    person, facts, history = known.about(subject, now=unit.now)
    decision = decide(facts, history, policy=known.policies[subject.kind], now=unit.now, phase=phase)
    known.take(subject, person, decision, now=unit.now)
    stood, survey = known.stood.get(subject.key), known.surveys.get(subject.key)
    survey_id = survey[0] if survey else next(fresh) if decision.outcome is Outcome.INVITED else None
    return Judged(subject, facts, person, decision, stood, stood.id if stood else next(fresh), survey_id)


def _save(unit: Unit, judged: Sequence[Judged], known: Known, deps: Deps) -> None:
    news = [each for each in judged if not each.says_nothing_new(now=unit.now)]
    kept = {each.decision_id for each in news}
    waiting = {each.decision_id: each.decision.retry_at for each in judged if each.decision.retry_at and each.decision_id not in kept}
    decisions.look_again(unit.tx, waiting)
    decisions.save(unit.tx, [plan.decision_row(each, now=unit.now) for each in news])
    store.plan(unit.tx, [_planned(each, deps.sealer, unit) for each in news if _reserves(each)])
    store.drop(unit.tx, {known.surveys[each.subject.key][0]: each.decision.reason for each in news if _releases(each, known)})
    decided_at = in_wire_form(unit.now)
    for each in news:
        said = plan.survey_decided(each, decided_at=decided_at)
        unit.send_written(SurveyDecided, said, key=each.key, correlation=each.subject.anchor)
    counted = Counter((each.subject.kind, each.decision.outcome.value, each.decision.reason) for each in news)
    unit.when_committed(partial(_count, deps, counted))


def _count(deps: Deps, counted: Mapping[tuple[str, str, str], int]) -> None:
    for said, times in counted.items():
        deps.metrics.decisions.labels(*said).inc(times)


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
