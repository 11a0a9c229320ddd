"""What the rules judge: the facts, and what follows from facts and policy alone, worked out once."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from scoring.decide import moments
from scoring.decide.model import Asked, Facts, Phase
from scoring.decide.policy import Policy
from scoring.decide.sampling import sample
from scoring.decide.ways import best_way


class Case:
    """`history` may hold the survey of this very anchor: it never counts against itself.

    `asked_customer` and `asked_there` are other surveys of this customer, and to the address of the `way`. `earliest`: now at sending;
    before that, the channel's delay after the contact's end, if that is still to come. `latest`: the last moment at which the question
    may leave. `blackout`: the code of the one that covers the earliest moment; `after_blackouts` and `send_at`: the first moment outside
    every blackout, and also within the hours of every zone the customer may be in; None if none is early enough.
    """

    __slots__ = (
        "after_blackouts",
        "asked_customer",
        "asked_there",
        "blackout",
        "draw",
        "earliest",
        "facts",
        "latest",
        "now",
        "phase",
        "policy",
        "send_at",
        "terms",
        "way",
    )

    def __init__(self, facts: Facts, history: Iterable[Asked], *, policy: Policy, phase: Phase, now: datetime) -> None:
        self.facts, self.policy, self.terms, self.phase, self.now = facts, policy, policy.terms, phase, now
        self.way = best_way(facts, self.terms)
        self.draw = sample(facts, self.terms.sampling)
        self._look_back(history)
        self._look_ahead()

    def _look_back(self, history: Iterable[Asked]) -> None:
        facts = self.facts
        person = facts.customer.customer_id if facts.customer else None
        others = [each for each in history if each.anchor != facts.anchor or each.kind != facts.kind]
        self.asked_customer = [each for each in others if person is not None and each.customer_id == person]
        self.asked_there = [each for each in others if self.way and each.address_ref == self.way.point.ref]

    def _look_ahead(self) -> None:
        facts, terms, sending = self.facts, self.terms, self.phase == "send"
        self.latest = facts.aged_from + timedelta(seconds=terms.age.send_s if sending else terms.age.decide_s)
        self.earliest = self.now
        if self.way and not sending:
            self.earliest = max(self.now, facts.aged_from + timedelta(seconds=terms.delay_s.get(self.way.channel, 0)))
        customer = facts.customer
        blackouts = moments.applying(terms.blackouts, customer.traits if customer else {}, facts.contact.traits)
        covering = moments.covering(self.earliest, blackouts)
        self.blackout = covering.code if covering else None
        self.after_blackouts = moments.after_blackouts(self.earliest, blackouts, latest=self.latest)
        self.send_at = None
        if customer:
            zones = customer.candidate_zones
            self.send_at = moments.sendable(self.earliest, blackouts=blackouts, zones=zones, hours=terms.hours, latest=self.latest)
