"""What is known about everybody in a batch, so that each can be judged against the state the one before has just changed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from scoring.ask.model import State
from scoring.decide.model import Asked, Decision, Facts, Outcome, Phase, Standing
from scoring.decide.policy import Policy
from scoring.people.model import Call, Person, call
from shared.schemas import Consent, Contact

Anchor = tuple[str, UUID]


class Decided(NamedTuple):
    """By kind and anchor: the decision as it stands, and id and state of the survey."""

    stood: dict[Anchor, Standing]
    surveys: dict[Anchor, tuple[UUID, State]]


LEFT = (State.SENDING, State.SENT, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be judged. `revision` is the contact's; with `again` an anchor is judged although its facts are not newer."""

    kind: str
    anchor: UUID
    contact: Contact
    customer_id: UUID | None
    aged_from: datetime
    again: bool = False

    @property
    def key(self) -> Anchor:
        return (self.kind, self.anchor)


@dataclass(slots=True)
class Known:
    """Indexed once; `reserve` and `release` keep the history true while a batch is decided."""

    people: Mapping[UUID, Person]
    policies: Mapping[str, Policy]
    callbacks: frozenset[UUID]
    own_calls: frozenset[Call]
    gateways: frozenset[str]
    stood: Mapping[Anchor, Standing]
    surveys: dict[Anchor, tuple[UUID, State]]
    _consents: dict[UUID | str | None, list[Consent]] = field(default_factory=lambda: defaultdict(list))
    _asked: dict[UUID | str | None, dict[Anchor, Asked]] = field(default_factory=lambda: defaultdict(dict))

    def learn_consents(self, consents: Iterable[Consent]) -> None:
        for fact in consents:
            self._consents[fact.customer_id or fact.address_ref].append(fact)

    def learn_asked(self, asked: Iterable[Asked]) -> None:
        for each in asked:
            self._asked[each.customer_id][each.kind, each.anchor] = each
            self._asked[each.address_ref][each.kind, each.anchor] = each

    def is_news(self, subject: Subject, *, phase: Phase) -> bool:
        """Nothing is judged any more once its survey may have left, and no revision twice. A claimed survey always is."""
        if phase == "send":
            return True
        if not self.stood:
            return True
        survey = self.surveys.get(subject.key)
        if survey and survey[1] in LEFT:
            return False
        stood = self.stood.get(subject.key)
        return stood is None or subject.again or (stood.interaction_revision or 0) < subject.contact.revision

    def about(self, subject: Subject, *, now: datetime) -> tuple[Person | None, Facts, list[Asked]]:
        """Who it is about, the facts, and what was asked of that person and to any address of theirs, each survey once."""
        person = self.people.get(subject.customer_id) if subject.customer_id else None
        customer, contact = person.customer if person else None, subject.contact
        whom = _person_and_addresses(person)
        facts = Facts(
            kind=subject.kind,
            anchor=subject.anchor,
            contact=contact,
            customer=customer,
            erased=person is not None and person.erased,
            consents=tuple([fact for each in whom for fact in self._consents.get(each, ())]) if self._consents else (),
            own_call=bool(self.own_calls) and call(contact) in self.own_calls,
            open_callback=person is not None and person.id in self.callbacks,
            gateways=self.gateways,
            aged_from=subject.aged_from,
            give_up_at=self._give_up_at(subject, now=now),
        )
        return person, facts, self._history(whom)

    def _history(self, whom: list[UUID | str]) -> list[Asked]:
        found: dict[Anchor, Asked] = {}
        for each in whom:
            if each in self._asked:
                found |= self._asked[each]
        return list(found.values())

    def take(self, subject: Subject, person: Person | None, decision: Decision, *, now: datetime) -> None:
        """From here on the batch knows of this decision: its place is reserved, or free again."""
        for each in _person_and_addresses(person):
            if each in self._asked:
                self._asked[each].pop(subject.key, None)
        if decision.outcome is Outcome.INVITED and person and decision.way:
            self.learn_asked([Asked(subject.kind, subject.anchor, person.id, decision.way.point.ref, now)])

    def _give_up_at(self, subject: Subject, *, now: datetime) -> datetime:
        stood = self.stood.get(subject.key) if self.stood else None
        if stood and stood.outcome == Outcome.DEFERRED and stood.give_up_at:
            return stood.give_up_at
        return now + timedelta(seconds=self.policies[subject.kind].terms.defer_s)


def _person_and_addresses(person: Person | None) -> list[UUID | str]:
    if person is None:
        return []
    return [person.id, *[point.ref for point in person.customer.points]] if person.customer else [person.id]
