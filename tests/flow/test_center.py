"""The demo's contact center speaks dialects that ingest reads as what happened."""

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from deploy.demo import center
from deploy.demo.emission import Contact, Emission
from deploy.demo.people import Person, person
from ingest.normalise.model import Event, Raw, Reading, Refused
from ingest.normalise.reading import read
from shared.topics import TOPICS

ENDED = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
Tell = Callable[..., Contact]


def _readings(emission: Emission) -> list[Reading]:
    return read(Raw(emission.value, dict(emission.headers), default_channel=TOPICS[emission.topic].default_channel))


def _events(tell: Tell) -> tuple[Contact, list[Event]]:
    contact = tell(person(7), ended=ENDED, rng=random.Random(1))
    events = [reading for emission in contact.emissions for reading in _readings(emission)]
    assert all(isinstance(event, Event) for event in events), events
    return contact, [event for event in events if isinstance(event, Event)]


@pytest.mark.parametrize("tell", [center.transferred_call, center.short_call, center.abandoned_call, center.chat, center.visit])
def test_every_event_of_a_contact_joins_under_the_contacts_own_name(tell: Tell) -> None:
    contact, events = _events(tell)

    assert {(event.platform, event.account, event.root) for event in events} == {(contact.platform, contact.account, contact.ref)}
    assert max(event.at for event in events if event.at) == ENDED


def test_a_transferred_call_has_two_legs_and_ends_after_the_second() -> None:
    _, events = _events(center.transferred_call)

    kinds = [(event.leg == event.root, event.kind.value) for event in events]
    assert {first for first, _ in kinds} == {True, False}
    assert (True, "transferred") in kinds
    assert (False, "ended") in kinds


def test_a_broken_event_is_refused_and_not_misread() -> None:
    (reading,) = _readings(center.broken(rng=random.Random(1)))

    assert isinstance(reading, Refused)


def test_the_same_seed_tells_the_same_story() -> None:
    first, again = (center.transferred_call(person(3), ended=ENDED, rng=random.Random(5)) for _ in range(2))

    assert first == again


def test_customers_have_a_phone_and_an_address_of_their_own() -> None:
    people: list[Person] = [person(number) for number in range(2400)]

    assert len({each.phone for each in people}) == len({each.email for each in people}) == 2400
