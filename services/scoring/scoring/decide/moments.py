"""The next moment that is lawful and polite: outside every blackout, and within the hours of every zone the customer may be in."""

from collections.abc import Collection, Mapping
from datetime import datetime

from scoring.decide.policy import Blackout
from shared.hours import Hours, next_sendable


def applying(blackouts: Collection[Blackout], of_customer: Mapping[str, str], of_contact: Mapping[str, str]) -> tuple[Blackout, ...]:
    """Those that are for everybody, or for people with these traits; what the contact says goes before what is known of the customer."""
    if not blackouts:
        return ()
    traits = {**of_customer, **of_contact}
    return tuple(each for each in blackouts if all(traits.get(trait) in values for trait, values in each.where.items()))


def covering(at: datetime, blackouts: Collection[Blackout]) -> Blackout | None:
    """The blackout that covers the moment; of several the one that lasts longest."""
    if not blackouts:
        return None
    return max((each for each in blackouts if each.start <= at < each.end), key=lambda each: each.end, default=None)


def after_blackouts(at: datetime, blackouts: tuple[Blackout, ...], *, latest: datetime) -> datetime | None:
    """The first moment from `at` on that no blackout covers; None if it would be after `latest`."""
    while at <= latest:
        blackout = covering(at, blackouts)
        if blackout is None:
            return at
        at = blackout.end
    return None


def sendable(at: datetime, *, blackouts: tuple[Blackout, ...], zones: tuple[str, ...], hours: Hours, latest: datetime) -> datetime | None:
    """The first moment from `at` on that is outside the blackouts and open in all zones; None if none comes by `latest`."""
    while True:
        clear = after_blackouts(at, blackouts, latest=latest)
        opened = next_sendable(clear, zones, hours=hours, until=latest) if clear else None
        if opened is None or opened == clear:
            return opened
        at = opened
