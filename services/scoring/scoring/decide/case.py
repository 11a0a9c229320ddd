"""What the rules judge: the facts, and what follows from facts and policy alone, worked out once."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from scoring.decide import moments
from scoring.decide.model import Asked, Draw, Facts, Phase, Way
from scoring.decide.policy import Policy, Terms
from scoring.decide.sampling import sample
from scoring.decide.ways import chosen, ways


@dataclass(frozen=True)
class Case:
    """`history` may hold the survey of this very anchor: it never counts against itself."""

    facts: Facts
    history: tuple[Asked, ...]
    policy: Policy
    phase: Phase
    now: datetime

    @property
    def terms(self) -> Terms:
        return self.policy.terms

    @cached_property
    def ways(self) -> tuple[Way, ...]:
        return ways(self.facts, self.terms)

    @cached_property
    def way(self) -> Way | None:
        return chosen(self.ways)

    @cached_property
    def draw(self) -> Draw:
        return sample(self.facts, self.terms.sampling)

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """Other surveys of this customer, or to the chosen address."""
        return tuple(each for each in self.history if (each.kind, each.anchor) != (self.facts.kind, self.facts.anchor))

    @property
    def asked_customer(self) -> tuple[Asked, ...]:
        customer = self.facts.customer
        return tuple(each for each in self.asked if customer is not None and each.customer_id == customer.customer_id)

    @property
    def asked_there(self) -> tuple[Asked, ...]:
        return tuple(each for each in self.asked if self.way is not None and each.address_ref == self.way.point.ref)

    @property
    def latest(self) -> datetime:
        """The last moment at which the question may leave."""
        limit = self.terms.age.send_s if self.phase == "send" else self.terms.age.decide_s
        return self.facts.aged_from + timedelta(seconds=limit)

    @property
    def earliest(self) -> datetime:
        """Now at sending; before that, the channel's delay after the contact's end, if that is still to come."""
        if self.phase == "send" or self.way is None:
            return self.now
        return max(self.now, self.facts.aged_from + timedelta(seconds=self.terms.delay_s.get(self.way.channel, 0)))

    @cached_property
    def blackout(self) -> str | None:
        """The code of the blackout that covers the earliest moment."""
        covering = moments.covering(self.earliest, moments.applying(self.terms.blackouts, self._traits))
        return covering.code if covering else None

    @cached_property
    def after_blackouts(self) -> datetime | None:
        """The first moment outside every blackout; None if none is early enough."""
        return moments.after_blackouts(self.earliest, moments.applying(self.terms.blackouts, self._traits), latest=self.latest)

    @cached_property
    def send_at(self) -> datetime | None:
        """The first moment outside every blackout and within the hours of every zone the customer may be in."""
        if self.facts.customer is None:
            return None
        return moments.sendable(
            self.earliest,
            blackouts=moments.applying(self.terms.blackouts, self._traits),
            zones=self.facts.customer.candidate_zones,
            hours=self.terms.hours,
            latest=self.latest,
        )

    @property
    def _traits(self) -> dict[str, str]:
        return {**(self.facts.customer.traits if self.facts.customer else {}), **self.facts.contact.traits}
