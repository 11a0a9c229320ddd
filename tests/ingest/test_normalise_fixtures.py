"""Every captured payload is read as what stands beside it."""

from pathlib import Path

import pytest

from ingest.normalise import read
from ingest.normalise.explain import captured, explained
from ingest.normalise.model import Event, Raw
from tests.support.readings import EXPECTED, FIXTURES, as_told, expected, payload, payloads

PERSONAL = ("2025550", "someone@example.com", "crm-7781", "M-10442", "Someone Invented", "private words", "hello there")


@pytest.mark.parametrize("path", payloads(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_payload_is_read_as_expected(path: Path) -> None:
    readings = [reading for raw in captured(path.read_bytes()) for reading in read(raw)]
    assert [as_told(reading) for reading in readings] == expected(path)


@pytest.mark.parametrize("path", payloads(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_personal_values_stand_only_in_handles(path: Path) -> None:
    for raw in captured(path.read_bytes()):
        for reading in read(raw):
            told = as_told(reading)
            told.pop("handles", None)
            assert not any(value in str(told) for value in PERSONAL)
    assert not any(value in str(explained("a file", path.read_bytes())) for value in PERSONAL)


def test_no_expectation_is_left_without_its_payload() -> None:
    assert len(list(FIXTURES.glob(f"*/*{EXPECTED}"))) == len(payloads()) > 70


def test_the_same_event_is_the_same_in_every_envelope() -> None:
    """Identity and content, so that a bridge put in between sends nobody a second time."""
    names = ("native/ended", "cloudevents/invented-native-structured", "aws-envelopes/invented-sns-lambda-batch", "native/array-of-three")
    events = [read(Raw(payload(name)))[0] for name in names]
    assert all(isinstance(event, Event) for event in events)
    assert len({(event.source, event.id, event.version, event.hash) for event in events if isinstance(event, Event)}) == 1


def test_white_space_is_no_other_content_but_another_value_is() -> None:
    loose, tight, other = (
        b'{ "id": "1", "contact": "c", "event": "ended", "at": 1810044480, "channel": "web" }',
        b'{"id":"1","contact":"c","event":"ended","at":1810044480,"channel":"web"}',
        b'{"id":"1","contact":"c","event":"ended","at":1810044481,"channel":"web"}',
    )
    hashes = [reading.hash for body in (loose, tight, other) for reading in read(Raw(body)) if isinstance(reading, Event)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_the_source_fills_in_what_a_payload_does_not_name() -> None:
    body = b'{"ContactId":"c-9","InitiationMethod":"INBOUND","DisconnectTimestamp":"2027-05-11T14:08:00Z"}'
    (plain,) = read(Raw(body))
    (filled,) = read(Raw(body, default_channel="phone", account="west"))
    assert isinstance(plain, Event)
    assert isinstance(filled, Event)
    assert (plain.account, plain.channel) == ("-", "other")
    assert (filled.account, filled.channel) == ("west", "phone")


def test_a_time_without_a_zone_is_read_in_the_zone_of_its_source() -> None:
    (reading,) = read(Raw(payload("native/reopened-without-zone"), zone="Europe/Berlin"))
    assert isinstance(reading, Event)
    assert reading.at is not None
    assert reading.at.isoformat() == "2027-05-11T12:08:00+00:00"
    assert "clock" not in reading.facts


def test_the_zone_of_an_account_is_stronger_than_that_of_the_source() -> None:
    body = payload("native/reopened-without-zone").replace(b"{", b'{"account": "west", ', 1)
    (reading,) = read(Raw(body, zone="Europe/Berlin", zones={"west": "America/New_York"}))
    assert isinstance(reading, Event)
    assert reading.at is not None
    assert reading.at.isoformat() == "2027-05-11T18:08:00+00:00"


def test_a_record_without_a_value_is_ignored() -> None:
    assert [as_told(one) for one in read(Raw(None))] == [{"envelope": "bare", "index": 0, "platform": "unknown", "ignored": "no_value"}]


def test_attributes_are_kept_only_by_name() -> None:
    (reading,) = read(Raw(payload("native/ended"), traits=frozenset({"note"})))
    assert isinstance(reading, Event)
    assert reading.facts.get("traits") == {"note": "private words"}
