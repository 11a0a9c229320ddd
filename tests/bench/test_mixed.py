"""What the mixed shape drains is what it says: every payload is read, and every contact is over once, by its last record."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest

from ingest.contacts.fold import fold
from ingest.contacts.model import NotOver, Over, StoredEvent
from ingest.normalise import read
from ingest.normalise.model import Event, Ignored, Raw
from shared.runtime.broker import Outgoing
from tests.bench.load import STEPS, number_of, person_of
from tests.bench.mixed import DIALECTS, MIXED
from tests.support.contacts import MORNING
from tests.support.readings import stored

PLATFORMS = ("native", *DIALECTS)
FIRST = 1_000 * len(PLATFORMS)
PLACES = range(len(PLATFORMS))
SOON, LATER = timedelta(minutes=10), timedelta(minutes=20)


def told(contact: int) -> list[Outgoing]:
    """The records of that contact of the shape's."""
    first = contact - contact % len(PLATFORMS)
    records = MIXED.records(len(STEPS) * len(PLATFORMS), first=len(STEPS) * first)
    return [record for record in records if record.key == f"call-{contact}".encode()]


def events_of(records: list[Outgoing]) -> list[Event]:
    headers = [{name: value.decode() for name, value in record.headers} for record in records]
    readings = [reading for record, said in zip(records, headers, strict=True) for reading in read(Raw(record.value, said))]
    assert all(isinstance(reading, Event | Ignored) for reading in readings), "a refusal"
    return [reading for reading in readings if isinstance(reading, Event)]


def arrived(events: list[Event], *, at: datetime) -> list[StoredEvent]:
    return [stored(event, received=(at - MORNING) / timedelta(minutes=1)) for event in events]


@pytest.mark.parametrize("place", PLACES, ids=PLATFORMS)
def test_a_contact_of_every_platform_is_one_interaction_of_its_customer_just_before_now(place: int) -> None:
    now, contact = datetime.now(UTC), FIRST + place

    events = events_of(told(contact))
    (one,) = fold(arrived(events, at=now), now=now + LATER).episodes

    assert {event.platform for event in events} == {PLATFORMS[place]}
    assert len({event.root for event in events}) == 1
    assert isinstance(one, Over), one
    assert timedelta(minutes=10) < now - one.interaction.ended_at < timedelta(minutes=30)
    assert all(event.at and event.at < now for event in events)
    customer = {"phone": number_of(person_of(contact)), "member_id": f"M-{person_of(contact)}"}
    assert customer.items() & one.interaction.handles.items()


@pytest.mark.parametrize("place", PLACES, ids=PLATFORMS)
def test_a_contact_of_any_platform_is_not_over_before_its_last_record(place: int) -> None:
    now = datetime.now(UTC)

    (one,) = fold(arrived(events_of(told(FIRST + place)[:-1]), at=now), now=now + SOON).episodes

    assert isinstance(one, NotOver), one
    assert one.waits_for in {"end", "address"}


@pytest.mark.parametrize("place", PLACES, ids=PLATFORMS)
def test_contacts_of_one_platform_share_its_account_and_its_agents_and_nothing_else(place: int) -> None:
    one, other = (events_of(told(FIRST + place + further)) for further in (0, 5 * len(PLATFORMS)))

    assert {event.account for event in one} == {event.account for event in other}
    assert [event.facts.get("agent") for event in one] == [event.facts.get("agent") for event in other]
    for mine in (
        lambda event: (event.source, event.id),
        lambda event: event.root,
        lambda event: event.leg,
        lambda event: {value for name, value in event.handles.items() if name not in {"name", "language"}},
    ):
        assert not any(mine(event) == mine(another) for event in one for another in other if mine(event))


def test_platforms_take_turns_in_one_topic() -> None:
    contacts: dict[bytes | None, int] = defaultdict(int)
    for record in MIXED.records(4 * 18):
        contacts[record.key] += 1

    assert set(contacts.values()) == {4}
    assert len(contacts) == MIXED.owed(4 * 18) == 18
